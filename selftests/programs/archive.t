#!/bin/bash
# SPDX-License-Identifier: MIT
# tar with gzip and xz over 50 MB, and xz with threads.
. "$(dirname "$0")/lib.sh"

# 50 MB that compress to about a third, in 120 files; made once.
cache=$tmp/cache
mkdir "$cache"
perl -e '
	my ($x, $n) = (12345, 0);
	my @words = map { $x = ($x * 1103515245 + 12345) & 0x7fffffff; pack("N", $x) . ("lorem", "ipsum", "dolor sit", "amet,\n")[$x % 4] } 1 .. 40000;
	for my $f (0 .. 119) {
		mkdir "$ARGV[0]/d" . $f % 7;
		open my $h, ">", "$ARGV[0]/d" . $f % 7 . "/f$f" or die;
		my $size = 0;
		while ($size < 437000) {
			$x = ($x * 1103515245 + 12345) & 0x7fffffff;
			my $w = join "", @words[($x >> 8) % 39000 .. ($x >> 8) % 39000 + 400];
			print $h $w;
			$size += length $w;
		}
	}' "$cache" || { echo "Bail out! no data"; exit 1; }

setup() { cp -r "$cache" data; }

rw=1 same "tar and gzip" 60 sh '
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - data | tee >/dev/null t.tar; ls -l t.tar | awk "{ print (\$5 > 50000000) }"; sha256sum t.tar
gzip -1 -n -k t.tar; gzip -t t.tar.gz; sha256sum t.tar.gz; mkdir out; tar -xzf t.tar.gz -C out; diff -r data out/data && echo same; tar -tzf t.tar.gz | wc -l
zcat t.tar.gz | cmp - t.tar && echo zcat; tar -czf - data | tar -tzf - | sort | tail -1; rm -r out t.tar t.tar.gz data'
same "tar and xz" 90 sh '
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf t.tar data; xz -0 -k t.tar; xz -t t.tar.xz; sha256sum t.tar.xz
mkdir out; tar -xJf t.tar.xz -C out; diff -r data out/data && echo same; rm -r out t.tar t.tar.xz data'
rw=1 same "xz -T2" 90 sh '
cat data/d[012]/* >all; xz -T2 -0 --block-size=4MiB -k all; xz -l all.xz | tail -1 | awk "{ print \$2 }"; xz -dc -T2 all.xz | cmp - all && echo same; sha256sum all.xz; rm -r all all.xz data'
same "tar keeps what files are" 20 sh '
rm -r data; mkdir t; cd t; echo a >a; chmod 640 a; ln a b; ln -s a c; mkfifo p; mkdir -p d/e; chmod 1777 d; touch -d @1000000000 a; truncate -s 10M sparse; printf x | dd of=sparse bs=1 seek=5000000 conv=notrunc 2>/dev/null
cd ..; tar -S -cf t.tar t; mkdir x; tar -xpf t.tar -C x; cd x/t; stat -c "%n %A %h %s %F" a b c p sparse; stat -c "%A %h" d; stat -c %Y a; readlink c; cmp sparse ../../t/sparse && echo sparse; [ a -ef b ] && echo hard
cd ../..; printf "%s\0" t/a t/c | tar --null -T - -cf l.tar; tar -tf l.tar; tar -rf l.tar t/d; tar -tf l.tar; tar --delete -f l.tar t/a; tar -tf l.tar; rm t.tar l.tar'
finish
