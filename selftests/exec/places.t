#!/bin/bash
# SPDX-License-Identifier: MIT
# Where lbx-exec is started from: with descriptors closed, by cron, by a service manager, by CI, inside itself.
. selftests/exec/lib.sh

limited() { timeout -k 1 $LIMIT "$@"; }

# no standard descriptor is open: what lbx-exec opens for itself must not become the program's
mkdir "$tmp/rw"
show='fds=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2); echo $fds >/rw/fds; exit 4'
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '>&- 2>&-' '<&- 2>&-' '<&- >&- 2>&-'; do
	rm -f "$tmp/rw/fds"
	limited bash -c "\"\$0\" --bind \"\$1:/rw:rw\" sh -c \"\$2\" </dev/null >/dev/null 2>/dev/null $closed" "$lbx" "$tmp/rw" "$show"
	is $? 4 "closed: $closed"
	is "$(cat "$tmp/rw/fds")" '/dev/null /dev/null /dev/null' "closed: $closed: they lead nowhere"
done
limited bash -c '"$0" --no-such-option <&- >&- 2>&-' "$lbx"
is $? 125 'closed: an error of lbx-exec itself'

# cron: no terminal, / as the directory, next to no environment, output into a pipe
out=$(cd / && limited env -i HOME=/ LOGNAME=x SHELL=/bin/sh PATH=/usr/bin:/bin setsid -w "$lbx" sh -c 'tty; echo job; exit 3' </dev/null 2>/dev/null; echo "status $?")
is "$out" "$(printf 'not a tty\njob\nstatus 3')" 'as cron does'

# a service manager: no terminal, input from /dev/null, output into a socket, SIGPIPE ignored, TERM to end it
if [ -x /usr/bin/python3 ]; then
	cat >"$tmp/service.py" <<-'END'
	import os, signal, socket, subprocess, sys
	signal.signal(signal.SIGPIPE, signal.SIG_IGN)
	ours, theirs = socket.socketpair()
	child = subprocess.Popen([sys.argv[1], 'sh', '-c', 'trap "echo stopping; exit 0" TERM; echo started; while :; do sleep 0.1; done'],
	                         stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, start_new_session=True, cwd='/', restore_signals=False,
	                         env={'PATH': '/usr/bin:/bin', 'INVOCATION_ID': '0', 'JOURNAL_STREAM': '8:1'})
	theirs.close()
	ours.settimeout(50)
	text = b''
	while chunk := ours.recv(4096):
	    text += chunk
	    if b'started' in text and b'stopping' not in text:
	        child.send_signal(signal.SIGTERM)
	print(*[line for line in text.decode().splitlines() if not line.startswith('lbx-exec: the current directory')], 'status', child.wait())
	END
	is "$(limited /usr/bin/python3 "$tmp/service.py" "$lbx")" 'started stopping status 0' 'as a service manager does'
else
	skip 'as a service manager does' 'no python3'
fi

# CI: everything into one pipe, nobody reads the input
out=$(sleep 5 | limited "$lbx" sh -c 'echo out; echo err >&2; exit 2' 2>&1; echo "status ${PIPESTATUS[1]}")
is "$out" "$(printf 'out\nerr\nstatus 2')" 'into one pipe'

# inside itself: says why not, and what to do
out=$(limited "$lbx" --bind "$build:/lbx" /lbx/lbx-exec true 2>&1 </dev/null)
is $? 125 'inside itself: status'
has "$out" 'inside a sandbox of litebox already' 'inside itself: a line says why'
has "$out" 'without lbx-exec' 'inside itself: and the way out'
done_testing
