#!/bin/bash
# SPDX-License-Identifier: MIT
# --mem, --cpus and --procs as a control group, for root and in a group that an ordinary user was given. Needs cgroup v2 and root: run in
# the machine; elsewhere it looks only at what is said where there is none.
. selftests/exec/lib.sh

run --list-souths --verbose; has "$out" 'control group with limits' '--list-souths --verbose tells of it'
run --mem 256M --dry-run true; has "$out" 'by a control group too: ' '--dry-run tells of it'
run --mem 256M --dry-run --json true
[ -n "$(echo "$out" | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["cgroup"])')" ]; is $? 0 'and as JSON'
run --mem 256M true; is "$status$err" 0 'no line without --verbose'

# --cpus holds without a group, too
mkdir "$tmp/rw"
if [ "$(nproc)" -gt 1 ]; then
	"$lbx" --cpus 1 --bind "$tmp/rw:/rw:rw" sh -c 'nproc >/rw/up; exec sleep 300' & pid=$!
	started "$tmp/rw/up"
	sandbox=$(children_of $pid | while read -r p; do [ "$(cat "/proc/$p/comm")" != lbx-reaper ] && echo "$p"; done)
	is "$(for p in $sandbox; do sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$p/status"; done | sort -u | wc -l)" 1 \
		'--cpus 1: all of its processes have the same'
	case $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$(echo "$sandbox" | tail -1)/status") in
	*[-,]* | '') not_ok '--cpus 1: one processor' "$sandbox";;
	*) ok '--cpus 1: one processor';;
	esac
	is "$(cat "$tmp/rw/up")" 1 '--cpus 1: and see one'
	kill -TERM $pid; wait $pid
else
	skip '--cpus 1' 'one processor only'
fi

cg=
# in the machine only: the groups of this host are not ours to change
if [ "$(id -u)" = 0 ] && grep -q 'rdinit=/init .*watchdog_thresh=60' /proc/cmdline; then
	cg=$tmp/cg; mkdir "$cg"
	mount -t cgroup2 none "$cg" 2>/dev/null && grep -q memory "$cg/cgroup.controllers" || { umount "$cg" 2>/dev/null; cg=; }
fi
if [ -z "$cg" ]; then
	run --mem 256M --verbose true
	case $err in
	*'no control group ('*'--mem, --cpus and --procs bind programs'* | *'control group lbx-exec-'*) ok 'a line says so with --verbose';;
	*) not_ok 'a line says so with --verbose' "$err";;
	esac
	skip 'limits' 'no cgroup v2 whose root is ours'
	done_testing
fi
trap 'umount "$cg" 2>/dev/null; rm -rf "$tmp"' EXIT

# look NAME LBX-EXEC... - what the group of a running sandbox says, in $limits; its end in $status
look() {
	mkdir -p "$tmp/rw"; chmod 777 "$tmp/rw"; rm -f "$tmp/rw/up" "$tmp/rw/go"
	"$@" --mem 256M --procs 100 --cpus 1 --verbose --bind "$tmp/rw:/rw:rw" sh -c 'echo up >/rw/up; until [ -e /rw/go ]; do sleep 0.1; done; exit 5' >"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	started "$tmp/rw/up"
	group=$(find "$cg" -type d -name 'lbx-exec-*')
	limits=$(cd "${group:-/nosuch}" 2>/dev/null && cat memory.max pids.max cpu.max | tr '\n' ' ')
	inside=$(wc -l 2>/dev/null <"${group:-/nosuch}/cgroup.procs")
	touch "$tmp/rw/go"
	wait $pid; status=$?
	for _ in $(seq 50); do [ -z "$(find "$cg" -type d -name 'lbx-exec-*')" ] && break; sleep 0.1; done
	left=$(find "$cg" -type d -name 'lbx-exec-*')
}
want="$((288 * 1048576 + 64 * 1048576)) 272 100000 100000 "

look "$lbx"
is "$limits" "$want" 'root: memory, tasks and processor time are limited'
[ "${inside:-0}" -ge 3 ]; is $? 0 'root: the sandbox is in the group'
has "$(cat "$tmp/err")" 'limits for memory, pids, cpu' 'root: a line with --verbose'
is "$status$left" 5 'root: it is gone afterwards'

"$lbx" --mem 256M sleep 100 & pid=$!
for _ in $(seq 50); do [ "$(find "$cg" -type d -name 'lbx-exec-*')" ] && break; sleep 0.1; done
sleep 1; kill -KILL $pid; wait $pid 2>/dev/null
for _ in $(seq 100); do [ -z "$(find "$cg" -type d -name 'lbx-exec-*')" ] && break; sleep 0.1; done
is "$(find "$cg" -type d -name 'lbx-exec-*')" '' 'it is gone when lbx-exec was killed'
mkdir "$cg/lbx-exec-4000000"; run --procs 50 true; [ ! -d "$cg/lbx-exec-4000000" ]; is $? 0 'what an earlier one left behind goes too'

# an ordinary user: nothing of his own
user=litebox-test
if getent passwd $user >/dev/null; then
	# the runner gives each test a directory that is its own alone
	[ "${TMPDIR:-/tmp}" = /tmp ] || chmod 755 "$TMPDIR"
	chmod 755 "$tmp" "$tmp/work"
	as_user() { setpriv --reuid $user --regid $user --init-groups --inh-caps=-all -- "$@"; }
	as_user timeout -k 1 $LIMIT "$lbx" --mem 256M --verbose true 2>"$tmp/err" </dev/null
	is $? 0 'a user without a group: it runs'
	has "$(cat "$tmp/err")" 'Permission denied' 'a user without a group: a line says why'
	# a group that was handed over, with the user in a leaf of it, as systemd does
	echo '+memory +pids +cpu' >"$cg/cgroup.subtree_control"
	mkdir -p "$cg/given/leaf"; echo '+memory +pids +cpu' >"$cg/given/cgroup.subtree_control"
	chown -R $user "$cg/given"
	in_leaf() { (echo $BASHPID >"$cg/given/leaf/cgroup.procs"; exec setpriv --reuid $user --regid $user --init-groups --inh-caps=-all -- "$@"); }
	look in_leaf "$lbx"
	is "$limits" "$want" 'a group that was given: limits'
	is "$status$left" 5 'a group that was given: gone afterwards'
	rmdir "$cg/given/leaf" "$cg/given"
else
	skip 'a user' "no user $user"
fi
done_testing
