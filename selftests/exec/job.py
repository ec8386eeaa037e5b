#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lbx-exec as a job of a shell on a terminal: Ctrl-Z, fg, bg, and what the terminal is like meanwhile. For job.t: LBX-EXEC."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

LBX = sys.argv[1]
LIMIT = 60
count = failed = 0


def ok(good, name, why=''):
    global count, failed
    count += 1
    failed |= not good
    print(f"{'' if good else 'not '}ok {count} - {name}" + ('' if good else f' # {why}'), flush=True)


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *argv):
        self.seen = ''
        self.pid, self.fd = pty.fork()
        if not self.pid:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.environ.update(PS1='shell> ', LC_ALL='C', ENV='', HOME=os.getcwd())
            os.execvp(argv[0], argv)
        self.resize(24, 80)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def more(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += data.decode('utf-8', 'replace')
        return bool(data)

    def comes(self, pattern, seconds=LIMIT):
        """Whether PATTERN comes; what is before it and it are taken."""
        until = time.monotonic() + seconds
        while not (m := re.search(pattern, self.seen, re.S)):
            left = until - time.monotonic()
            if left <= 0 or not self.more(left):
                m = re.search(pattern, self.seen, re.S)
                break
        if m:
            self.seen = self.seen[m.end():]
        return bool(m)

    def expect(self, pattern, name):
        good = self.comes(pattern)
        ok(good, name, f'no {pattern!r} in {self.seen[-300:]!r}')
        return good

    def modes(self):
        """A shell that edits its line turns off ICANON and ECHO as well, but not these."""
        _, oflag, _, lflag = termios.tcgetattr(self.fd)[:4]
        return bool(oflag & termios.OPOST), bool(lflag & termios.ISIG)

    def becomes(self, modes, name):
        until = time.monotonic() + LIMIT
        while self.modes() != modes and time.monotonic() < until:
            time.sleep(0.02)
        ok(self.modes() == modes, name, f'opost and isig are {self.modes()}')

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def status(self):
        while self.more(0.1):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def tree(root):
    """All processes below ROOT: {pid: (state, name)}"""
    parents = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat') as f:
                text = f.read()
        except OSError:
            continue
        rest = text[text.rindex(')') + 2:].split()
        parents[int(pid)] = (int(rest[1]), rest[0], text[text.index('(') + 1:text.rindex(')')])
    found, todo = {}, [root]
    while todo:
        p = todo.pop()
        for pid, (parent, state, name) in parents.items():
            if parent == p and state not in 'ZX':
                found[pid] = (state, name)
                todo.append(pid)
    return found


def settles(root, test, seconds=LIMIT):
    until = time.monotonic() + seconds
    while not test(now := tree(root)):
        if time.monotonic() > until:
            return now
        time.sleep(0.05)
    return None


def hosts(processes):
    """Those of the sandbox: not the shell's, the reaper is the one that never stops."""
    return [state for state, name in processes.values() if name in ('lbx-host', 'litebox')]


def shell():
    t = Terminal('bash', '--norc', '--noprofile', '-i')
    t.comes(r'shell> ')
    return t


RAW = False, False


def ctrl_z():
    t = shell()
    before = termios.tcgetattr(t.fd)
    t.type(f'{LBX} cat\n')
    t.becomes(RAW, 'the terminal is raw while the program has it')
    t.type('first\n')
    t.expect('first\r\nfirst\r\n', 'Ctrl-Z: cat runs')
    t.type('\x1a')
    t.expect(r'Stopped.*cat\r\n.*shell> ', 'Ctrl-Z: the shell says that its job stopped')
    left = settles(t.pid, lambda p: hosts(p) and set(hosts(p)) == {'T'})
    ok(not left, 'Ctrl-Z: the whole sandbox stands', left)
    t.type('stty -a | grep -o -E -e "-?(icanon|isig|opost)" | tr "\\n" .\n')
    t.expect(r'opost\.isig\.icanon\.', 'Ctrl-Z: the terminal is as it was')
    t.resize(33, 99)
    t.type('fg\n')
    t.expect(r'fg\r\n.*cat\r\n', 'fg')
    t.becomes(RAW, 'fg: the terminal is raw again')
    t.type('second\n')
    t.expect('second\r\nsecond\r\n', 'fg: cat goes on')
    for i in range(3):
        t.type('\x1a')
        t.comes(r'Stopped.*cat\r\n.*shell> ')
        t.type('fg\n')
        t.comes(r'fg\r\n.*cat\r\n')
        t.becomes(RAW, f'once more ({i})')
    t.type('third\n\x04')
    t.expect('third\r\nthird\r\n.*shell> ', 'fg: and to its end')
    t.type('echo status $?\n')
    t.expect(r'status 0\r\n', 'fg: its status')
    after = termios.tcgetattr(t.fd)
    ok(before[:4] == after[:4], 'the terminal is as it was at the end', f'{before[:4]} {after[:4]}')
    t.end()


def handlers():
    t = shell()
    t.type(f'{LBX} bash -c \'trap "stty size; echo continued" CONT; echo ready; while :; do read x && echo "got $x"; done\'\n')
    t.comes('ready\r\n')
    t.type('\x1a')
    t.expect(r'Stopped.*shell> ', 'a program that handles SIGCONT stops')
    t.resize(20, 77)
    t.type('fg\n')
    t.expect(r'20 77\r\ncontinued\r\n', 'fg: its handler runs, and the terminal has its new size')
    t.type('x\n')
    t.expect(r'got x\r\n', 'fg: it reads')
    t.type('\x1a')
    t.comes(r'Stopped.*shell> ')
    t.type('kill %1\n')
    left = settles(t.pid, lambda p: not p)
    ok(not left, 'kill of the stopped job: nothing is left', left)
    t.type('\n')
    t.expect(r'Exit 143', 'kill of the stopped job: status')
    t.end()


def whole_job():
    t = shell()
    t.type(f'sh -c "{LBX} sh -c \\"echo up; cat; exit 7\\"; echo script \\$?"\n')
    t.comes('up\r\n')
    t.type('\x1a')
    t.expect(r'Stopped.*shell> ', 'Ctrl-Z stops the script that runs lbx-exec too')
    t.type('fg\n')
    t.comes(r'fg\r\n')
    t.becomes(RAW, 'fg: of the script')
    t.type('\x04')
    t.expect(r'script 7\r\n', 'fg: the script goes on when the program ends')
    t.type(f'{LBX} cat\n')
    t.becomes(RAW, 'a program for Ctrl-C')
    t.type('\x1a')
    t.comes(r'Stopped.*shell> ')
    t.type('fg\n')
    t.becomes(RAW, 'fg before Ctrl-C')
    t.type('\x03')
    t.comes('shell> ')
    t.type('echo status $?\n')
    t.expect(r'status 130\r\n', 'Ctrl-C after fg')
    t.end()


def background():
    t = shell()
    t.type(f'{LBX} sh -c "echo up; i=0; while [ \\$i -lt 4 ]; do sleep 0.5; i=\\$((i+1)); done; echo over; read x; echo got \\$x"\n')
    t.comes('up\r\n')
    t.type('\x1a')
    t.expect(r'Stopped.*shell> ', 'bg: stopped first')
    t.type('bg\n')
    t.expect(r'over', 'bg: it goes on in the background')
    t.type('stty -a | grep -o -E -e "-?(icanon|isig|opost)" | tr "\\n" .\n')
    t.expect(r'opost\.isig\.icanon\.', 'bg: the terminal is the shell\'s')
    t.type('fg\n')
    t.comes(r'fg\r\n')
    t.becomes(RAW, 'fg after bg: raw again')
    t.type('word\n')
    t.expect(r'got word\r\n', 'fg after bg: it reads')
    t.end()


def inside():
    t = shell()
    t.type(f'{LBX} bash --norc --noprofile -i\n')
    t.becomes(RAW, 'a shell inside')
    time.sleep(1)
    t.type('PS1="in"side\'> \'\n')
    t.comes('inside> ')
    t.type('sleep 77\n')
    time.sleep(1)
    t.type('\x1a')
    t.expect(r'Stopped +sleep 77\r\n.*inside> ', 'Ctrl-Z of a program of a shell inside is that shell\'s')
    t.type('jobs; echo here $((1+1))\n')
    t.expect(r'here 2\r\n', 'it goes on')
    t.type('kill -STOP $$; echo back\n')
    t.expect(r'Stopped.*shell> ', 'kill -STOP $$: a shell inside that stops itself')
    t.type('fg\n')
    t.expect(r'back\r\n.*inside> ', 'fg of it')
    t.type('kill -KILL %1; wait; echo none left\n')
    t.comes(r'none left\r\n.*inside> ')
    t.type('exit 5\n')
    t.comes('shell> ')
    t.type('echo status $?\n')
    t.expect(r'status 5\r\n', 'its status')
    t.end()


def no_shell():
    """A terminal of its own, as xterm -e: nobody could continue it."""
    t = Terminal(LBX, 'sh', '-c', 'kill -TSTP $$; echo went on; read x; echo got $x; exit 3')
    t.expect(r'went on\r\n', 'without a shell SIGTSTP does not stop')
    t.type('\x1aword\n')
    t.expect(r'got word\r\n', 'without a shell Ctrl-Z does not stop')
    ok((s := t.status()) == 3, 'without a shell: status', s)
    t = Terminal(LBX, 'sh', '-c', '(sleep 1; kill -CONT $$) & kill -STOP $$; echo went on; exit 4')
    t.expect(r'went on\r\n', 'SIGSTOP without a shell: another program of the sandbox continues it')
    ok((s := t.status()) == 4, 'SIGSTOP without a shell: status', s)


def hangup():
    t = Terminal('sh', '-c', f'{LBX} sh -c "echo up; sleep 300"; :')
    t.comes('up\r\n')
    below = tree(t.pid)
    os.close(t.fd)
    left = below
    until = time.monotonic() + LIMIT
    while left and time.monotonic() < until:
        time.sleep(0.1)
        left = [p for p in below if os.path.exists(f'/proc/{p}') and open(f'/proc/{p}/stat').read().split(') ')[1][0] not in 'ZX']
    ok(below and not left, 'the terminal hangs up: nothing is left', left)
    os.waitpid(t.pid, 0)


for case in (ctrl_z, handlers, whole_job, background, inside, no_shell, hangup):
    case()
print(f'1..{count}')
sys.exit(failed)
