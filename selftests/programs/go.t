#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs written in Go: Debian's fzf; and, where a Go compiler is, one that works the runtime hard.
. "$(dirname "$0")/lib.sh"

if need fzf fzf "go: fzf"; then
	same "go: fzf" 30 sh 'seq 50000 | fzf --filter 4242 | head -5; seq 100000 | fzf --filter "99\$" | sort -n | md5sum; printf "%s\n" alpha beta gamma | fzf -f "^b"; fzf --version | cut -d. -f1; echo none | fzf -f zzz; echo "status $?"'
fi

go=$(PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin command -v go)
if [ -z "$go" ]; then
	skip "go: runtime" "no Go compiler: package golang-go"
	finish
fi
# Building takes Go's whole library along, so the result is kept beside what make builds.
prog=$(realpath -m "${O:-$top/build}")/selftests/programs/goprog
mkdir -p "$(dirname "$prog")" 2>/dev/null
if ! [ "$prog" -nt "$here/runtime.go" ]; then
	[ -w "$(dirname "$prog")" ] || prog=$tmp/goprog
	(cd "$tmp" && HOME=$tmp GOCACHE=$tmp/gocache GO111MODULE=off CGO_ENABLED=0 \
		"$go" build -o "$prog" "$here/runtime.go") >"$tmp/log" 2>&1 || { echo "Bail out! $(tail -1 "$tmp/log")"; exit 1; }
fi
setup() { cp "$prog" prog; }
want=4 same "go: runtime" 60 sh ./prog
finish
