#!/bin/bash
# SPDX-License-Identifier: MIT
# How call sites are read: the decoder against objdump, and for how many sites of this machine's libc and others there is a window.
. selftests/vm/tap.sh

test=${LBX_BUILD:-build}/selftests/patch/site_test

$test | sed -n 's/^\(not ok\|ok\) [0-9]* - /\1 /p' >"${TMPDIR:-/tmp}/site.$$"
while read -r line; do
	case $line in
	ok*) ok "${line#ok }";;
	*) not_ok "${line#not ok }" 'see site_test';;
	esac
done <"${TMPDIR:-/tmp}/site.$$"
rm -f "${TMPDIR:-/tmp}/site.$$"
[ "$tap_count" = 15 ] || not_ok 'site_test' "$tap_count results"

# look FILE PERCENT: windows for at least so many of its sites
look() {
	if [ ! -r "$1" ]; then
		skip "$1" 'not on this machine'
		return
	fi
	dump=$(mktemp)
	objdump -d -w "$1" >"$dump"
	read -r n wrong <<-END
	$($test lengths <"$dump" 2>/dev/null)
	END
	[ "$n" -gt 1000 ] && [ "$wrong" = 0 ] && ok "lengths in $1" || not_ok "lengths in $1" "$wrong of $n differ"
	read -r sites before after both none <<-END
	$(awk '$2 == "0f" && $3 == "05" { sub(":", "", $1); print $1 }' "$dump" | $test windows "$1")
	END
	rm -f "$dump"
	echo "# $1: $sites sites: before $before, after $after, both $both, none $none"
	[ "$sites" -gt 0 ] && [ $((none * 100)) -le $((sites * (100 - $2))) ] && ok "windows in $1" ||
		not_ok "windows in $1" "$none of $sites have none"
}

look "$(ldd /bin/true | sed -n 's/.*libc.so.6 => \([^ ]*\) .*/\1/p')" 99
look /lib64/ld-linux-x86-64.so.2 99
look /lib/ld-musl-x86_64.so.1 97
done_testing
