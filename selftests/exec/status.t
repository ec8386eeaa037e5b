#!/bin/bash
# SPDX-License-Identifier: MIT
# Exit statuses, streams, and the words of errors.
. selftests/exec/lib.sh

run true; is "$status" 0 'status 0'
run sh -c 'exit 42'; is "$status" 42 'status 42'
run sh -c 'exit 255'; is "$status" 255 'status 255'
for sig in 9 15 11 1; do
	run sh -c "kill -$sig \$\$"
	is "$status" $((128 + sig)) "killed by signal $sig"
done
run --timeout 1 sleep 100; is "$status" 124 'time is over'
run --timeout 0.5 sh -c 'trap "" TERM; while :; do :; done'; is "$status" 124 'time is over for one that does nothing but run'
run --timeout 30 sh -c 'exit 3'; is "$status" 3 'time that is not over'

run nosuchprogram; is "$status" 127 'no such program by PATH: status'
has "$err" 'lbx-exec: nosuchprogram: not found in /usr' 'no such program by PATH: text'
run ./nosuchprogram; is "$status" 127 'no such program by name: status'
has "$err" './nosuchprogram: No such file or directory' 'no such program by name: text'
run /etc; is "$status" 126 'a directory is no program'
printf 'neither\n' >plain; chmod 644 plain
run "$PWD/plain"; is "$status" 126 'a file without x is no program'
printf '#!/nowhere/sh\n' >script; chmod 755 script
run ./script; is "$status" 127 'a script whose interpreter is not there'
printf '#!/bin/sh\necho "$0 $1"; exit 5\n' >script
run ./script word; is "$status $out" "5 $PWD/script word" 'a script'
run ''; is "$status" 127 'an empty name'

run --nosuch true; is "$status" 125 'unknown option: status'
has "$err" "unrecognized option '--nosuch'" 'unknown option: text'
run; is "$status" 125 'no program: status'
has "$err" 'which program?' 'no program: text'
for bad in '--mem 1' '--mem 12X' '--mem -5' '--cpus 0' '--procs x' '--fds 1' '--uid -1' '--timeout 0' '--timeout x' '--time 0' \
	'--fd 2' '--fd 32' '--fd 29' '--bind /nosuch' '--bind :/x' '--bind /usr:x' '--tmpfs x' '--tmpfs /' '--bind /usr:/' '--tmpfs /x:1' '--tmpfs /x:' '--tmpfs /x:12Q' '--chdir x' \
	'--env =x' '--south kvm' '--south nosuch' '--root /nosuch' '--hostname='; do
	run $bad true
	is "$status" 125 "$bad: status"
	has "$err" "lbx-exec: ${bad%%[ =]*}" "$bad: the message names it"
done
run --chdir /nosuch true
is "$status" 125 '--chdir of what is not there'
has "$err" '/nosuch: cannot be the working directory' '--chdir of what is not there: text'
run --trace=/nosuch/file true; is "$status" 125 '--trace of what cannot be written'

is "$(echo in | timeout -k 1 $LIMIT "$lbx" cat)" in 'pipes'
seq 100000 >"$tmp/seq"
is "$(timeout -k 1 $LIMIT "$lbx" cat <"$tmp/seq" | cksum)" "$(cksum <"$tmp/seq")" 'a file in, a pipe out'
timeout -k 1 $LIMIT "$lbx" cat <"$tmp/seq" >"$tmp/copy"
is "$(cksum <"$tmp/copy")" "$(cksum <"$tmp/seq")" 'a file in, a file out'
echo first >"$tmp/log"
timeout -k 1 $LIMIT "$lbx" sh -c 'echo second; echo third >&2' >>"$tmp/log" 2>&1
is "$(cat "$tmp/log")" $'first\nsecond\nthird' 'one file for both, appended to'
is "$(timeout -k 1 $LIMIT "$lbx" yes 2>/dev/null | head -c 4)" $'y\ny' 'the reader goes away'
is "$(timeout -k 1 $LIMIT "$lbx" head -c 3 </dev/zero | od -An -tx1)" ' 00 00 00' 'a device in: relayed'
timeout -k 1 $LIMIT "$lbx" sh -c 'cat; echo out; echo err >&2; exit 7' <&- >&- 2>&-
is $? 7 'all three closed'
is "$(timeout -k 1 $LIMIT "$lbx" sh -c 'read x; echo "<$x>"' <&-)" '<>' 'standard input closed: end of file'
is "$(timeout -k 1 $LIMIT "$lbx" --fd 7 --fd 5 sh -c 'cat <&7; cat <&5' 7<<<seven 5<<<five)" $'seven\nfive' '--fd keeps its number'
timeout -k 1 $LIMIT "$lbx" --fd 9 sh -c 'echo written >&9' 9>"$tmp/nine"
is "$(cat "$tmp/nine")" written '--fd to write'
run sh -c 'echo x >&4'
[ "$status" != 0 ]; is $? 0 'descriptor 4 is not there without --fd'
exec 8</etc/hostname
run sh -c 'cat <&8'
[ "$status" != 0 ]; is $? 0 'an open descriptor of the caller is not there without --fd'
exec 8<&-

run --version; has "$out" 'lbx-exec ' '--version'; is "$status" 0 '--version: status'
run --help; has "$out" 'Usage: lbx-exec' '--help'
run -- true; is "$status" 0 '--'
run -- sh -c 'echo "$@"' sh --help -x; is "$out" '--help -x' 'options of the program are its own'
done_testing
