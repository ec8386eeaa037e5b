#!/bin/sh
# SPDX-License-Identifier: MIT
# lib/ without any South needs the South interface's symbols, and no others.
O=${O:-build}
allowed='south_exit south_clock south_read south_write south_map south_cpu south_wait south_kick machine pager kprint
	access_ok copy_from_user copy_to_user clear_user copy_from_user_partial copy_to_user_partial strncpy_from_user strnlen_user
	user_load32 user_cmpxchg32 user_xchg32 user_add32 user_or32 user_and32 user_xor32 _GLOBAL_OFFSET_TABLE_'
needed=$(nm -u "$O/lib/lib.o" | awk '{ print $2 }')
echo 1..2
bad=
for symbol in $needed; do
	case " $(echo $allowed) " in *" $symbol "*) ;; *) bad="$bad $symbol" ;; esac
done
if [ -n "$needed" ] && [ -z "$bad" ]; then
	echo "ok 1 - lib/ needs only the South interface"
else
	echo "not ok 1 - lib/ needs only the South interface #$bad"
fi
# vector registers would change what the program has in them
if objdump -d --no-show-raw-insn "$O/lib/lib.o" | grep -qE '%[xyz]mm[0-9]|%st\('; then
	echo "not ok 2 - lib/ uses general registers only"
else
	echo "ok 2 - lib/ uses general registers only"
fi
