#!/bin/bash
# SPDX-License-Identifier: MIT
# The library kernel taken over: nothing outside is touched, and every sandbox comes to its end and leaves nothing.
. selftests/exec/lib.sh

gate=$(nm "$build/lbx-host" | sed -n 's/^0*\([0-9a-f]*\) T gate_call$/\1/p')
[ -n "$gate" ] || { echo 'Bail out! lbx-host has no gate_call'; exit 1; }
enemy=$build/selftests/enemy/enemy

# Of this user, and outside: what an enemy would harm.
sleep 1000 >/dev/null 2>&1 & canary=$!
echo untouched >"$tmp/canary"
trap 'kill $canary; [ $BASHPID != $$ ] || rm -rf "$tmp"' EXIT

# attack NAME SECONDS [ARGUMENT]: $status, $seen (what it printed), $below (its host processes)
attack() {
	rm -f /tmp/lbx-enemy-was-here
	"$lbx" --mem 64M --timeout "$2" "$enemy" "$gate" "$1" "${3:-$canary}" >"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	below=
	for _ in $(seq 300); do
		below="$below $(children_of $pid)"
		grep -qa begin "$tmp/out" && break
		[ -n "$(alive $pid)" ] || break
		sleep 0.02
	done
	sleep 0.1
	below="$below $(children_of $pid)"
	for _ in $(seq $((($2 + 10) * 10))); do
		[ -n "$(alive $pid)" ] || break
		sleep 0.1
	done
	hung=$(alive $pid)
	[ -z "$hung" ] || kill -KILL $pid
	wait $pid 2>/dev/null
	status=$?
	below=$(echo $below | tr ' ' '\n' | sort -u)
	seen=$(tr -d '\0' <"$tmp/out" | head -c 2000)
	has "$seen" begin "$1${3:+ $3}: it ran"
	is "$hung" '' "$1${3:+ $3}: it came to an end"
	gone_soon $below
	is "$(alive $below)" '' "$1${3:+ $3}: nothing is left"
	[ -n "$(alive $canary)" ] && [ ! -e /tmp/lbx-enemy-was-here ] && [ "$(cat "$tmp/canary")" = untouched ]
	is $? 0 "$1${3:+ $3}: nothing outside was touched"
}

attack calls 20
has "$seen" 'tried all' 'calls: it tried them all'
attack int80 10
attack killgroup 10
is "$status" 137 'killgroup: the status says so'
attack exit 10
attack sigreturn 10
attack unmap 10
attack slots 10
attack handles 20
for round in 1 2 3; do attack scribble 5; done
attack fork 4
# past the gate's first instructions: at each place of its page where code begins
for offset in 0x10 0x18 0x1a 0x3c 0x47 0x71 0x80 0x87 0x100 0xfff; do
	attack gate 5 "$offset"
done
run true
is "$status" 0 'other sandboxes run as before'
done_testing
