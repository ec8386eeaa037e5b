#!/bin/bash
# SPDX-License-Identifier: MIT
# What is seen inside, and what never is.
. selftests/exec/lib.sh

# nothing secret
mkdir -p "$HOME/.ssh"
echo private >"$HOME/.ssh/id_test"
SECRET_TOKEN=very-secret; export SECRET_TOKEN
run sh -c 'cat /etc/shadow /etc/gshadow /etc/sudoers /etc/ssh/ssh_host_rsa_key; ls /etc/ssl/private; true'
is "$out" '' 'no /etc/shadow, keys, sudoers'
run cat "$HOME/.ssh/id_test"
[ "$status" != 0 ]; is "$?$out" 0 'no ~/.ssh'
run sh -c 'ls -A /root /home/*'
has_not "$out" '.ssh' 'homes are empty'
run env
has_not "$out" very-secret 'the environment is cleaned'
is "$(echo "$out" | sed 's/=.*//' | grep -vxE 'PATH|HOME|USER|LOGNAME|TERM|COLORTERM|LANG|LANGUAGE|LC_.*|TZ|NO_COLOR|PWD|_|SHLVL|OLDPWD')" '' \
	'nothing is in the environment but what is listed'
run sh -c 'find /run /var/run /tmp -type s 2>/dev/null'
is "$out" '' 'no sockets of the host'
run sh -c 'ls /proc | grep -E "^[0-9]+$" | wc -l'
[ "$out" -lt 8 ]; is "$?" 0 'no processes of the host'
mkdir "$tmp/beside"; echo x >"$tmp/beside/file"
run ls "$tmp/beside"
[ "$status" != 0 ]; is $? 0 'what lies beside the current directory is not there'
run sh -c "exec $build/lbx-exec --version"
[ "$status" != 0 ]; is $? 0 'nor is where lbx-exec lies'

# the current directory
echo content >file
run cat file; is "$out" content 'the current directory is there'
run pwd; is "$out" "$PWD" 'and is where the program starts'
run sh -c 'echo changed >file; echo new >new; cat file new'
is "$(cat file)$([ -e new ] && echo new)" content 'what is written there is gone afterwards'
# root would read /etc/shadow there, and everybody the logs
for dir in /etc /var /var/log /run /proc /dev; do
	out=$(cd $dir && timeout -k 1 $LIMIT "$lbx" sh -c 'pwd; cat shadow log/dpkg.log self/status' 2>"$tmp/err")
	is "$out" / "$dir is not shown where it is the current directory"
	has "$(cat "$tmp/err")" "$dir is not shown inside" "$dir: a line says so"
done
out=$(cd /usr/share && timeout -k 1 $LIMIT "$lbx" pwd)
is "$out" /usr/share 'what is shown anyway is the current directory inside too'
mkdir home
out=$(cd home && HOME=$PWD timeout -k 1 $LIMIT "$lbx" pwd 2>"$tmp/err")
is "$out" / 'a home directory is not shown'
has "$(cat "$tmp/err")" "$PWD/home is not shown inside" 'a line says so'
out=$(HOME=$PWD/home timeout -k 1 $LIMIT "$lbx" ls "$PWD" 2>"$tmp/err")
is "$out" '' 'nor is one above it'
out=$(cd / && timeout -k 1 $LIMIT "$lbx" pwd 2>"$tmp/err")
is "$out" / '/ is not shown'
has "$(cat "$tmp/err")" 'the current directory, /, is not shown' 'a line says so for / too'

# the system
run sh -c 'touch /usr/x || echo no'
is "$out" no 'the system cannot be written'
[ ! -e /usr/x ]; is $? 0 'and was not'
run sh -c 'touch /etc/passwd.new /etc/ld.so.cache 2>/dev/null; id -u; id -un'
is "$(echo "$out" | head -1)" "$(id -u)" 'own uid'
is "$(echo "$out" | sed -n 2p)" "$(id -un)" 'own name'
run sh -c 'for d in /tmp /root /home /run /var /dev /proc /sys; do [ -d $d ] || echo no $d; done'
is "$out" '' '/tmp and the others are there'
run sh -c 'echo a >/tmp/a && echo b >"$HOME/b" && cat /tmp/a "$HOME/b"'
is "$out" $'a\nb' '/tmp and HOME can be written'
ls /tmp/a >/dev/null 2>&1; [ $? != 0 ]; is $? 0 'and are not the host'\''s'

# a program outside of the view
mkdir "$tmp/elsewhere"
printf '#!/bin/sh\necho "I am $0"; ls "$(dirname "$0")"\n' >"$tmp/elsewhere/prog"; chmod 755 "$tmp/elsewhere/prog"
echo secret >"$tmp/elsewhere/other"
run "$tmp/elsewhere/prog"
is "$out" "I am $tmp/elsewhere/prog"$'\nprog' 'a program outside is granted by itself, alone'

