#!/bin/bash
# SPDX-License-Identifier: MIT
# --keep-changes: what the program changed is there the next time, and on the host as lbx-exec(1) says.
. selftests/exec/lib.sh

keep=$tmp/keep
# The tree that the program sees, in words.
tree='cd "$1" && find . -mindepth 1 ! -name "*.tmp" -printf "%P %y %s %m %l\n" | sed "s/ d [0-9]* / d - /" | LC_ALL=C sort; find . -type f | LC_ALL=C sort | xargs -d "\n" cat | cksum'
mkdir -p src/sub/deep src/gone/inner src/moved/a
echo one >src/one; echo two >src/sub/two; echo three >src/sub/deep/three; echo x >src/gone/inner/x; echo m >src/moved/a/m
echo linked >src/l1; ln src/l1 src/l2
# as it must look afterwards, done natively to a copy
change='set -e; cd "$1"
echo changed >one; echo new >sub/new; mkdir -p made/in/side; echo deep >made/in/side/f; ln -s in/side made/link
rm sub/two; rm -r gone; mv moved elsewhere; echo more >>elsewhere/a/m; chmod 600 sub/deep/three; chmod 711 sub
mkdir gone; echo other >gone/other; echo linked2 >l1; rm sub/deep/three; echo again >sub/deep/three
head -c 200000 /dev/zero >made/zeros; truncate -s 3M made/sparse; echo end >>made/sparse; chmod 444 made/zeros; chmod 555 made/in'
cp -a src native; rm native/l2; echo linked >native/l2; sh -c "$change" sh native; chmod 755 native/made/in; native=$(sh -c "$tree" sh native)

run --keep-changes "$keep" sh -c "$change" sh src; is "$status" 0 'a first run'
is "$err" '' 'says nothing'
is "$(cat src/one; ls src)" "$(echo one; printf '%s\n' gone l1 l2 moved one sub)" 'the host'\''s files are as they were'
run --keep-changes "$keep" sh -c "$tree" sh src; is "$out" "$native" 'the next run sees what was changed'
listing() { (cd "$keep" && find . -mindepth 1 -printf '%P %i %T@\n' | LC_ALL=C sort | cksum); }
before=$(listing)
run --keep-changes "$keep" sh -c "$tree" sh src; is "$out" "$native" 'and the one after'
is "$(listing)" "$before" 'which wrote nothing anew'
run sh -c 'cat src/one'; is "$out" one 'a run without it sees nothing of that'
here=$keep$PWD/src
is "$(cat "$here/one" "$here/sub/new" "$here/made/in/side/f")" $'changed\nnew\ndeep' 'files lie in the directory under their paths'
is "$(readlink "$here/made/link")" in/side 'and links'
[ -f "$here/sub/.wh.two" ] && [ -f "$here/.wh.moved" ]; is $? 0 'what was removed is a .wh.NAME'
[ -f "$here/gone/.wh..wh..opq" ] && [ ! -e "$here/gone/inner" ]; is $? 0 'a directory that was made anew is opaque'
[ ! -e "$here/l2" ]; is $? 0 'what was not changed is not there'
is "$(stat -c %a "$here/made/zeros" "$here/sub") $(du -k "$here/made/sparse" | cut -f1)" "$(stat -c %a native/made/zeros native/sub) 4" 'modes and holes'

