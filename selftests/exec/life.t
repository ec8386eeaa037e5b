#!/bin/bash
# SPDX-License-Identifier: MIT
# The end of a sandbox, whatever brings it: nothing hangs, and no process stays.
. selftests/exec/lib.sh

# exec, since dash -c catches SIGINT and waits on, natively too. A sandbox with several processes, one of them running, that would go on for a long time.
PROGRAM='sleep 300 & (while :; do :; done) & echo up >up; exec sleep 300'

# begin [ARGUMENT...] - $lbx in the background as $pid, its processes in $below
begin() {
	mkdir -p "$tmp/rw"; rm -f "$tmp/rw/up"
	# what a shell starts in the background ignores INT and QUIT otherwise
	env --default-signal=INT,QUIT "$lbx" --bind "$tmp/rw:/rw:rw" "$@" sh -c "cd /rw; $PROGRAM" >"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	started "$tmp/rw/up" || return 1
	sleep 0.5	# its last command has been started then
	below=$(children_of $pid)
}

# ended WHAT WANTED-STATUS - wait for $pid, then for all below it
ended() {
	gone_soon $pid || kill -KILL $pid
	wait $pid 2>/dev/null
	got=$?
	is "$got" "$2" "$1: status"
	gone_soon $below
	is "$(alive $below)" '' "$1: nothing is left"
}

for sig in TERM INT HUP QUIT; do
	begin
	[ "$(echo "$below" | wc -l)" -ge 3 ]; is $? 0 "SIG$sig: there are processes to end"
	kill -$sig $pid
	ended "SIG$sig to lbx-exec" $((128 + $(kill -l $sig)))
done

# they are the program's: it may say what happens then
"$lbx" --bind "$tmp/rw:/rw:rw" sh -c 'trap "echo term; exit 9" TERM; echo up >/rw/trap; while :; do sleep 0.1; done' >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
started "$tmp/rw/trap"; below=$(children_of $pid)
kill -TERM $pid
ended 'SIGTERM that the program handles' 9
is "$(cat "$tmp/out")" term 'SIGTERM that the program handles: it did'
rm -f "$tmp/rw/trap"
"$lbx" --bind "$tmp/rw:/rw:rw" sh -c 'trap "" TERM; echo up >/rw/trap; sleep 2; echo survived' >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
started "$tmp/rw/trap"; below=$(children_of $pid)
kill -TERM $pid
ended 'SIGTERM that the program ignores' 0
is "$(cat "$tmp/out")" survived 'SIGTERM that the program ignores: it went on'

begin; kill -KILL $pid
ended 'SIGKILL to lbx-exec' 137

begin; reaper=$(ps -eo pid=,ppid= | awk -v p=$pid '$2 == p { print $1; exit }')
kill -KILL "$reaper"
ended 'SIGKILL to the reaper' 137
has "$(cat "$tmp/err")" 'reaper was killed by signal 9' 'SIGKILL to the reaper: a line says so'

for round in 1 2 3 4 5 6; do
	begin
	hosts=$(echo "$below" | tail -n +2)
	victim=$(echo "$hosts" | sed -n "$((RANDOM % $(echo "$hosts" | wc -l) + 1))p")
	kill -KILL "$victim"
	ended "SIGKILL to a host process ($round)" 137
	has "$(cat "$tmp/err")" 'a host process of the sandbox was killed by signal 9' "SIGKILL to a host process ($round): a line says so"
done

begin --timeout 3; ended '--timeout' 124

run --time 1 sh -c 'while :; do :; done'
is "$status" 152 '--time'
has "$err" 'its 1 seconds of processor time' '--time: a line says so'

# the program ends, and processes of it stay behind
run sh -c 'sleep 300 & (trap "" TERM HUP; exec sleep 300) & (while :; do :; done) & exit 4'
is "$status" 4 'the first program ends: the sandbox does'

