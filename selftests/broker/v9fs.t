#!/bin/sh
# SPDX-License-Identifier: MIT
# Linux' own client: mounts what the broker serves (in a machine of its own, as root) and works in it.
O=${O:-build}
if [ -z "$B9P_SOCK" ]; then
	dir=$(mktemp -d) || exit 1
	mkdir "$dir/tree" "$dir/mnt" "$dir/mntro"
	modprobe 9pnet_fd 2>/dev/null
	if ! modprobe 9p 2>/dev/null && ! grep -q 9p /proc/filesystems; then
		echo "1..0 # SKIP no 9p in this kernel: run in lbx-vm"
		rm -rf "$dir"
		exit 0
	fi
	echo host >"$dir/tree/host"
	mkfifo "$dir/tree/hostfifo"
	ln -s /etc/passwd "$dir/tree/abs"
	export B9P_DIR="$dir" B9P_SOCK="$dir/sock"
	"$O/selftests/broker/serve" "$dir/sock" "rw=$dir/tree:rw" "ro=$dir/tree" -- "$0"
	ret=$?
	rm -rf "$dir"
	exit $ret
fi

n=0
bad=0
is() { # NAME WANT GOT
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		bad=1
		echo "not ok $n - $1 # got $3, want $2"
	fi
}
t=$B9P_DIR/tree
m=$B9P_DIR/mnt
opts=trans=unix,version=9p2000.L,access=any,msize=65560
for cache in none loose; do
	mount -t 9p -o "$opts,aname=rw,cache=$cache" "$B9P_SOCK" "$m"
	is "$cache: mount" 0 $?
	cd "$m" || exit 1
	is "$cache: read" host "$(cat host)"
	is "$cache: readdir" "$(ls -a "$t" | tr '\n' ' ')" "$(ls -a | tr '\n' ' ')"
	mkdir -p a/b/c && echo x >a/b/c/f && echo y >>a/b/c/f
	is "$cache: write and append" "x
y" "$(cat "$t/a/b/c/f")"
	mv a/b/c/f a/g && mv a/b/c a/c
	is "$cache: rename" "b c g " "$(ls "$t/a" | tr '\n' ' ')"
	ln a/g a/h && ln -s g a/s
	is "$cache: links" "2 g" "$(stat -c %h "$t/a/g") $(readlink a/s)"
	chmod 604 a/g && touch -d '2001-01-01 UTC' a/g && truncate -s 3 a/g
	is "$cache: mode and size" "604 3" "$(stat -c '%a %s' "$t/a/g")"
	touch -d '2001-01-01 UTC' a/g
	is "$cache: times" 978307200 "$(stat -c %Y "$t/a/g")"
	setfattr -n user.k -v val a/g 2>/dev/null || /usr/bin/python3 -c 'import os; os.setxattr("a/g", "user.k", b"val")'
	is "$cache: attributes" val \
		"$(/usr/bin/python3 -c 'import os; print(os.getxattr("a/g", "user.k").decode())')"
	/usr/bin/python3 -c 'import os; os.removexattr("a/g", "user.k")'
	is "$cache: attributes removed" "[]" "$(/usr/bin/python3 -c 'import os; print(os.listxattr("a/g"))')"
	mkfifo a/p 2>/dev/null
	is "$cache: mkfifo is refused" 1 $?
	chown 1 a/g 2>/dev/null
	is "$cache: chown is refused" 1 $?
	chmod u+s a/g 2>/dev/null
	is "$cache: chmod u+s is refused" 1 $?
	head -c 3000000 /dev/urandom >"$t/big"
	cp big copy && cmp copy "$t/big"
	is "$cache: copy of 3 MB" 0 $?
	dd if=/dev/zero of=sync bs=4k count=4 conv=fsync 2>/dev/null
	is "$cache: fsync" 0 $?
	flock a/g true
	is "$cache: flock" 0 $?
	tar cf - -C /usr/share/doc/ bash coreutils 2>/dev/null | tar xf - --no-same-owner 2>/dev/null
	diff -r --no-dereference /usr/share/doc/bash bash && diff -r --no-dereference /usr/share/doc/coreutils coreutils
	is "$cache: a tree by tar" 0 $?
	exec 3>unlinked && echo z >&3 && rm unlinked && echo z >&3
	is "$cache: write to a file that is unlinked" 0 $?
	exec 3>&-
	i=0
	while [ $i -lt 500 ]; do
		: >"a/many$i"
		i=$((i + 1))
	done
	is "$cache: 500 files" 500 "$(ls a | grep -c many)"
	df . >/dev/null
	is "$cache: statfs" 0 $?
	rm -r a bash coreutils big copy sync
	is "$cache: all removed" "abs host hostfifo " "$(ls "$t" | tr '\n' ' ')"
	cd / || exit 1
	umount "$m"
	is "$cache: umount" 0 $?
done
mount -t 9p -o "$opts,aname=ro" "$B9P_SOCK" "$B9P_DIR/mntro"
is "read-only: mount" 0 $?
is "read-only: read" host "$(cat "$B9P_DIR/mntro/host")"
sh -c ": >'$B9P_DIR/mntro/host'" 2>/dev/null
is "read-only: write is refused" 2 $?
mkdir "$B9P_DIR/mntro/d" 2>/dev/null
is "read-only: mkdir is refused" 1 $?
umount "$B9P_DIR/mntro"
is "read-only: umount" 0 $?
echo "1..$n"
exit $bad
