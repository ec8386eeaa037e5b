# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tests here: runs a piece of shell natively and in the sandbox
# and compares what it prints, its exit status and the files it leaves.
#
#   LBX_EXEC  the sandbox's command (default: build/lbx-exec)
#   LBX_OPTS  its options (default: --uid and --gid of the caller)
#   PROGRAMS_SELF=1  native against native: is the test itself steady?
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
lbx=${LBX_EXEC:-${O:-$top/build}/lbx-exec}
case $lbx in */*) lbx=$(realpath -m "$lbx") ;; esac
opts=${LBX_OPTS-"--uid $(id -u) --gid $(id -g)"}
test_nr=0
test_failed=0

tmp=$(mktemp -d "${TMPDIR:-/tmp}/programs.XXXXXX") || exit 1
chmod 755 "$tmp"
trap 'chmod -R u+rwx "$tmp" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

# What each piece of shell starts with: the sandbox cleans the environment, so both sides are given one.
prelude='export HOME="$PWD" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C TZ=UTC TERM=dumb; umask 022; '

result() # GOOD NAME [REASON]
{
	test_nr=$((test_nr + 1))
	if [ "$1" = 1 ]; then
		echo "ok $test_nr - $2"
	else
		test_failed=$((test_failed + 1))
		echo "not ok $test_nr - $2 # $(printf %s "${3:-}" | tr '#\n' '  ')"
	fi
}

skip() # NAME WHY
{
	test_nr=$((test_nr + 1))
	echo "ok $test_nr - $1 # SKIP $2"
}

# need PROGRAM PACKAGE NAME: false, and a skipped test, when PROGRAM is not on this machine
need()
{
	[ -x "$(PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin command -v "$1")" ] && return
	skip "$3" "$1 is missing: package $2"
	return 1
}

finish()
{
	echo "1..$test_nr"
	[ "$test_failed" = 0 ]
	exit
}

# The files in the working directory, said after a line of its own: type, mode, name, target, content; no times.
manifest='echo "=== files"; find . -mindepth 1 -printf "%y %m %p %l\n" | LC_ALL=C sort; find . -type f -exec sha256sum {} + | LC_ALL=C sort -k2'

show_diff() # NAME WHAT FILE1 FILE2
{
	echo "# $1: $2 (- native, + inside):"
	diff -u "$3" "$4" | tail -n +3 | cut -c1-200 | head -30 | sed 's/^/#   /'
}

run_side() # SIDE SECONDS SHELL TEXT
{
	local side=$1 seconds=$2 shell=$3 text=$4 work=$tmp/work

	rm -rf "$work" && mkdir "$work" || exit 1
	if [ "$(type -t setup)" = function ]; then
		(cd "$work" && setup) >"$tmp/setup.log" 2>&1 || { echo "Bail out! setup: $(tail -1 "$tmp/setup.log")"; exit 1; }
	fi
	local outer="$prelude"'"$0" -c "$1"; s=$?; '"$manifest; exit \$s"

	# The braces swallow this shell's own word that a job was killed.
	if [ "$side" = native ] || [ -n "${PROGRAMS_SELF:-}" ]; then
		{ (cd "$work" && exec timeout -k 5 "$seconds" env -i sh -c "$outer" "$shell" "$text") \
			<"${stdin:-/dev/null}" >"$tmp/$side.out" 2>"$tmp/$side.err"; } 2>/dev/null
	else
		# shellcheck disable=SC2086
		{ (cd "$work" && exec timeout -k 5 "$((seconds * 3))" "$lbx" $opts ${rw:+--bind "$work:$work:rw"} -- \
			sh -c "$outer" "$shell" "$text") <"${stdin:-/dev/null}" >"$tmp/$side.out" \
			2>"$tmp/$side.err"; } 2>/dev/null
	fi
	echo $? >"$tmp/$side.status"
	sed -n '/^=== files$/,$p' "$tmp/$side.out" >"$tmp/$side.files"
	sed '/^=== files$/,$d' "$tmp/$side.out" >"$tmp/x" && mv "$tmp/x" "$tmp/$side.out"
	if [ -n "${rw:-}" ]; then	# what came to the host's directory
		(cd "$work" && eval "$manifest") >>"$tmp/$side.files"
	fi
	if [ -n "${filter:-}" ]; then
		sed -E "$filter" "$tmp/$side.out" >"$tmp/x" && mv "$tmp/x" "$tmp/$side.out"
		sed -E "$filter" "$tmp/$side.err" >"$tmp/x" && mv "$tmp/x" "$tmp/$side.err"
	fi
	[ -z "${ignore_files:-}" ] || { grep -vE -- "$ignore_files" "$tmp/$side.files" >"$tmp/x"; mv "$tmp/x" "$tmp/$side.files"; }
}

# same NAME SECONDS SHELL TEXT: one test. Natively it must end with status 0 (or $want) and print something.
# The sandbox starts in the default view, where changes stay in memory; with rw=1 the directory is the host's own.
# Variables: stdin (a file), rw, filter (sed -E, for both outputs), ignore_files (grep -E), want (native status).
same()
{
	local name=$1 good=1 why='' what

	if [ -z "${PROGRAMS_SELF:-}" ] && ! command -v "$lbx" >/dev/null; then
		result 0 "$name" "$lbx is not there: build it, or set LBX_EXEC"
		return
	fi
	run_side native "$2" "$3" "$4"
	if [ "$(cat "$tmp/native.status")" != "${want:-0}" ] || ! [ -s "$tmp/native.out" ]; then
		sed 's/^/#   /' "$tmp/native.err" | tail -5
		result 0 "$name" "natively: status $(cat "$tmp/native.status"), $(wc -c <"$tmp/native.out") bytes"
		return
	fi
	run_side inside "$2" "$3" "$4"
	for what in status out err files; do
		cmp -s "$tmp/native.$what" "$tmp/inside.$what" && continue
		good=0
		why="$why $what"
		show_diff "$name" "$what" "$tmp/native.$what" "$tmp/inside.$what"
	done
	result "$good" "$name" "differs in:$why"
}
