#!/bin/bash
# SPDX-License-Identifier: MIT
# coreutils, find, grep, sed, awk and friends.
. "$(dirname "$0")/lib.sh"

setup()
{
	seq 1 20000 | awk '{ printf "%d %s %x line\n", $1, substr("abcdefghijklmnopqrstuvwxyz", $1 % 20 + 1, 5), $1 * 2654435761 % 4294967296 }' >data
	mkdir -p tree/a/b/c tree/d
	for i in 1 2 3 4 5 6 7 8 9; do echo "file $i" >tree/a/f$i.txt; head -c $((i * 1000)) data >tree/a/b/g$i.dat; done
	ln -s ../a/f1.txt tree/d/link
	ln tree/a/f2.txt tree/d/hard
	touch -d '2001-02-03 04:05:06' tree/a/f3.txt
}

same "text tools" 30 sh '
sort -k3 data | md5sum; sort -n -r data | head -2; sort -u -k2,2 data | wc -l; sort -S 100K -T . data | cksum
cut -d" " -f2 data | uniq -c | head -3; tr a-z A-Z <data | tail -1; head -c 100 data; tail -n +19990 data | head -3
split -l 3000 data part.; ls part.*; cat part.* | cmp - data && echo joined; rm part.*
csplit -s data 100 200; wc -l xx00 xx01; comm -12 xx00 xx01 | wc -l; paste xx00 xx00 | head -1; join -j1 xx00 xx00 | wc -l
nl xx00 | tail -1; tac xx00 | head -1; rev xx00 | head -1; fold -w 20 xx00 | head -2; fmt -w 40 xx00 | head -2; pr -h x -l 20 xx00 | sed 2,3d | head -5 | tail -1
od -A d -t x1z data | head -3; base64 data | tail -1; sha256sum data; sha512sum data | cut -c1-20; md5sum data; cksum data; sum data; b2sum data | cut -c1-20
seq 5 -1 1 | paste -sd+ | bc 2>/dev/null || echo no bc; factor 123456789; numfmt --to=iec 123456789; expr 6 \* 7; printf "%s-%d-%.3f\n" a 5 2.5
shuf --random-source=data -n 3 data; tsort <<E
a b
b c
E
unexpand -a data | cksum; expand data | cksum; wc data; truncate -s 100 xx00; wc -c xx00; tee copy1 copy2 <xx01 | wc -l'

same "files" 30 sh '
cp -a tree copy; diff -r tree copy && echo same; mv copy/d copy/moved; ls -R copy; ls -l tree/a | cut -c1-10; stat -c "%A %h %s %F %N" tree/d/* tree/a/f3.txt
stat -c %Y tree/a/f3.txt; cp -r tree/a/b newdir; rm -r newdir; ln -s nowhere dangling; readlink dangling; realpath -m ./x/../y | sed "s/.*\///"; basename /a/b.c .c; dirname /a/b
mktemp -u -p . XXXX | wc -c; install -m 750 -D data inst/here/data; stat -c %a inst/here/data; chmod -R go= tree; stat -c %a tree tree/a
dd if=data of=dd.out bs=1000 count=5 skip=2 2>&1 | tail -1 | cut -d" " -f1-2; dd if=/dev/zero bs=1M count=20 2>/dev/null | md5sum; du -s --apparent-size tree/a/f1.txt | cut -f1
touch -d @1000000000 t; date -u -r t +%F; date -u -d @86400 +%F; ls -lt --time-style=+%Y t tree/a/f3.txt | awk "{print \$6, \$7}"
mkfifo ff; (cat data >ff &); wc -l <ff; cmp data tree/a/b/g1.dat | head -1; rm -f nothing; rmdir --ignore-fail-on-non-empty tree; ln -f data tree/d/hard; stat -c %h data
timeout 0.1 sleep 5; echo $?; timeout 5 true; echo $?; env -i A=1 env; nice -n 5 nice; nohup true 2>/dev/null; echo $?
sync data; shred -u -n 1 t; [ -e t ] || echo shredded; df . | wc -l; id -u >/dev/null && echo id; uname -s; nproc >/dev/null && echo nproc; tty; hostname >/dev/null && echo host
echo stdout | tee /dev/stderr 2>&1 | cat; test -t 0 || echo not a terminal; pathchk -p abc; logname 2>/dev/null || echo nologname; head -c 20 /dev/urandom | wc -c; yes | head -c 100000 | md5sum
(tail -f data & p=$!; sleep 0.2; kill $p) | tail -1; tail --pid=999999 -f /dev/null; echo $?'

same "find and xargs" 20 sh '
find tree -type f | sort; find tree -name "*.dat" -size +3k | sort; find tree -type l -printf "%p %l\n"; find tree -type f -links 2 | sort; find tree -newermt 2002-01-01 -type f | wc -l
find tree -type f -exec grep -l "file 5" {} +; find tree -type f -print0 | sort -z | xargs -0 cat | md5sum; find tree -empty; find tree -perm 644 | wc -l; find tree -maxdepth 1 | sort
seq 1000 | xargs -n 50 echo | wc -l; seq 20 | xargs -P 4 -I{} sh -c "echo {}" | sort -n | tail -1; find tree -name "f?.txt" -delete; find tree -type f | wc -l; find tree -depth -type d | tail -1'

same "grep, sed, awk" 20 sh '
grep -c abc data; grep -E "^1?2{3}" data | head -3; grep -rn "file [3-5]" tree | sort; grep -v line data; grep -o "[0-9a-f]*5 line" data | tail -2; grep -A1 -B1 -n "^777 " data; grep -q nothing data || echo none; grep -P "\d{5}\s\w+" data | wc -l
sed -n "10,12p;\$p" data; sed "s/\([0-9]*\) \([a-z]*\)/\2:\1/" data | md5sum; sed -i.bak "1d;s/line/LINE/g" data; wc -l data data.bak; sed -e "/^100 /,/^103 /!d" -e "s/^/> /" data; sed "N;N;s/\n/+/g" data | head -1; sed "y/abc/xyz/;1~5000!d" data; sed -n "/^5 /{h;n;G;p}" data
awk "{ s += \$1; c[\$2]++ } END { print s, length(c); for (k in c) print k, c[k] | \"sort | head -3\" }" data; awk -F"[ x]" "NR % 5000 == 0 { printf \"%s|%s\\n\", \$1, \$3 }" data; awk "BEGIN { while ((\"echo a b c\" | getline x) > 0) print toupper(x); print substr(\"hello\", 2, 3), index(\"abc\", \"c\"), sprintf(\"%5.2f\", 3.14159), match(\"foobar\", /o+/), RLENGTH; system(\"echo from system\"); print strftime ? 1 : 0 }" 2>/dev/null || awk "BEGIN { print 1 }"
ls -d $(command -v mawk gawk) | sed "s/.*\///"; for a in mawk gawk; do command -v $a >/dev/null && $a "{ a[NR] = \$0 } END { for (i = NR; i > NR - 3; i--) print a[i] }" data; done; diff data data.bak | head -4; diff -u data.bak data | tail -n +3 | md5sum; cmp data data.bak; file -b data 2>/dev/null || true'
finish
