# SPDX-License-Identifier: MIT
# For the tests of lbx-exec: sourced.
. selftests/vm/tap.sh

build=$(readlink -f "${LBX_BUILD:-build}")
tmp=${TMPDIR:-/tmp}/exec.$$
lbx=$build/lbx-exec
mkdir -p "$tmp/work"
trap '[ $BASHPID != $$ ] || rm -rf "$tmp"' EXIT
cd "$tmp/work" || exit 1

# EXEC_BARE: where no namespace is allowed, as in most containers: only the filter holds, and the end is up to the reaper alone
if [ -n "$EXEC_BARE" ]; then
	cat >"$tmp/bare" <<-END
	#!/bin/sh
	exec unshare -U -r sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all "\$@"' sh "$lbx" "\$@"
	END
	chmod 755 "$tmp/bare"
	if unshare -U -r true 2>/dev/null; then
		lbx=$tmp/bare
		case $(timeout 10 "$lbx" --verbose true 2>&1) in
		*'no PID namespace here'*) ;;
		*) echo "Bail out! namespaces are allowed where they should not be"; exit 1;;
		esac
	fi
fi

# Seconds after which something hangs.
LIMIT=${LIMIT:-60}

# run ARGUMENT... - $out, $err, $status of lbx-exec, which never hangs the test
run() {
	timeout -k 1 $LIMIT "$lbx" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}

# Processes are found by the tree below the lbx-exec that a test started.
children_of() { # pid...: all below them
	ps -eo pid=,ppid= | awk -v roots="$*" '
		BEGIN { n = split(roots, r, " "); for (i = 1; i <= n; i++) in_set[r[i]] = 1 }
		{ pid[NR] = $1; parent[NR] = $2 }
		END {
			do {
				changed = 0
				for (i = 1; i <= NR; i++)
					if (in_set[parent[i]] && !in_set[pid[i]]) { in_set[pid[i]] = changed = 1; print pid[i] }
			} while (changed)
		}'
}

# alive PID... - those that still are (a zombie is not)
alive() {
	for p in "$@"; do
		state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$p/status" 2>/dev/null)
		case $state in '' | Z | X) ;; *) echo "$p";; esac
	done
}

# gone_soon PID... - all of them within 10 seconds. Return: 0 yes
gone_soon() {
	for _ in $(seq 100); do
		[ -z "$(alive "$@")" ] && return 0
		sleep 0.1
	done
	return 1
}

# started FILE - wait until the program inside has written it
started() {
	for _ in $(seq 300); do
		[ -s "$1" ] && return 0
		sleep 0.1
	done
	return 1
}
