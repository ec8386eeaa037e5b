#!/bin/bash
# SPDX-License-Identifier: MIT
# Patched call sites: each test of patch.c says the same natively, inside, and inside without patching; and traps become few.
top=$PWD
. selftests/exec/lib.sh

bin=$build/selftests/patch

# counter NAME: of the last run with --stats --json
counter() {
	sed -n 's/^{"machine":"'"$1"'","count":\([0-9]*\)}$/\1/p' "$tmp/err"
}

# between LOW HIGH NAME COUNTER
between() {
	value=$(counter "$4")
	if [ -n "$value" ] && [ "$value" -ge "$1" ] && [ "$value" -le "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "$4: ${value:-not printed}, not from $1 to $2"
	fi
}

# same PROGRAM TEST
same() {
	native=$(timeout -k 1 $LIMIT "$1" "$2" </dev/null)
	native_status=$?
	run --stats --json "$1" "$2"
	if [ "$status" = "$native_status" ] && [ "$out" = "$native" ]; then
		ok "$2 (${1##*/})"
	else
		not_ok "$2 (${1##*/})" "status $status, natively $native_status; $(diff <(echo "$native") <(echo "$out") | grep '^[<>]' | head -3 | tr '\n' ';') $err"
	fi
}

for t in shapes middle signals threads cancel text toggle jit forks flags many; do
	for program in patch patch_static; do
		same "$bin/$program" $t
		# start-up makes some 20 traps, exec as many again
		case $t in
		shapes) between 20 200 "shapes: a site traps once" traps
			between 10 100 "shapes: sites are patched" 'patched sites';;
		middle) between 1 200 "middle: the bytes of a jump trap" 'faults in the middle of a patch';;
		threads) between 250 320 "threads: each site is patched once" 'patched sites'
			between 256 1400 "threads: at most a trap each" traps;;
		jit)	between 30 120 "jit: what a program makes keeps trapping" traps
			between 10 60 "jit: nothing of it is patched" 'patched sites';;
		many)	between 100 256 "many: the pages are bounded" 'pages of patched text';;
		esac
	done
	run --no-patch --stats --json "$bin/patch" $t
	[ "$status" = 0 ] && ok "$t without patching" || not_ok "$t without patching" "status $status; $err"
	[ "$t" = shapes ] && between 0 0 '--no-patch: nothing is patched' 'patched sites'
done

for t in sealed wild; do
	run "$bin/patch" $t
	[ "$status" = 0 ] && ok "$t" || not_ok "$t" "status $status; $(echo "$out" | grep wrong | head -3) $err"
done

# An image that lies where cells and stubs would: it runs unpatched
same "$bin/patch_low" shapes
between 0 0 'low memory in use: nothing is patched' 'patched sites'
between 400 2000 'low memory in use: each call traps' traps

# One process finds, the next ones have it with their first trap on a page
script='i=0; while [ $i -lt N ]; do /bin/true; i=$((i+1)); done'
run --stats --json sh -c "${script/N/1}"
one=$(counter traps) sites=$(counter 'patched sites') pages=$(counter 'pages of patched text')
run --stats --json sh -c "${script/N/41}"
each=$((($(counter traps) - one) / 40))
[ "$each" -gt 0 ] && [ "$each" -le 10 ] && ok 'an exec traps once a page' || not_ok 'an exec traps once a page' "$each traps each"
[ "$(counter 'patched sites')" -le $((sites + 2)) ] && [ "$(counter 'pages of patched text')" -le $((pages + 2)) ] &&
	ok '40 more processes: no more sites, no more pages' ||
	not_ok '40 more processes: no more sites, no more pages' "$sites and $pages, then $(counter 'patched sites') and $(counter 'pages of patched text')"

# musl compares the interrupted RIP with its own labels
if command -v musl-gcc >/dev/null; then
	musl-gcc -O1 -static -D_GNU_SOURCE -o "$tmp/cancel" "$top/selftests/patch/cancel.c" 2>"$tmp/err" &&
		same "$tmp/cancel" musl || not_ok 'musl (cancel)' "$(cat "$tmp/err")"
else
	skip 'musl (cancel)' 'musl-gcc is missing: package musl-tools'
fi

done_testing
