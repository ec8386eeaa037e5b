#!/bin/bash
# SPDX-License-Identifier: MIT
# A host process of the sandbox is killed at random moments: it never hangs and never leaks. KILLS: how often.
. selftests/exec/lib.sh

kills=${KILLS:-60}
hung=0 left=0 done_first=0
# forks, execs, pipes, threads of the shell's pipelines: locks are held at most moments
program='while :; do (echo a | cat | cat; ls /usr) >/dev/null & wait; done'

for i in $(seq "$kills"); do
	"$lbx" sh -c "$program" >"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	sleep "0.$(printf '%03d' $((RANDOM % 400)))"
	below=$(children_of $pid)
	# the reaper is the first; the broker and it are killed in life.t
	victims=$(echo "$below" | tail -n +2)
	n=$(echo "$victims" | wc -w)
	if [ "$n" = 0 ]; then
		kill -KILL $pid
	else
		kill -KILL "$(echo "$victims" | sed -n "$((RANDOM % n + 1))p")" 2>/dev/null || {
			# it had ended by itself
			done_first=$((done_first + 1))
			kill -TERM $pid
		}
		gone_soon $pid || { hung=$((hung + 1)); echo "# round $i hangs"; kill -KILL $pid; }
	fi
	wait $pid 2>/dev/null
	gone_soon $below || { left=$((left + 1)); echo "# round $i leaves $(alive $below)"; }
done
echo "# $kills rounds, $done_first of them too late"
is "$hung" 0 "random deaths: no hang"
is "$left" 0 "random deaths: nothing is left"
run true
is "$status" 0 'others run as before'
done_testing