# going on from there
run --keep-changes "$keep" sh -c 'cd src; chmod 755 made/in; rm -r made; echo back >sub/two; mv gone/other .; rmdir gone; rm one; ln -s l2 one'
run --keep-changes "$keep" sh -c 'cd src; ls; cat sub/two other one; ls gone 2>/dev/null'
is "$(echo $out)" 'elsewhere l1 l2 one other sub back other linked' 'changes of changes'
[ ! -e "$here/made" ] && [ ! -e "$here/sub/.wh.two" ] && [ -e "$here/.wh.gone" ] && [ ! -e "$here/gone" ] && [ -L "$here/one" ]
is $? 0 'the directory follows'
# written through a mapping
run --keep-changes "$keep" /usr/bin/python3 -c 'import mmap
f = open("src/other", "r+b"); m = mmap.mmap(f.fileno(), 6); m[0:5] = b"OTHER"'
is "$(cat "$here/other")" OTHER 'a store into a mapping is kept'
# home, and other parts of the tree
run --keep-changes "$keep" sh -c 'echo h >"$HOME/h"; echo t >/tmp/t; mkfifo src/fifo; echo dev >/dev/shm/x'
run --keep-changes "$keep" sh -c 'cat "$HOME/h"; ls /tmp/t /dev/shm/x src/fifo'
is "$(echo $out)" h 'home is kept; /tmp, /dev/shm and FIFOs are not'
src=$PWD/src; out=$(cd / && timeout -k 1 $LIMIT "$lbx" --keep-changes "$keep" sh -c "cat $src/other; ls $src" 2>/dev/null)
is "$(echo $out)" "OTHER elsewhere l1 one other sub" 'another view of the tree has what was changed'
run --keep-changes "$keep" sh -c 'ls src; ls src/gone src/moved 2>/dev/null'; is "$(echo $out)" 'elsewhere l1 l2 one other sub' 'and leaves whiteouts of the first alone'
is "$(find "$keep" -maxdepth 1 -mindepth 1 | sed "s,$keep/,," | LC_ALL=C sort | tr '\n' ' ')" ".wh..wh.litebox $(cd "$keep" && ls | LC_ALL=C sort | tr '\n' ' ')" 'nothing of the sandbox'\''s own is kept'
is "$(ls "$keep" | grep -xE 'dev|proc|sys|usr|bin|lib|etc')" '' 'no furniture'

# whatever ends the program
k2=$tmp/k2
run --keep-changes "$k2" sh -c 'echo 1 >f; exit 9'; is "$status $(cat "$k2$PWD/f")" '9 1' 'a status'
run --keep-changes "$k2" sh -c 'echo 2 >f; kill -9 $$'; is "$status $(cat "$k2$PWD/f")" '137 2' 'a signal'
run --keep-changes "$k2" --timeout 1 sh -c 'echo 3 >f; while :; do sleep 1; done'; is "$status $(cat "$k2$PWD/f")" '124 3' 'the end of the time'
"$lbx" --keep-changes "$k2" sh -c 'echo 4 >f; exec sleep 100' </dev/null & pid=$!
sleep 1; kill -TERM $pid; wait $pid; is "$? $(cat "$k2$PWD/f")" '143 4' 'SIGTERM'
"$lbx" --keep-changes "$k2" sh -c 'echo 5 >f; exec sleep 3' </dev/null & pid=$!
sleep 1; run --keep-changes "$k2" true
is "$status" 125 'one at a time'; has "$err" "--keep-changes $k2: another lbx-exec has it" 'one at a time: text'
kill -KILL $pid; wait $pid 2>/dev/null
run --keep-changes "$k2" cat f; is "$out" 4 'a killed run leaves what was there'

# nothing outside of the directory
mkdir "$tmp/victim"; echo safe >"$tmp/victim/file"
run --keep-changes "$k2" sh -c "ln -s $tmp/victim evil; ln -s $tmp/victim/file f2; mkdir d; ln -s ../../../../../../../../.. d/up"
run --keep-changes "$k2" sh -c 'rm evil f2; mkdir evil; echo pwned >evil/file; echo pwned >f2; rm d/up; mkdir -p d/up/tmp; echo pwned >d/up/tmp/file'
is "$(cat "$tmp/victim/file"; ls "$tmp/victim")" $'safe\nfile' 'links of an earlier run are not followed'
is "$(cat "$k2$PWD/evil/file" "$k2$PWD/f2")" $'pwned\npwned' 'but replaced'
run --keep-changes "$k2" sh -c 'touch .wh.passwd .wh..wh..opq; echo fine >fine'
is "$status $(cat "$k2$PWD/fine"; ls -A "$k2$PWD" | grep -c '^\.wh')" '125 fine
0' 'names of whiteouts are not written'
has "$err" 'are whiteouts there' 'and a line says so'
# a link put there by somebody else meanwhile
rm -rf "$k2$PWD/d"; ln -s "$tmp/victim" "$k2$PWD/d"
run --keep-changes "$k2" sh -c 'rm d; mkdir d; echo pwned >d/file'; is "$(cat "$tmp/victim/file")" safe 'nor are links that were put there'

