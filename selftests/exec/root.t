#!/bin/bash
# SPDX-License-Identifier: MIT
# --root: a directory, and images as tar(1) and docker export write them.
. selftests/exec/lib.sh

# A small system of this host's own programs.
sys=$tmp/sys
mkdir -p "$sys/usr/bin" "$sys/etc" "$sys/opt/data" "$sys/home/user"
ln -s usr/bin "$sys/bin"
for prog in bash cat ls stat id sha256sum mkdir rm mv readlink sleep tty; do
	path=$(command -v $prog)
	cp "$(readlink -f "$path")" "$sys/usr/bin/$prog"
	ldd "$path" | grep -oE '/[^ ]+' | while read -r lib; do
		mkdir -p "$sys$(dirname "$lib")"
		[ -e "$sys$lib" ] || cp -L "$lib" "$sys$lib"
	done
done
ln -s bash "$sys/usr/bin/sh"
echo "the image's own" >"$sys/etc/issue"
echo one >"$sys/opt/data/first"; ln "$sys/opt/data/first" "$sys/opt/data/second"; ln -s ../data/first "$sys/opt/data/link"
long=$(printf %0180d 0 | tr 0 n); echo long >"$sys/opt/data/$long"
truncate -s 5M "$sys/opt/data/sparse"; echo here | dd of="$sys/opt/data/sparse" bs=1 seek=3000000 conv=notrunc 2>/dev/null
head -c 3000000 /dev/urandom >"$sys/opt/data/random"
echo kept >"$sys/home/user/file"
chmod 640 "$sys/opt/data/random"
(cd "$sys" && tar -cf "$tmp/posix.tar" --format=posix . && tar -cSf "$tmp/gnu.tar" --format=gnu -- * && tar -cSf "$tmp/sparse.tar" --format=posix .)
native=$(cd "$sys" && sha256sum opt/data/* && stat -c '%n %s %a %h %F' opt/data/* && readlink opt/data/link)

for image in "$sys" "$tmp/posix.tar" "$tmp/gnu.tar" "$tmp/sparse.tar"; do
	name=--root\ $(basename "$image")
	run --root "$image" sh -c 'cd / && sha256sum opt/data/* && stat -c "%n %s %a %h %F" opt/data/* && readlink opt/data/link'
	is "$out" "$native" "$name: the same bytes and attributes"
	run --root "$image" cat /etc/issue; is "$out" "the image's own" "$name: nothing of the host's"
	run --root "$image" ls /usr/lib/python3; [ "$status" != 0 ]; is $? 0 "$name: nor its programs"
	run --root "$image" sh -c 'echo changed >/opt/data/first; cat /opt/data/first /opt/data/second; mkdir /opt/new; mv /opt/data /opt/new/; ls /opt/new/data/first; rm /etc/issue; ls /etc'
	is "$(echo $out)" 'changed changed /opt/new/data/first' "$name: what is changed is changed inside"
	run --root "$image" cat /opt/data/first; is "$out" one "$name: and is gone afterwards"
	run --root "$image" --ro-root sh -c 'echo x >/opt/x || echo no; echo y >/tmp/y && cat /tmp/y'; is "$(echo $out)" 'no y' "$name --ro-root"
	run --root "$image" sh -c 'for d in /dev/null /dev/pts /dev/console /proc/self/status /sys /tmp; do [ -e $d ] || echo no $d; done'
	is "$out" '' "$name: has /dev, /proc, /sys and /tmp"
	run --root "$image" nosuch; is "$status" 127 "$name: no such program"
	has "$err" 'lbx-exec: nosuch: not found in /usr' "$name: no such program: text"
	run --root "$image" /etc/issue; is "$status" 126 "$name: a file that is no program"
	run --root "$image" --env PATH=/usr/bin:relative --env A=b sh -c 'echo $A; exit 7'; is "$status $out" '7 b' "$name: PATH of --env"
	run --root "$image" --uid 4321 --gid 4321 --env HOME=/home/user sh -c 'cat /home/user/file; id -u'; is "$(echo $out)" 'kept 4321' "$name: a home that is there stays"
	run --root "$image" --uid 4321 --gid 4321 --clearenv --env PATH=/bin sh -c 'echo x >/home/user/y 2>/dev/null || echo no'
	is "$out" no "$name: rights of others hold"
	mkdir -p "$tmp/rw"; rm -f "$tmp/rw/f"
	run --root "$image" --bind "$tmp/rw:/srv/deep/rw:rw" --tmpfs /opt sh -c 'echo out >/srv/deep/rw/f; ls /opt'
	is "$out$(cat "$tmp/rw/f")" out "$name: with --bind and --tmpfs"
	if command -v script >/dev/null; then
		has "$(timeout -k 1 $LIMIT script -qec "$lbx --root $image tty" /dev/null </dev/null)" /dev/console "$name: on a terminal"
	fi
done

# what is no image
gzip -1 <"$tmp/gnu.tar" >"$tmp/gnu.tar.gz"
run --root "$tmp/gnu.tar.gz" true; is "$status" 125 'a compressed image'
has "$err" 'compressed by gzip: gunzip it first' 'a compressed image: the way out'
run --root /etc/passwd true; is "$status" 125 'no image'
has "$err" '/etc/passwd: no header at byte 0' 'no image: where'
run --root /dev/null true; has "$err" 'neither a directory nor a tar image' 'a device'
head -c 100000 "$tmp/posix.tar" >"$tmp/cut.tar"
run --root "$tmp/cut.tar" true; is "$status" 125 'an image that is cut off'
has "$err" 'a file that is cut off' 'an image that is cut off: text'
: >"$tmp/empty.tar"; run --root "$tmp/empty.tar" true; is "$status" 125 'an empty image'
chmod 000 "$tmp/cut.tar"
[ "$(id -u)" = 0 ] || { run --root "$tmp/cut.tar" true; has "$err" 'Permission denied' 'one that may not be read'; }
# names that lead out are left out, with a line
(cd "$tmp" && tar -cPf evil.tar --transform='s,^sys/etc/issue$,../../../../../../../../tmp/litebox-evil,' sys/etc/issue -C sys usr bin lib lib64 2>/dev/null)
run --root "$tmp/evil.tar" sh -c 'ls /tmp'; is "$status$out" 0 'a name with .. leads nowhere'
has "$err" 'left out: its name leads up' 'and a line says so'
run --root "$tmp/posix.tar" --mem 16M sh -c 'echo ok'; [ "$status" = 0 ] || has "$err" mem 'too little memory is said'
# an image that shrinks while it is used
cp "$tmp/gnu.tar" "$tmp/shrinks.tar"
"$lbx" --root "$tmp/shrinks.tar" --bind "$tmp/rw:/rw:rw" sh -c 'echo up >/rw/up; sleep 2; cat /opt/data/random >/dev/null; echo "cat $?"' >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
started "$tmp/rw/up"; truncate -s 1M "$tmp/shrinks.tar"
wait $pid
is "$?" 0 'an image that shrinks: the sandbox goes on'
has "$(cat "$tmp/err" "$tmp/out")" 'cat 1' 'and what is missing cannot be read'
run --root "$tmp/gnu.tar" --dry-run sh; has "$out" 'tar image, changes in memory' '--dry-run names it'
done_testing
