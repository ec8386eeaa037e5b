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

# An emulated machine needs a multiple of the time to come to the attack at all.
slow=${LBX_MODE:+4}

# attack NAME SECONDS [ARGUMENT]: what came of it goes to $res; two words a line, what was seen and what was wanted, then the name
attack() {
	local name=$1${3:+ $3} pid below hung status res=$tmp/result.$1.${3-} seconds=$(($2 + ${slow:-0}))
	"$lbx" --mem 64M --timeout "$seconds" "$enemy" "$gate" "$1" "${3:-$canary}" >"$res.out" 2>"$res.err" </dev/null &
	pid=$!
	below=
	for _ in $(seq 300); do
		below="$below $(children_of $pid)"
		grep -qa begin "$res.out" && break
		[ -n "$(alive $pid)" ] || break
		sleep 0.02
	done
	sleep 0.1
	below="$below $(children_of $pid)"
	for _ in $(seq $(((seconds + 10) * 10))); do
		[ -n "$(alive $pid)" ] || break
		sleep 0.1
	done
	hung=$(alive $pid)
	[ -z "$hung" ] || kill -KILL $pid
	wait $pid 2>/dev/null
	status=$?
	below=$(echo $below | tr ' ' '\n' | sort -u)
	gone_soon $below
	{
		grep -qa begin "$res.out"
		echo "$? 0 $name: it ran"
		echo "${hung:-none} none $name: it came to an end"
		echo "$(alive $below | wc -l) 0 $name: nothing is left"
		case $1 in
		calls) grep -qa 'tried all' "$res.out"; echo "$? 0 $name: it tried them all" ;;
		killgroup) echo "$status 137 $name: the status says so" ;;
		esac
	} >"$res"
}

# attacks "ARGUMENTS of attack"...: side by side, since most of them do nothing until their time is up
attacks() {
	local jobs=() words
	rm -f "$tmp"/result.* /tmp/lbx-enemy-was-here
	for words; do
		attack $words &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	for words; do
		set -- $words
		while read -r got wanted name; do is "$got" "$wanted" "$name"; done <"$tmp/result.$1.${3-}"
	done
	[ -n "$(alive $canary)" ] && [ ! -e /tmp/lbx-enemy-was-here ] && [ "$(cat "$tmp/canary")" = untouched ]
	is $? 0 "nothing outside was touched"
}

attacks 'calls 20' 'int80 10' 'killgroup 10' 'exit 10' 'sigreturn 10' 'unmap 10' 'slots 10'
# handles ends with the time it is given: without its descriptors it cannot say that it would
attacks 'handles 6' 'scribble 4' 'fork 4'
attacks 'rseq 20'
# in a machine once is enough: what it does it does at random, and it is tried outside of one as well
[ -n "$slow" ] || for round in 2 3; do attacks 'scribble 4'; done
# past the gate's first instructions: at each place of its page where code begins
attacks 'gate 4 0x10' 'gate 4 0x18' 'gate 4 0x1a' 'gate 4 0x3c' 'gate 4 0x47' \
	'gate 4 0x71' 'gate 4 0x80' 'gate 4 0x87' 'gate 4 0x100' 'gate 4 0xfff'
run true
is "$status" 0 'other sandboxes run as before'
done_testing
