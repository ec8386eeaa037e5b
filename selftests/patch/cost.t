#!/bin/bash
# SPDX-License-Identifier: MIT
# DESIGN.md section 7: getpid through a patched site takes at most 100 instructions. Counted one by one in the machine.
. selftests/vm/tap.sh

build=${LBX_BUILD:-build}
count=$(timeout -k 1 280 tools/lbx-vm --icount -- sh -c "$build/selftests/patch/cost; $build/lbx-exec -- $build/selftests/patch/cost" 2>&1)
read -r native _ <<<"$(sed -n 1p <<<"$count")"
read -r inside _ <<<"$(sed -n 2p <<<"$count")"
case $inside in
'' | *[!0-9]*) not_ok 'getpid through a patched site: at most 100 instructions' "$count";;
*)	echo "# $inside instructions; $native natively, in the machine"
	[ "$inside" -gt 20 ] && [ "$inside" -le 100 ] && ok 'getpid through a patched site: at most 100 instructions' ||
		not_ok 'getpid through a patched site: at most 100 instructions' "$inside";;
esac
done_testing