# what cannot be
run --keep-changes "$tmp/victim" true; is "$status" 125 'a directory that is somebody'\''s'; has "$err" 'neither empty nor made by an earlier run' 'text'
run --keep-changes /nosuch/dir true; is "$status" 125 'no place for it'; has "$err" '--keep-changes /nosuch/dir: No such file' 'text'
run --keep-changes "$tmp/victim/file" true; has "$err" 'Not a directory' 'a file'
run --keep-changes "$k2" --ro-root true; has "$err" 'there are none to keep' 'with --ro-root'
mkdir "$tmp/empty"; run --keep-changes "$tmp/empty" sh -c 'echo e >e'; is "$(cat "$tmp/empty$PWD/e")" e 'an empty directory will do'
run --keep-changes "$tmp/never" --dry-run true; [ ! -e "$tmp/never" ]; is $? 0 '--dry-run makes none'
has "$out" "changes are kept in $tmp/never" '--dry-run says where'
mkfifo "$tmp/empty/fifo"; run --keep-changes "$tmp/empty" true
is "$status" 125 'something that cannot be taken up'; has "$err" 'neither a file, a directory nor a link' 'text'; rm "$tmp/empty/fifo"
if [ "$(id -u)" != 0 ]; then
	mkdir "$tmp/ro"; chmod 555 "$tmp/ro"; run --keep-changes "$tmp/ro" true; has "$err" 'cannot be written' 'a directory without rights'
fi

# over --root: a directory and an image
mkdir -p "$tmp/sys/usr/bin" "$tmp/sys/opt/pkg/sub"; echo v1 >"$tmp/sys/opt/pkg/sub/version"; echo conf >"$tmp/sys/opt/conf"
ln -s usr/bin "$tmp/sys/bin"
for prog in sh cat ls rm mv; do
	path=$(readlink -f "$(command -v $prog)")
	cp "$path" "$tmp/sys/usr/bin/$prog"
	ldd "$path" | grep -oE '/[^ ]+' | while read -r lib; do
		mkdir -p "$tmp/sys$(dirname "$lib")"
		[ -e "$tmp/sys$lib" ] || cp -L "$lib" "$tmp/sys$lib"
	done
done
(cd "$tmp/sys" && tar -cf "$tmp/sys.tar" .)
for root in "$tmp/sys" "$tmp/sys.tar"; do
	k=$tmp/k.$(basename "$root")
	run --root "$root" --keep-changes "$k" sh -c 'echo v2 >/opt/pkg/sub/version; rm /opt/conf; mv /opt/pkg /opt/new'
	run --root "$root" --keep-changes "$k" sh -c 'cat /opt/new/sub/version; ls /opt'
	is "$(echo $out)" 'v2 new' "--root $(basename "$root")"
	is "$(cd "$k" && find . -mindepth 1 ! -type d | LC_ALL=C sort | tr '\n' ' ')" './.wh..wh.litebox ./opt/.wh.conf ./opt/.wh.pkg ./opt/new/sub/version ' 'as layers have it'
	run --root "$root" ls /opt; is "$(echo $out)" 'conf pkg' 'the root itself is as it was'
	run --keep-changes "$k" ls /opt /opt/new; is "$(echo $out)" '/opt: new /opt/new: sub' 'and without --root'
	run --root "$root" --keep-changes "$k" rm -r /usr/bin/mv
	run --keep-changes "$k" true; is "$status" 125 'a change of what is read-only in another view'
	has "$err" 'read-only now: give the options that it was kept with' 'text'
done
# many files, in one run and in the next
run --keep-changes "$tmp/many" sh -c 'mkdir m; cd m; for i in $(seq 1500); do echo $i >f$i; done'
run --keep-changes "$tmp/many" sh -c 'cd m; cat * | wc -l; rm f1[0-9]*; ls | wc -l'
is "$(echo $out) $(ls "$tmp/many$PWD/m" | wc -l)" "1500 $((1500 - 611)) $((1500 - 611))" '1500 files'
run --keep-changes "$tmp/deep" sh -c 'i=0; while [ $i -lt 100 ]; do mkdir d; cd d; i=$((i + 1)); done; echo bottom >f'
run --keep-changes "$tmp/deep" sh -c 'find . -name f -path "*/d/d/f" -exec cat {} +'; is "$out" bottom 'a deep tree'
done_testing
