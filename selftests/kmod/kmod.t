#!/bin/bash
# SPDX-License-Identifier: MIT
# litebox.ko in a machine: loaded, all its tests, nothing left of them, unloaded; then again and again.
nr=0 bad=0
ok() { # status name
	nr=$((nr + 1))
	if [ "$1" = 0 ]; then echo "ok $nr - $2"; else echo "not ok $nr - $2${3:+ # $3}"; bad=1; fi
}
counters() { tr '\n' ' ' <"$debug/litebox/counters"; }
clean='sandboxes 0 processes 0 cpus 0 handles 0 '
# What RCU and workers free goes a moment later.
settled() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(counters)" = "$clean" ] && return 0
		sleep 0.2
	done
	return 1
}

debug=/sys/kernel/debug
mountpoint -q $debug || mount -t debugfs none $debug
dmesg -C
insmod "$LBX_BUILD/kmod/litebox.ko"; ok $? insmod
[ -c /dev/litebox ]; ok $? "the device is there"
for t in device calls upcall members; do
	while read -r result rest; do
		case $result in
		ok) ok 0 "$t: ${rest#* - }";;
		not) ok 1 "$t: ${rest#* - }";;
		Bail) ok 1 "$t: $rest";;
		1..*) plan=$result;;
		esac
	done < <(timeout 120 "$LBX_BUILD/selftests/kmod/$t"; echo "status $?")
	[ -n "$plan" ]; ok $? "$t: came to its end"
	plan=
	settled; ok $? "$t: nothing is left" "$(counters)"
done
exec 9<>/dev/litebox
rmmod litebox 2>/dev/null && r=1 || r=0; ok $r "no unload while the device is open"
exec 9>&-
for _ in 1 2 3 4 5; do
	rmmod litebox && insmod "$LBX_BUILD/kmod/litebox.ko" || { r=1; break; }
	timeout 60 "$LBX_BUILD/selftests/kmod/upcall" >/dev/null || r=1
done
ok $r "unloaded and loaded again, five times"
rmmod litebox; ok $? rmmod
bad_lines=$(dmesg | grep -E 'BUG|WARNING|Oops|leak|RIP:|hung|stall|refcount|litebox: [^lm]')
[ -z "$bad_lines" ]; ok $? "the kernel's log is clean" "$(echo "$bad_lines" | head -n 3 | tr '\n' ' ')"
echo "1..$nr"
exit $bad
