#!/bin/bash
# SPDX-License-Identifier: MIT
# --help, the manual page and the completions name the same options.
top=$PWD
. selftests/exec/lib.sh

options=$("$lbx" --help | grep -oE '^ +--.*' | grep -oE -- '--[a-z][a-z-]*' | sort -u)
[ "$(echo "$options" | wc -l)" -ge 28 ]; is $? 0 '--help lists the options'

# wrong TEXT OPTION-LIST - options that only one of them has
differ() { comm -3 <(echo "$1" | sort -u) <(echo "$options") | tr -d '\t' | tr '\n' ' '; }

is "$(differ "$(sed 's/\\-/-/g' "$top/doc/lbx-exec.1" | sed -n '/^.SH OPTIONS/,/^.SH STANDARD/p' | grep -oE -- '--[a-z][a-z-]*')")" '' \
	'the manual page has them all'
is "$(differ "$(grep -oE "^[^:]*" "$top/tools/completions/fish/lbx-exec.fish" | sed -n 's/.* -l \([a-z-]*\).*/--\1/p')")" '' 'fish'
is "$(differ "$(sed -n "s/^[[:space:]]*'\*\{0,1\}\(--[a-z-]*[a-z]\).*/\1/p" "$top/tools/completions/zsh/_lbx-exec")")" '' 'zsh'
. "$top/tools/completions/bash/lbx-exec"
COMP_WORDS=(lbx-exec --); COMP_CWORD=1; _lbx_exec
is "$(differ "$(printf '%s\n' "${COMPREPLY[@]}" | sed 's/=$//' | grep -vxe --)")" '' 'bash'
COMP_WORDS=(lbx-exec --south ''); COMP_CWORD=2; _lbx_exec
is "${COMPREPLY[*]}" 'auto host' 'bash completes a value'
touch unique-name
COMP_WORDS=(lbx-exec --mem 5M cat uniq); COMP_CWORD=4; _lbx_exec
is "${COMPREPLY[*]}" unique-name 'bash completes arguments of the program'
for option in $options; do
	case $option in --help | --version) continue;; esac
	"$lbx" "$option" 2>&1 </dev/null | grep -q 'unrecognized' && bad="$bad $option"
done
is "$bad" '' 'lbx-exec knows them'
if command -v groff >/dev/null; then
	is "$(groff -man -ww -z -Tutf8 "$top/doc/lbx-exec.1" 2>&1)" '' 'the manual page is clean'
else
	skip 'the manual page is clean' 'no groff'
fi
done_testing
