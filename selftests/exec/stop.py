#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Stop and continue all host processes of a sandbox while it waits in every way there is: waits.c. For stop.t: WAITS [LBX-EXEC]"""
import os
import random
import select
import signal
import subprocess
import sys
import time

LIMIT = 60
ROUNDS = 8


def below(root):
    parents = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat') as f:
                text = f.read()
        except OSError:
            continue
        rest = text[text.rindex(')') + 2:].split()
        parents[int(pid)] = (int(rest[1]), rest[0])
    found, todo = {}, [root]
    while todo:
        p = todo.pop()
        for pid, (parent, state) in parents.items():
            if parent == p and state not in 'ZX':
                found[pid] = state
                todo.append(pid)
    return found


def comm(pid):
    try:
        with open(f'/proc/{pid}/comm') as f:
            return f.read().strip()
    except OSError:
        return ''


def send(pids, sig):
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


def stop_all(root, sandbox_only):
    """As long as there are new ones; in any order; with or without the broker and the reaper. Return: those that stand"""
    stopped = set()
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        tree = below(root) | ({} if sandbox_only else {root: 'S'})
        new = [p for p in tree if p not in stopped and not (sandbox_only and comm(p) == 'lbx-reaper')]
        if not new:
            return stopped
        random.shuffle(new)
        send(new, signal.SIGSTOP)
        stopped.update(new)
        time.sleep(0.01)
    return stopped


class Run:
    def __init__(self, argv, stops):
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                      env=os.environ | {'TMPDIR': os.getcwd()})
        self.text = b''
        self.seen = []
        self.stops = stops

    def read(self, what):
        until = time.monotonic() + LIMIT
        while what not in self.text:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                return False
            data = os.read(self.child.stdout.fileno(), 65536)
            if not data:
                return False
            self.text += data
        return True

    def run(self):
        ok = self.read(b'ready\n')
        for _ in range(self.stops if ok else 0):
            pids = list(stop_all(self.child.pid, random.random() < 0.5))
            self.seen.append(len(pids))
            time.sleep(random.choice((0.01, 0.1, 0.4)))
            random.shuffle(pids)
            send(pids, signal.SIGCONT)
            time.sleep(random.choice((0.01, 0.05, 0.1)))
        if ok:
            self.child.stdin.write(b'go\n')
            ok = self.read(b'end\n')
        if not ok:
            self.child.kill()
        self.status = self.child.wait()
        return dict(line.split(' ', 1) for line in self.text.decode().split('\n') if ' ' in line)


def main():
    waits, lbx = sys.argv[1], sys.argv[2]
    count = failed = 0

    def result(good, name, why=''):
        nonlocal count, failed
        count += 1
        failed |= not good
        print(f"{'' if good else 'not '}ok {count} - {name}" + ('' if good else f' # {why}'), flush=True)

    # what the host itself says, undisturbed: the test's own test
    native = Run([waits], 0).run()
    result(len(native) > 20 and set(native.values()) == {'ok'}, 'natively, not stopped', native)
    for name, stops in (('not stopped', 0), ('stopped', ROUNDS), ('stopped again', ROUNDS)):
        r = Run([lbx, waits], stops)
        got = r.run()
        for wait in native:
            result(got.get(wait) == 'ok', f'{name}: {wait}', got.get(wait, 'it never ended'))
        result(r.status == 0, f'{name}: the end', f'status {r.status}')
        if stops:
            result(len(r.seen) == stops and min(r.seen) > 20, f'{name}: there was something to stop', r.seen)
    print(f'1..{count}')
    return failed


sys.exit(main())