# the reader of its output goes: SIGPIPE, as for any program. A pipe that does not block (dd makes it so) is relayed
for flag in append nonblock; do
	{ dd if=/dev/null oflag=$flag status=none; timeout -k 1 $LIMIT "$lbx" yes; echo $? >"$tmp/status"; } 2>"$tmp/err" | head -c 1 >/dev/null
	is "$(cat "$tmp/status")" 141 "nobody reads a pipe ($flag)"
done

# stopped and continued from outside; in a group of its own, with this shell to continue it
set -m; begin; set +m
kill -TSTP $pid
for _ in $(seq 50); do
	running=$(for p in $pid $below; do sed -n 's/^State:[[:space:]]*\([RSD]\).*/\1/p' "/proc/$p/status"; done | wc -l)
	[ "$running" -le 1 ] && break
	sleep 0.1
done
is "$running" 1 'SIGTSTP stops lbx-exec and the sandbox, all but the reaper'
kill -CONT $pid
for _ in $(seq 50); do
	stopped=$(for p in $pid $below; do sed -n 's/^State:[[:space:]]*\([T]\).*/\1/p' "/proc/$p/status"; done | wc -l)
	[ "$stopped" = 0 ] && break
	sleep 0.1
done
is "$stopped" 0 'SIGCONT lets all go on'
kill -TERM $pid
ended 'after it was stopped' 143
# nobody could continue it: nothing stops
begin; kill -TSTP $pid; sleep 1
is "$(for p in $pid $below; do sed -n 's/^State:[[:space:]]*\([T]\).*/\1/p' "/proc/$p/status"; done)" '' 'SIGTSTP in an orphaned group does not stop'
kill -TERM $pid
ended 'SIGTSTP in an orphaned group' 143
begin; kill -STOP $pid; kill -KILL $pid
ended 'SIGKILL while stopped' 137

# many at once, killed at random moments of their start
for i in $(seq 40); do
	"$lbx" sh -c 'sleep 300 & sleep 300' >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep "0.0$((RANDOM % 10))"
	below=$(children_of $pid)
	kill -KILL $pid
	wait $pid 2>/dev/null
	gone_soon $below || { echo "# $(alive $below) of $i stay"; bad=1; }
done
is "${bad:-0}" 0 'killed at 40 moments of the start: nothing is left'

# a terminal that belongs to another job must not stop a sandbox that does not read
if command -v script >/dev/null; then
	# script(1) types a NUL at the end of its input, which is echoed when it comes in time
	is "$(timeout -k 1 $LIMIT script -qec "$lbx echo terminal" /dev/null </dev/null | tr -d '\r' | sed 's/[\^]@//g')" terminal 'on a terminal'
	timeout -k 1 $LIMIT script -qec "bash -mc '$lbx sh -c \"exit 6\" & wait \$!'" /dev/null </dev/null >/dev/null
	is $? 6 'in the background of a terminal'
	before=$(script -qec 'stty -g' /dev/null </dev/null)
	after=$(timeout -k 1 $LIMIT script -qec "$lbx true; stty -g" /dev/null </dev/null)
	has "$after" "$before" 'the terminal is as it was'
	out=$( (sleep 1.5; printf '\003') | timeout -k 1 $LIMIT script -qec "$lbx sleep 100; echo status \$?; stty -g" /dev/null | tr -d '\r')
	has "$out" 'status 130' 'Ctrl-C'
	has "$out" "$(echo "$before" | tr -d '\r')" 'Ctrl-C: the terminal is as it was'
	out=$(timeout -k 1 $LIMIT script -qec "$lbx --timeout 1 sleep 100; stty -g" /dev/null </dev/null | tr -d '\r')
	has "$out" "$(echo "$before" | tr -d '\r')" 'time is over: the terminal is as it was'
else
	skip 'terminals' 'no script(1)'
fi

is "$(setsid "$lbx" sh -c 'echo none' </dev/null 2>/dev/null)" none 'without a controlling terminal'
# as cron and systemd start it: an environment of nothing, / as the directory
is "$(cd / && env -i "$lbx" sh -c 'echo "$HOME"' </dev/null 2>/dev/null | cut -c1)" / 'with an empty environment, in /'
done_testing
