#!/bin/bash
# SPDX-License-Identifier: MIT
# What the caller ignores and blocks is ignored and blocked inside, as after exec: whatever started this test.
. selftests/exec/lib.sh

inherit=$build/selftests/exec/inherit
[ -x "$inherit" ] || { echo "Bail out! $inherit is not built"; exit 1; }
sets="grep -E ^Sig(Ign|Blk|Cgt) /proc/self/status"

# same NAME [iN|bN]... - /proc/self/status of a program says the same natively and inside
same() {
	name=$1; shift
	native=$("$inherit" "$@" -- $sets)
	is "$(timeout -k 1 $LIMIT "$inherit" "$@" -- "$lbx" $sets </dev/null)" "$native" "$name"
}

same 'nothing'
same 'SIGHUP, as nohup leaves it' i1
same 'SIGPIPE, as Python leaves it' i13
same 'signal 32, which libc hides' i32
same 'SIGHUP, SIGPIPE, 32 and 33' i1 i13 i32 i33
same 'SIGCHLD, whose death notes lbx-exec itself needs' i17
same 'SIGINT and SIGQUIT, as in the background' i2 i3
same 'blocked: TERM, 32, 33, 64' b15 b32 b33 b64
same 'ignored and blocked' i10 b10 i15 b15 i20 b2
same 'all that can be' $(seq -f i%g 1 8) $(seq -f i%g 10 18) $(seq -f i%g 20 64) $(seq -f b%g 1 64)
# the names of the signals, not only what both might have wrong
is "$(timeout -k 1 $LIMIT "$inherit" i1 i13 i32 b33 b15 -- "$lbx" $sets </dev/null | grep -v SigCgt | tr -d '\t' | tr '\n' ' ')" \
	'SigBlk:0000000100004000 SigIgn:0000000080001001 ' 'the right ones'

if [ -z "$EXEC_BARE" ]; then
	for set in '' 'i32' 'i1 i13 i32' 'i17 b17 b32'; do
		"$inherit" $set -- timeout -k 1 120 bash "$LBX_TOP/selftests/conform/run" process_exec >"$tmp/tap" 2>"$tmp/err"
		grep '^not ok' "$tmp/tap" | grep -v 'execveat.memfd' >"$tmp/bad"
		is "$(cat "$tmp/bad")$(grep -c '^ok.*survives' "$tmp/tap")" 2 "conform/process_exec, started with '${set:-nothing}'"
	done
fi

# go PROGRAM-TEXT [iN|bN]... - in the background as $pid, once it is up
go() {
	mkdir -p "$tmp/rw"; rm -f "$tmp/rw/up"
	text=$1; shift
	"$inherit" "$@" -- "$lbx" --bind "$tmp/rw:/rw:rw" /usr/bin/python3 -c "$text" >"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	started "$tmp/rw/up"
}

go 'import time; open("/rw/up", "w").write("up"); time.sleep(2); print("lived")' i1
kill -HUP $pid; wait $pid
is "$? $(cat "$tmp/out")" '0 lived' 'an ignored SIGHUP ends neither the program nor lbx-exec'
go 'import signal, time
def on(s, f): print("handled"); raise SystemExit(4)
signal.signal(signal.SIGHUP, on); open("/rw/up", "w").write("up"); time.sleep(20)' i1
kill -HUP $pid; wait $pid
is "$? $(cat "$tmp/out")" '4 handled' 'one that the program has a handler for after all reaches it'
go 'import signal, time
open("/rw/up", "w").write("up"); time.sleep(1); print(sorted(signal.sigpending()), flush=True); signal.pthread_sigmask(signal.SIG_SETMASK, []); time.sleep(20)' b15
kill -TERM $pid; wait $pid
is "$? $(cat "$tmp/out")" "143 [<Signals.SIGTERM: 15>]" 'a blocked SIGTERM waits until the program unblocks it'
go 'import time; open("/rw/up", "w").write("up"); time.sleep(2); print("went on")' i20
kill -TSTP $pid; wait $pid
is "$? $(cat "$tmp/out")" '0 went on' 'an ignored SIGTSTP stops nothing'
(trap '' PIPE; exec timeout -k 1 $LIMIT "$lbx" sh -c 'yes; echo "status $?" >&2' 2>"$tmp/err") | head -1 >/dev/null
has "$(cat "$tmp/err")" 'Broken pipe' 'an ignored SIGPIPE: EPIPE inside'
timeout -k 1 $LIMIT nohup "$lbx" sh -c 'kill -HUP $$; echo still here' >"$tmp/out" 2>&1 </dev/null
is "$(tail -1 "$tmp/out")" 'still here' 'nohup lbx-exec'
done_testing
