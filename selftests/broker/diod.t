#!/bin/sh
# SPDX-License-Identifier: MIT
# Somebody else's client: diod's diodls and diodcat read what the broker serves.
O=${O:-build}
export PATH="$PATH:/usr/sbin:/sbin"
if ! command -v diodcat >/dev/null; then
	echo "1..0 # SKIP diodcat is not there (package diod)"
	exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

check() { # NAME: ok when the status before was 0
	[ $? = 0 ] && s=ok || s="not ok"
	n=$((n + 1))
	echo "$s $n - $1"
	[ "$s" = ok ] || sed 's/^/# /' "$dir/err"
}

mkdir "$dir/tree" "$dir/tree/sub"
i=0
while [ $i -lt 300 ]; do
	: >"$dir/tree/sub/a-name-of-some-length-$i"
	i=$((i + 1))
done
head -c 1000000 /dev/urandom >"$dir/tree/big"
echo hello >"$dir/tree/sub/file"
mkfifo "$dir/tree/fifo"

serve() {
	"$O/selftests/broker/serve" "$dir/sock" "tree=$dir/tree" -- "$@" 2>"$dir/err"
	ret=$?
	rm -f "$dir/sock"
	return $ret
}

serve diodcat -s "$dir/sock" -a tree sub/file >"$dir/out" && [ "$(cat "$dir/out")" = hello ]
check "diodcat of a small file"
serve diodcat -s "$dir/sock" -a tree big >"$dir/out" && cmp -s "$dir/out" "$dir/tree/big"
check "diodcat of a megabyte"
serve diodcat -m 4120 -s "$dir/sock" -a tree big >"$dir/out" && cmp -s "$dir/out" "$dir/tree/big"
check "with a small msize"
serve diodls -s "$dir/sock" -a tree sub >"$dir/out"
ls "$dir/tree/sub" | sort >"$dir/want"
sort "$dir/out" | cmp -s - "$dir/want"
check "diodls of 300 names"
serve diodls -l -s "$dir/sock" -a tree >"$dir/out" &&
	grep -q '1000000.* big$' "$dir/out" && [ "$(wc -l <"$dir/out")" = 5 ]
check "diodls -l shows sizes"
! serve diodcat -s "$dir/sock" -a tree fifo >"$dir/out" && grep -q 'a FIFO is not opened' "$dir/err"
check "a FIFO is refused"
! serve diodcat -s "$dir/sock" -a tree none >"$dir/out" && grep -q 'No such file' "$dir/err"
check "a missing file is missing"
! serve diodcat -s "$dir/sock" -a other file >"$dir/out"
check "an export that is not there is refused"
echo "1..$n"
