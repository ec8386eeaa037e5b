#!/bin/bash
# SPDX-License-Identifier: MIT
# Terminals: job control in bash on a pseudo terminal made inside (script), and on
# the terminal that the program was started on (a driver outside types into it).
. "$(dirname "$0")/lib.sh"
[ -x /usr/bin/python3 ] || { skip "terminals" "package python3"; finish; }

if need script bsdutils "script inside"; then
	filter='s/\r//g; s/\[([0-9])\] [0-9]+/[\1] N/; /^Script (started|done)/d'
	same "script inside" 30 sh '
script -qec "tty | cut -c1-9; stty size; test -t 0 && echo is a tty; exit 5" /dev/null; echo "status $?"
script -qec "bash --norc -c \"set -m; sleep 0.3 & jobs; wait; echo waited; (exit 3) & wait \\\$!; echo \\\$?\"" /dev/null; echo "status $?"
script -qec "stty raw -echo; stty -a | grep -o -E -- \"-(icanon|echo) \" | sort; stty sane; stty -a | grep -o -E \" (icanon|echo) \" | sort | head -1" /dev/null
script -qec "ps -o tty= -p \$\$ >/dev/null 2>&1; exec 3</dev/tty; test -t 3 && echo /dev/tty" /dev/null
script -qec "kill -INT 0; sleep 1" /dev/null; echo "status $?"; printf "typed\n" | script -qec "read x; echo got \$x" /dev/null | tail -1'
	filter=
fi

cat >"$tmp/drive.py" <<'END'
# Types into the terminal of a command and prints what came back, numbers of processes taken out.
import os, pty, re, select, signal, struct, fcntl, sys, termios, time

deadline = time.monotonic() + float(sys.argv[1])
pid, fd = pty.fork()
if not pid:
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
seen = ''

def more(seconds):
    global seen
    if not select.select([fd], [], [], seconds)[0]:
        return False
    try:
        data = os.read(fd, 65536)
    except OSError:
        return None
    seen += data.decode('utf-8', 'replace')
    return bool(data) or None

def wait_for(what):
    global seen
    while what not in seen:
        if more(0.1) is None or time.monotonic() > deadline:
            print('NEVER CAME:', repr(what), 'after', repr(seen[-300:]))
            os.kill(pid, signal.SIGKILL)
            sys.exit(1)
    at = seen.index(what) + len(what)
    out, seen = seen[:at], seen[at:]
    return out

def show(text):
    text = re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', text).replace('\r', '')
    text = re.sub(r'\[(\d)\] \d+', r'[\1] N', text)
    text = re.sub(r'\[(\d)\](.)?\s+', r'[\1]\2 ', text)
    for line in text.split('\n'):
        print('|' + line.rstrip())

def typed(text, until):
    os.write(fd, text.encode())
    show(wait_for(until))

show(wait_for('@ '))
typed('echo plain $((6 * 7))\r', '42\r\n@ ')
typed('tty >/dev/null && test -t 0 -a -t 1 && echo terminal\r', '\nterminal\r\n@ ')
typed('stty size\r', '24 80\r\n@ ')
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 100, 0, 0))
time.sleep(0.3)
typed('stty size\r', '40 100\r\n@ ')
typed('cat\r', 'cat\r\n')
typed('echoed twice\r', 'echoed twice\r\nechoed twice\r\n')
typed('\x04', '@ ')
typed('sleep 30\r', 'sleep 30\r\n')
time.sleep(0.3)
typed('\x03', '@ ')
typed('echo status $?\r', 'status 130\r\n@ ')
typed('sleep 31\r', 'sleep 31\r\n')
time.sleep(0.3)
typed('\x1a', '@ ')
typed('jobs\r', 'sleep 31\r\n@ ')
typed('bg\r', 'sleep 31 &\r\n@ ')
typed('fg\r', '\nsleep 31\r\n')
time.sleep(0.2)
typed('\x03', '@ ')
typed('sleep 0.2 & wait; echo waited\r', '\nwaited\r\n@ ')
typed('cat | tr a-z A-Z | cat\r', 'cat\r\n')
typed('pipeline\x7f\x7f!\r\x04', 'PIPELI!\r\n@ ')
typed('(trap "echo caught" INT; sleep 30; echo after)\r', 'after)\r\n')
time.sleep(0.3)
typed('\x03', '@ ')
typed('stty -echo\r', '@ ')
typed('echo silent\r', 'silent\r\n@ ')
typed('stty echo\r', '@ ')
typed('read -rsn1 k; echo "key $k"\r', '\r\n')
time.sleep(0.2)
typed('x', 'key x\r\n@ ')
typed('echo over dev tty >/dev/tty\r', '\nover dev tty\r\n@ ')
typed('cat & sleep 0.4; jobs; kill -9 %1; sleep 0.4; echo done\r', '\ndone\r\n@ ')	# stopped by SIGTTIN
os.write(fd, b'exit 6\r')
while more(0.1) is not None and time.monotonic() < deadline:
    pass
if time.monotonic() >= deadline:
    os.kill(pid, signal.SIGKILL)
_, status = os.waitpid(pid, 0)
show(seen)
print('status', os.waitstatus_to_exitcode(status))
END

# The same keys natively and inside; the transcripts must agree.
terminal()
{
	local side=$1 out=$tmp/$1.tty work=$tmp/work

	shift
	rm -rf "$work" && mkdir "$work" && cd "$work" || exit 1
	env -i HOME=/nonexistent PATH="$PATH" TERM=dumb LC_ALL=C PS1='@ ' timeout 60 /usr/bin/python3 "$tmp/drive.py" 50 "$@" >"$out" 2>&1
	echo "driver $?" >>"$out"
	cd "$top" || exit 1
}

shell='export PS1="@ " TERM=dumb LC_ALL=C; exec bash --norc --noediting -i'
terminal native sh -c "$shell"
if ! grep -q '^status 6$' "$tmp/native.tty"; then
	sed 's/^/# /' "$tmp/native.tty" | tail -5
	result 0 "job control on the terminal" "the native run did not come to its end"
elif [ -n "${PROGRAMS_SELF:-}" ]; then
	terminal inside sh -c "$shell"
else
	# shellcheck disable=SC2086
	terminal inside "$lbx" $opts -- sh -c "$shell"
fi
if [ -f "$tmp/inside.tty" ]; then
	if cmp -s "$tmp/native.tty" "$tmp/inside.tty"; then
		result 1 "job control on the terminal"
	else
		show_diff terminal transcript "$tmp/native.tty" "$tmp/inside.tty"
		result 0 "job control on the terminal" "the transcripts differ"
	fi
fi
finish
