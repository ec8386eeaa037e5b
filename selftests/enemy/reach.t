#!/bin/bash
# SPDX-License-Identifier: MIT
# What a taken-over library kernel can reach by the host calls that are left to it: only what was granted.
. selftests/exec/lib.sh

gate=$(nm "$build/lbx-host" | sed -n 's/^0*\([0-9a-f]*\) T gate_call$/\1/p')
[ -n "$gate" ] || { echo 'Bail out! lbx-host has no gate_call'; exit 1; }
probe=$build/selftests/enemy/probe

# ---- descriptors: what the caller has open stays outside, whatever its number
echo topsecret >"$tmp/secret"
(
	for n in 3 9 63 64 65 100 199 200 203 210 240 263 264 300 301 500 1000; do
		eval "exec $n<>$tmp/secret"
	done
	run "$probe" "$gate" fds
	echo "$out" >"$tmp/fds"
	echo "$status $err" >"$tmp/status"
)
is "$(cat "$tmp/status")" '0 ' 'descriptors: it ran'
has_not "$(cat "$tmp/fds")" topsecret 'descriptors: none of the caller is inside'
# 4 RAM, 5 log, 6 to 9 the file server, 10 and 11 standard output and error (files here), 12 control, 13 the broker's life, 64 the program itself
is "$(grep -v nothing "$tmp/fds" | sed 's/:.*//; s/fd //' | tr '\n' ' ')" '4 5 6 7 8 9 12 13 64 ' \
	'descriptors: those granted, and the next one above all that cannot be closed'
is "$(grep -c . "$tmp/fds")" 65 'descriptors: no number below is free'

# Named with --fd it is there, and it alone.
(
	exec 7<"$tmp/secret" 217<"$tmp/secret"
	run --fd 7 "$probe" "$gate" fds
	echo "$out" >"$tmp/fds"
) 2>/dev/null
is "$(grep -c topsecret "$tmp/fds")" 1 'descriptors: --fd grants one'

# ---- standard descriptors that are closed: nothing that lbx-exec opened takes their place
mkdir "$tmp/root"
cp "$probe" "$tmp/root/probe"
timeout -k 1 $LIMIT "$lbx" --root "$tmp/root" /probe "$gate" fds >"$tmp/fds" <&- 2>&-
is "$? $(grep -c ': file' "$tmp/fds")" '0 2' 'standard descriptors closed: no file beside RAM and the program'

# ---- a file that is there to be read, and is its user's own: 64 is the program itself
cp "$probe" "$tmp/own"
run "$tmp/own" "$gate" readonly 64
is "$(echo "$out" | tr '\n' ';')" "pwritev2 -9;pwritev2 at its position -9;mmap shared, to write -13;mmap shared 1;mprotect -13;madvise POPULATE_WRITE -22;madvise REMOVE -1;mprotect where it was moved to -13;" 'granted for reading: nothing writes to it'
cmp -s "$probe" "$tmp/own"
is $? 0 'granted for reading: it is as it was'

# ---- descriptors sent to a socket that happens to be a standard stream
/usr/bin/python3 - "$lbx" "$probe" "$gate" >"$tmp/out" 2>&1 <<'END'
import array, socket, subprocess, sys
lbx, probe, gate = sys.argv[1:]
for handle in range(6, 20):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with open('/dev/null') as secret:
        ours.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [secret.fileno()]))])
    # what would wait for the file server is cut short
    try:
        got = subprocess.run([lbx, '--timeout', '2', probe, gate, 'receive', str(handle)], stdin=theirs, capture_output=True, text=True)
        print(handle, got.stdout.strip())
    except Exception as e:
        print(handle, e)
END
is "$(grep -c 'received [0-9]' "$tmp/out")" 0 'a descriptor that is sent to standard input does not arrive'
is "$(grep -c 'received -1,' "$tmp/out")" 10 'messages come on the file server'"'"'s channels alone'

# ---- lbx-exec stops with a program at a terminal; without one, --timeout has to be kept. It is a job here, as only such ones stop.
cat >"$tmp/job" <<END
set -m
"$lbx" --timeout 2 "$probe" "$gate" stopped 12 </dev/null >"$tmp/out" 2>"$tmp/err" &
sleep 6
sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' /proc/\$!/status 2>/dev/null
kill -KILL \$! 2>/dev/null
END
is "$(setsid bash "$tmp/job" 2>/dev/null)" '' 'without a terminal nothing inside stops lbx-exec'

# ---- two sandboxes and one futex: pages that both map are a file's, and the kernel's text is such a file
text=$(printf '0x%x' $((0x$gate + 4096)))
data=0x$(nm "$build/lbx-host" | sed -n 's/^0*\([0-9a-f]*\) D image_data$/\1/p')
for word in "$text" "$data" 0x602000000ffc; do
	"$lbx" "$probe" "$gate" futex-wait "$word" >"$tmp/wait" 2>&1 &
	started "$tmp/wait"
	run "$probe" "$gate" futex-wake "$word"
	wait $!
	has_not "$(cat "$tmp/wait")" 'wait 0' "a futex at $word is not another sandbox's too"
	has_not "$out" 'wake 1' "a futex at $word wakes no other sandbox"
done

# ---- threads that have ended idle on the host: processes that had many once do not add up
timeout -k 1 $LIMIT "$lbx" --mem 512M --procs 100 --timeout 30 "$build/selftests/enemy/idle_threads" 8 80 >"$tmp/out" 2>"$tmp/err" &
pid=$!
started "$tmp/out"
sleep 0.3
threads=0
for p in $(children_of $(children_of $pid | head -1)); do
	threads=$((threads + $(ls "/proc/$p/task" 2>/dev/null | wc -l)))
done
kill -TERM $pid
wait $pid 2>/dev/null
has "$(cat "$tmp/out")" done 'idle threads: all its processes had some'
# 100 tasks, as many that idle, and the first threads of processes, which come in any case
[ "$threads" -gt 100 ] && [ "$threads" -le 264 ]
is $? 0 "idle threads: $threads on the host with --procs 100"

# ---- what is counted by user is not used up. Root's processes are not counted.
"$lbx" --verbose true 2>&1 | grep -q 'no user namespace' && alone=1
if [ -n "$alone" ]; then
	skip 'timers are bounded' 'no user namespace here: they are the user'"'"'s, counted with all others'
	skip 'host processes are bounded' 'no user namespace here'
else
	run --procs 100 "$probe" "$gate" timers
	is "$out" "made $((2 * (2 * 100 + 64))), then -11" 'timers are bounded'
	if [ "$(id -u)" = 0 ]; then
		skip 'host processes are bounded' 'root: the kernel counts its processes, and lets it have more'
	else
		run --procs 100 "$probe" "$gate" fork
		is "$(echo "$out" | sed 's/made \([0-9]*\), then -11/\1/')" "$(echo "$out" | awk '$2 >= 200 && $2 < 264 { sub(",", "", $2); print $2 }')" \
			'host processes are bounded'
		has "$out" 'then -11' 'host processes: the next is EAGAIN'
	fi
fi
done_testing
