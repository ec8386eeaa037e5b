#!/bin/bash
# SPDX-License-Identifier: MIT
# perl: processes, pipes, sockets, signals, files, regular expressions.
. "$(dirname "$0")/lib.sh"
need perl perl perl || finish

cat >"$tmp/a.pl" <<'END'
use strict; use warnings; use POSIX qw(:sys_wait_h :signal_h setsid); use IO::Socket::UNIX; use Socket; use IO::Select;
use File::Temp qw(tempfile tempdir); use File::Find; use File::Copy; use Fcntl qw(:flock :seek); use Time::HiRes qw(usleep setitimer ITIMER_REAL); use IPC::Open3; use Errno;
$| = 1;
my %count; $count{$_ % 7}++ for 1 .. 50000; print join(",", map { "$_=$count{$_}" } sort keys %count), "\n";
my $text = join " ", map { "w$_" } 1 .. 5000; my $n = () = $text =~ /\bw\d*7\b/g; print "matches $n\n";
print join("|", "2026-11-23" =~ /^(\d+)-(\d+)-(\d+)$/), "\n"; (my $t = "hello world") =~ s/(\w+)/\u$1/g; print "$t\n";
my @kids; for my $i (1 .. 5) { my $p = fork // die; if (!$p) { exit $i } push @kids, $p } my $sum = 0; for (@kids) { waitpid $_, 0; $sum += $? >> 8 } print "sum $sum\n";
pipe my $r, my $w; if (!fork) { close $r; print $w "from child $_\n" for 1 .. 3; exit } close $w; print while <$r>; wait;
print `echo backticks; exit 3`, $? >> 8, "\n"; open my $p, "-|", "sort -r" , or die; close $p;
open($p, "|-", "cat") or die; print $p "to a pipe\n"; close $p; system "false"; print "system ", $? >> 8, "\n";
my $pid = open3(my $in, my $out, undef, "tr", "a-z", "A-Z"); print $in "open3\n"; close $in; print <$out>; waitpid $pid, 0;
local $SIG{ALRM} = sub { die "alarm\n" }; eval { setitimer(ITIMER_REAL, 0.05); select undef, undef, undef, 3; }; print "caught $@";
$SIG{USR1} = sub { print "usr1\n" }; kill USR1 => $$; $SIG{CHLD} = sub { 1 while waitpid(-1, WNOHANG) > 0 }; if (!fork) { exit } usleep 50000;
$SIG{CHLD} = "DEFAULT";
my $srv = IO::Socket::UNIX->new(Local => "sock", Listen => 1) or die; if (!fork) { my $c = IO::Socket::UNIX->new(Peer => "sock") or die; print $c "over the socket\n"; print "reply: ", scalar <$c>; exit }
my $c = $srv->accept; my $line = <$c>; print $line; print $c "thanks\n"; close $c; wait;
my ($fh, $name) = tempfile("tXXXX", DIR => "."); print $fh "x" x 10000; close $fh; print -s $name, "\n"; open $fh, "+<", $name; seek $fh, 5000, SEEK_SET; print $fh "middle"; close $fh;
open $fh, "<", $name; local $/; my $all = <$fh>; close $fh; print index($all, "middle"), "\n"; unlink $name; $/ = "\n";
open my $l, ">", "lock"; flock $l, LOCK_EX; if (!fork) { open my $m, ">", "lock"; print "locked: ", (flock($m, LOCK_EX | LOCK_NB) ? "no" : "yes"), "\n"; exit } wait;
mkdir "d"; mkdir "d/e"; for (1 .. 3) { open my $f, ">", "d/e/$_"; print $f $_ } my @f; find(sub { push @f, $File::Find::name if -f }, "d"); print join(" ", sort @f), "\n";
copy "d/e/1", "d/copy"; rename "d/copy", "d/moved"; print join(" ", map { sprintf "%o", (stat)[2] & 0777 } "d", "d/moved"), "\n"; utime 1, 2, "d/moved"; print((stat "d/moved")[9], "\n");
open my $no, "<", "nope" or print "errno ", $! + 0, " $!\n"; print exists $!{ENOENT} && $!{ENOENT} ? "ENOENT\n" : "?\n";
my $sel = IO::Select->new($r); print "select ", scalar($sel->can_read(0)), "\n"; print join(",", (getpwuid($<))[2] // "none") eq $< ? "me\n" : "me?\n";
socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC; syswrite $a, "pair"; sysread $b, my $buf, 10; print "$buf\n"; print sprintf("%.6f", atan2(1, 1) * 4), " ", 2 ** 40, "\n";
if (!(my $k = fork)) { exec "sh", "-c", "echo exec \$0 \$1", "a", "b c" } wait; exit 4;
END
cat >"$tmp/bad.pl" <<'END'
print "1\n"; die "with a message\n";
END
setup() { cp "$tmp"/*.pl .; }
want=4 same "perl" 30 sh 'exec perl a.pl'
want=255 same "perl dies" 30 sh 'perl bad.pl 2>&1'
same "perl one-liners" 30 sh 'seq 100000 | perl -ne "\$s += \$_; END { print \"\$s\n\" }"; perl -pe "s/\d+/<\$&>/" <<X
a 12 b
X
perl -MDigest::SHA=sha256_hex -e "print sha256_hex(q(abc)), qq(\n)"; perl -MList::Util=sum,shuffle -e "print sum(1..100), qq(\n)"; perl -MData::Dumper -e "\$Data::Dumper::Sortkeys=1; print Dumper({a=>[1,2],b=>{c=>1}})"
perl -MEncode -CS -e "print chr(0x263a), length(encode(q(UTF-8), chr(0x263a))), qq(\n)"; perl -i -pe "s/a/b/" a.pl; md5sum a.pl; perl -e "my %h; \$h{\$_} = 1 for 1 .. 200000; print scalar(keys %h), qq(\n)"'
finish
