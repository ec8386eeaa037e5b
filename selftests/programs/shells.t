#!/bin/bash
# SPDX-License-Identifier: MIT
# dash and bash: what scripts are made of.
. "$(dirname "$0")/lib.sh"

filter='s/ *[0-9]+ (Killed|Terminated)/ N \1/; s/process [0-9]+/process N/'
posix=$(cat <<'END'
echo pipeline; printf '%s\n' c b a | sort | tr a-c A-C | paste -sd, -
for i in 1 2 3 4 5; do echo $i; done | while read -r n; do echo $((n * n)); done | { sum=0; while read -r n; do sum=$((sum + n)); done; echo $sum; }
cat <<HERE | wc -c
here $((1 + 2)) $(echo nested "$(echo deeper)")
HERE
cat <<'HERE'
quoted $HOME `no`
HERE
big=$(yes abcdefghij | head -20000); cat <<HERE | cksum
$big
HERE
f() { return 7; }; f; echo "status $?"
(exit 3); echo "subshell $?"
sh -c 'kill -TERM $$' 2>/dev/null; echo "killed $?"
sh -c 'kill -9 $$'; echo "killed $?"
trap 'echo trapped' USR1; kill -USR1 $$; echo after
trap 'echo bye' EXIT
sleep 0.05 & p=$!; wait $p; echo "waited $?"
(sleep 0.05; exit 9) & wait $!; echo "waited $?"
sleep 5 & sleep 0.3; kill $!; wait $! 2>/dev/null; echo "terminated $?"
echo redirect >out; echo more >>out; cat <out; exec 3<out; read -r line <&3; echo "$line"; exec 3<&-
ls /nonexistent 2>err || echo "failed $?"; [ -s err ] && echo err has text
{ echo stdout; echo stderr >&2; } 2>&1 | sort
x=abc.def.ghi; echo ${x%.*} ${x%%.*} ${x#*.} ${x##*.} ${#x} ${y:-default} ${y-}
case $x in a*i) echo match;; *) echo no;; esac
set -- one 'two three' four; echo $# "$2"; shift; echo "$*"
umask; umask 077; touch private; ls -l private | cut -c1-10; umask 022
mkdir -p d/e/f; cd d/e/f; pwd | sed 's/.*\(d.e.f\)/\1/'; cd ../../..
i=0; while [ $i -lt 200 ]; do i=$((i + 1)); /bin/true || echo bad; done; echo "forked $i"
mkfifo pipe; (echo through the fifo >pipe) & cat pipe; wait
ulimit -n 50; ulimit -n
echo *; set -f; echo *; set +f
command -v cat; type cd | head -1
exec 4>&1; { echo to-four >&4; } 4>&1; exec 4>&-
(trap '' TERM; kill -TERM $(sh -c 'echo $PPID'); echo survived)
eval 'a=5; echo $((a << 3)) $((a ^ 1)) $((0x1f)) $((a > 3 ? 1 : 2))'
read -r a b <<X
first rest of it
X
echo "$b/$a"
yes | head -1000000 | tail -1
END
)
same "dash" 30 dash "$posix"
same "bash as sh" 30 bash "$posix"

bashy=$(cat <<'END'
diff <(printf 'a\nb\n') <(printf 'a\nc\n')
coproc C { tr a-z A-Z; }; echo hello >&"${C[1]}"; exec {C[1]}>&-; cat <&"${C[0]}"; wait
arr=(one two "three four"); arr+=(five); echo "${#arr[@]} ${arr[-1]} ${arr[@]:1:2} ${!arr[*]}"
declare -A m=([k]=v [x]=y); for k in "${!m[@]}"; do echo "$k=${m[$k]}"; done | sort
set -o pipefail; false | true; echo "pipefail $? ${PIPESTATUS[*]}"
[[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[2]} ${BASH_REMATCH[1]}"
mapfile -t lines < <(seq 5); echo "${lines[@]}"
for ((i = 0; i < 3; i++)); do (sleep 0.0$i; exit $i) & done; n=0; while wait -n; do :; done; wait; echo waited
echo {a..e}{1..2}; printf -v s '%05d|%x|%q' 42 255 'a b'; echo "$s"
shopt -s globstar nullglob; mkdir -p g/h/i; touch g/1.c g/h/2.c g/h/i/3.c; echo g/**/*.c
cat <<<"here string $((6 * 7))"
trap 'echo ERR at $LINENO' ERR; false; trap - ERR
time_it() { local TIMEFORMAT=%R; time sleep 0.01; }; time_it 2>&1 | grep -cE '^0\.'
exec 5<>rw; echo data >&5; exec 5>&-; cat rw
(set -e; false; echo not reached); echo "set -e $?"
kill -l 15; kill -l TERM
sleep 10 & disown; kill %% 2>/dev/null || kill $!; echo $?
read -t 0.05 x < <(sleep 1); echo "timeout $(($? > 128))"
ulimit -c; echo ${BASH_VERSION%%.*}
printf '%(%Y)T\n' 0
seq 100000 | { mapfile -n 10 a; echo ${#a[@]}; } 
{ sleep 0.1; echo late; } & { echo early; } & wait
cd /proc/self && pwd -P | grep -c '^/proc/[0-9]'; cd - >/dev/null
echo $((2**62)) $((10#0099)); echo "${BASHPID}" | grep -cE '^[0-9]+$'
f() { echo "${FUNCNAME[0]} $#"; }; export -f f; bash -c 'f a b'
/bin/bash -c 'exec -a renamed sh -c "tr \"\\0\" \" \" </proc/self/cmdline | cut -c1-2"'
END
)
same "bash" 30 bash "$bashy"
want=5 same "exit status" 10 sh 'echo x; exit 5'
want=137 same "killed by SIGKILL" 10 sh 'echo x; kill -9 $$'
want=143 same "killed by SIGTERM" 10 sh 'echo x; kill $$'
want=127 same "no such command" 10 sh 'echo x; nonexistent-command'
want=126 same "not executable" 10 sh 'echo x >f; cat f; ./f'

stdin=$tmp/input
seq 100000 >"$stdin"
same "stdin is a file" 10 sh 'stat -L -c "%s %F" /dev/stdin; head -3; sed -n 2p; tail -c 10; wc -l; tail -n 2 /dev/stdin; cksum /dev/stdin'
same "reads stdin" 10 sh 'read -r a; read -r b; echo "$a $b"; wc -l; cksum </dev/stdin'
finish
