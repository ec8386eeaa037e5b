#!/bin/bash
# SPDX-License-Identifier: MIT
# Options that change what can be written: --ro-root, --tmpfs, --root /, rights of explicit binds, deep trees.
. selftests/exec/lib.sh

# --ro-root: nothing but /tmp, --tmpfs and --bind ...:rw
mkdir "$tmp/rw"
echo before >file
run --ro-root --tmpfs /scratch --bind "$tmp/rw:/rw:rw" sh -c 'for f in x /x file "$HOME/x" /var/tmp/x /tmp/x /scratch/x /rw/x; do
	if echo y 2>/dev/null >$f; then echo "$f yes"; else echo "$f no"; fi; done'
is "$out" "x no
/x no
file no
$(run sh -c 'echo $HOME'; echo "$out")/x no
/var/tmp/x no
/tmp/x yes
/scratch/x yes
/rw/x yes" '--ro-root: what can be written'
is "$(cat file "$tmp/rw/x")" $'before\ny' '--ro-root: and what was'
run --ro-root /usr/bin/python3 -c 'import os, errno
for what in (lambda: open("new", "w"), lambda: os.mkdir("/d"), lambda: os.unlink("file"), lambda: os.rename("file", "f2"),
	     lambda: os.chmod("file", 0), lambda: os.symlink("a", "b"), lambda: os.utime("file"), lambda: os.truncate("file", 0)):
	try: what(); print("done")
	except OSError as e: print(errno.errorcode[e.errno])'
is "$(echo $out)" 'EROFS EROFS EROFS EROFS EROFS EROFS EROFS EROFS' '--ro-root: EROFS'
run --ro-root sh -c 'echo x >/dev/shm/x && echo x >/dev/null && echo ok'; is "$out" ok '--ro-root: /dev is as always'

# --tmpfs with a size
run --tmpfs /s:1M sh -c 'head -c 3M /dev/zero >/s/x; stat -c %s /s/x; df --output=size /s | tail -1; rm /s/x; head -c 900K /dev/zero >/s/y && echo fits'
is "$(echo $out)" '1048576 1024 fits' '--tmpfs DST:SIZE: no more than that'
has "$err" 'No space left on device' '--tmpfs DST:SIZE: ENOSPC'
run --tmpfs /s:1M --tmpfs /big sh -c 'head -c 3M /dev/zero >/big/x && stat -c %s /big/x'; is "$out" 3145728 '--tmpfs without a size'
run --tmpfs /a/b/c:64K --tmpfs /a/b/d sh -c 'echo 1 >/a/b/c/f; echo 2 >/a/b/d/f; cat /a/b/*/f'; is "$(echo $out)" '1 2' '--tmpfs where nothing was'
run --tmpfs /usr sh -c true; is "$status" 127 '--tmpfs over the system hides it'
run --tmpfs /tmp:64K sh -c 'head -c 1M /dev/zero >/tmp/x; stat -c %s /tmp/x'; is "$out" 65536 '--tmpfs over /tmp bounds it'

# the host's own root, under a layer
run --root / sh -c 'ls -d /usr /etc /proc/self /sys /dev/null; echo new >/etc/litebox-test && cat /etc/litebox-test; pwd'
is "$(echo $out)" "/dev/null /etc /proc/self /sys /usr $([ "$(id -u)" = 0 ] && echo new '')/" '--root /'
[ ! -e /etc/litebox-test ]; is $? 0 '--root /: the host stays as it is'
run --root / --ro-root sh -c 'echo x >/var/tmp/x || echo no; echo x >/tmp/x && echo yes'; is "$(echo $out)" 'no yes' '--root / --ro-root'
run --root / sh -c 'ls /proc | grep -cE "^[0-9]+$"'; [ "$out" -lt 8 ]; is $? 0 '--root /: /proc is the sandbox'\''s own'
run --bind /:/host sh -c 'ls /host/usr >/dev/null && echo usr; ls /host/proc 2>/dev/null || echo no proc'; is "$(echo $out)" 'usr no proc' '--bind /'

# what root may read, an explicit bind shows; what the sandbox shows by itself, not
mkdir -p "$tmp/theirs"; echo theirs >"$tmp/theirs/secret"
if [ "$(id -u)" = 0 ]; then
	chown -R nobody "$tmp/theirs"; chmod 700 "$tmp/theirs"; chmod 600 "$tmp/theirs/secret"
	run --bind "$tmp/theirs:/t" cat /t/secret; is "$out" theirs 'root sees a file of another user in --bind'
	run --bind "$tmp/theirs:/t:rw" sh -c 'echo more >>/t/secret; echo new >/t/new; chmod 640 /t/secret'
	is "$status $(cat "$tmp/theirs/secret") $(stat -c %a "$tmp/theirs/secret")" $'0 theirs\nmore 640' 'and may change it in --bind :rw'
	run --bind "$tmp/theirs:/t" sh -c 'echo x >/t/new || echo no'; is "$out" no 'but not without :rw'
	run --root "$tmp/theirs" --bind /usr --bind /lib --bind /lib64 /usr/bin/cat /secret; is "$(echo "$out" | head -1)" theirs 'and in --root'
	out=$(cd "$tmp" && timeout -k 1 $LIMIT "$lbx" cat theirs/secret 2>/dev/null)
	is "$out" '' 'the current directory gives no rights over files of others'
else
	chmod 000 "$tmp/theirs/secret"
	run --bind "$tmp/theirs:/t" cat /t/secret; is "$status" 1 'what an ordinary user cannot read stays shut in --bind'
	chmod 644 "$tmp/theirs/secret"
fi

# deeper than two requests of 9P reach
cat >deep.sh <<'END'
cd "$1" || exit 1
i=0
while [ $i -lt 120 ]; do mkdir d$i && cd d$i || exit 1; i=$((i + 1)); done
echo content >f; ln f g; mv g h; ln -s target l; mkdir e; mv e e2; rmdir e2; chmod 640 f
cat h; readlink l; stat -c '%h %a' f; ls -A | tr '\n' ' '
cd "$1"; find . | wc -l; mv d0 top; find . -name h -exec cat {} +; rm -rf top; ls -A | wc -l
END
mkdir "$tmp/rw/native" "$tmp/rw/inside"
native=$(sh deep.sh "$tmp/rw/native")
run --bind "$tmp/rw/inside:/deep:rw" sh deep.sh /deep
is "$out" "$native" 'a tree 120 directories deep, as natively'
mkdir layer; run sh deep.sh "$PWD/layer"; is "$out" "$native" 'and in the writable layer'
# whatever the order of options, what lies above does not hide what lies below
mkdir "$tmp/data"; echo data >"$tmp/data/f"
run --bind "$tmp/data:/t/data" --tmpfs /t --tmpfs /t/data/no sh -c true; is "$status" 125 "no place to mount on in a read-only bind"
run --bind "$tmp/data:/t/data" --tmpfs /t sh -c "cat /t/data/f; ls /t"; is "$(echo $out)" "data data" "--tmpfs above --bind"
run --bind "$tmp/data/f:/b/one" --bind "$tmp/rw:/b:rw" sh -c "cat /b/one"; is "$out" data "--bind above --bind"
done_testing