# options
run --bind "$tmp/beside:/mnt/b" cat /mnt/b/file; is "$out" x '--bind SRC:DST'
run --bind "$tmp/beside" cat "$tmp/beside/file"; is "$out" x '--bind SRC'
run --bind "$tmp/beside/file:/one" cat /one; is "$out" x '--bind of a file'
run --bind "$tmp/beside:/mnt/b" sh -c 'echo y >/mnt/b/file || echo no; echo z >/mnt/b/new || echo no'
is "$out $(cat "$tmp/beside/file")" $'no\nno x' '--bind is read-only'
run --bind "$tmp/beside:/mnt/b:rw" sh -c 'echo y >/mnt/b/file; echo z >/mnt/b/new'
is "$status $(cat "$tmp/beside/file" "$tmp/beside/new")" $'0 y\nz' '--bind :rw'
ln -s /etc/hostname "$tmp/beside/link"
run --bind "$tmp/beside:/mnt/b" cat /mnt/b/link
[ "$status" != 0 ]; is $? 0 'a link out of --bind leads to the sandbox'\''s own tree'
run --tmpfs /scratch sh -c 'echo s >/scratch/s; cat /scratch/s'; is "$out" s '--tmpfs'
run --env A=b --env SECRET_TOKEN sh -c 'echo $A $SECRET_TOKEN'; is "$out" 'b very-secret' '--env'
run --clearenv --env ONLY=this env; is "$(echo "$out" | grep -v '^PWD=\|^_=\|^SHLVL=')" ONLY=this '--clearenv'
run --env "PATH=$PWD" script.in.path; is "$status" 127 'PATH of --env is searched: not there'
printf '#!/bin/sh\necho found\n' >script.in.path; chmod 755 script.in.path
run --env "PATH=$PWD" script.in.path; is "$out" found 'PATH of --env is searched: there'
run --chdir /usr pwd; is "$out" /usr '--chdir'
run --uid 4321 --gid 8765 sh -c 'id -u; id -g'; is "$out" $'4321\n8765' '--uid, --gid'
run --uid 0 --gid 0 sh -c 'id -u; cat /etc/shadow'; is "$out" 0 'uid 0 inside is nothing outside'
run --hostname testbox uname -n; is "$out" testbox '--hostname'
run uname -n; is "$out" litebox 'hostname'
run --fds 64 sh -c 'ulimit -n'; is "$out" 64 '--fds'
mkdir -p "$tmp/root/bin" "$tmp/root/etc"; echo mine >"$tmp/root/etc/file"
cat >"$tmp/root.c" <<'END'
#include <stdio.h>
int main(void)
{
	char line[80];
	FILE *f = fopen("/etc/file", "r");

	return !f || !fgets(line, sizeof(line), f) || fputs(line, stdout) < 0 || fopen("/usr", "r");
}
END
gcc -static -o "$tmp/root/bin/show" "$tmp/root.c"
run --root "$tmp/root" /bin/show; is "$status $out" '0 mine' '--root'

# files as standard input and output: one position inside and outside
seq 9 >"$tmp/nine"
out=$( (read -r x; timeout -k 1 $LIMIT "$lbx" -- sh -c 'head -n 2; sed -n 1q'; head -n 1) <"$tmp/nine" | tr '\n' ' ')
is "$out" '2 3 5 ' 'what follows goes on where the sandbox stopped reading'
(echo pre; timeout -k 1 $LIMIT "$lbx" -- sh -c 'echo in; echo err >&2'; echo post) >"$tmp/log" 2>&1
is "$(tr '\n' ' ' <"$tmp/log")" 'pre in err post ' 'and where it stopped writing'
(timeout -k 1 $LIMIT "$lbx" -- dd if=/dev/zero bs=1 seek=9 count=1; echo post) >"$tmp/log" 2>"$tmp/err"
is "$(tr '\0' . <"$tmp/log")" '..........post' 'also after it sought'
out=$(timeout -k 1 $LIMIT "$lbx" --fd 3 -- sh -c 'read x; read y <&3; echo $x $y' <"$tmp/nine" 3<"$tmp/nine")
is "$out" '1 1' 'two opens of one file have two positions'

# looking
run --dry-run true
has "$out" 'program /usr/bin/true' '--dry-run: the program'
has "$out" '/usr ' '--dry-run: mounts'
has "$out" 'rt_sigreturn' '--dry-run: calls'
has "$out" 'processors' '--dry-run: limits'
run --dry-run --json --env 'A="b' true
is "$(echo "$out" | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["program"])')" /usr/bin/true '--dry-run --json'
run --list-souths
has "$out" 'host     works' '--list-souths'
run --list-souths --verbose
n=$(echo "$out" | sed -n 's/ *\([0-9]*\) host system calls.*/\1/p')
[ "$n" -ge 10 ] && [ "$n" -le 20 ]; is $? 0 'at most 20 host calls'
for word in 'user     namespace:' 'PID      namespace:' 'Landlock:'; do has "$out" "$word" "--list-souths --verbose: $word"; done
run --list-souths --json
is "$(echo "$out" | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["souths"][0]["name"])')" host '--list-souths --json'
run --json sh -c 'exit 9'
is "$(echo "$err" | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["exit"]["status"])')" 9 '--json: the end'
run --trace=trace.out true
[ "$(grep -c exit_group trace.out)" -ge 1 ]; is $? 0 '--trace=FILE'
done_testing
