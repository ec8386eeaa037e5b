# SPDX-License-Identifier: MIT
"""The measuring: environments, workers in them, rounds."""
import glob
import os
import platform
import shutil
import subprocess
import sys
import time

START_TRUE = 'start, static true'
START_PYTHON = 'start, python3 -c 1'
FILES_COLD = 'small files, first reading'
FILES_WARM = 'small files, again'
MEMORY = 'memory'
MANY_TIME = 'many at once, until all are up'
MANY_MEMORY = 'many at once, memory each'
PYTHON = '/usr/bin/python3'
COUNTED = ('getpid', 'read 1 byte of /dev/zero', 'pipe write+read', 'futex wake, nobody waits', 'pread 4 KiB, file in memory',
           'stat, file in memory')


class Environment:
    """A way to run a command: nothing, or the words before it."""

    def __init__(self, name, words):
        self.name = name
        self.words = words

    def command(self, argv, files=None):
        """@files: a directory that has to be there, read-only."""
        words = list(self.words)
        if files and self.name.startswith('lbx'):
            words[1:1] = ['--bind', files]
        return words + argv


def environments(o):
    """Return: those that are here, and a line for each that is not."""
    lbx = os.path.join(o.build, 'lbx-exec')
    envs = [Environment('native', []),
            Environment('lbx trap', [lbx, '--no-patch', '--']),
            Environment('lbx', [lbx, '--'])]
    absent = []
    if shutil.which('bwrap'):
        # what lbx-exec separates is separated here as well
        envs.append(Environment('bwrap', ['bwrap', '--unshare-all', '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc']))
    else:
        absent.append('bubblewrap is not installed')
    if shutil.which('runsc'):
        root = [] if not os.getuid() else ['--rootless']
        envs.append(Environment('runsc', ['runsc', *root, '--network=none', '--platform=systrap', 'do']))
    else:
        absent.append("gVisor's runsc is not installed (it is no Debian package)")
    works = []
    for e in envs:
        run = subprocess.run(e.command([os.path.join(o.build, 'selftests/bench/true')]), cwd=o.cwd, capture_output=True,
                             timeout=60)
        if run.returncode:
            absent.append('%s does not work here: %s' % (e.name, run.stderr.decode(errors='replace').strip()[-200:]))
            if e.name in ('native', 'lbx'):
                raise SystemExit('bench: ' + absent[-1])
        else:
            works.append(e)
    return works, absent


class Worker:
    """`work` in an environment, waiting for requests."""

    def __init__(self, o, env, files=None):
        base = os.path.join(o.build, 'selftests/bench')
        self.env = env
        self.process = subprocess.Popen(env.command([base + '/work', base + '/true'], files), cwd=o.cwd,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.out = os.fdopen(os.dup(self.process.stdout.fileno()), 'r')

    def wait_ready(self):
        if self.out.readline() != 'ready\n':
            raise SystemExit('bench: %s: the measuring program did not start' % self.env.name)
        return self

    def ask(self, *fields):
        """Return: the numbers of the answer."""
        self.process.stdin.write(('\t'.join(str(f) for f in fields) + '\n').encode())
        answer = self.out.readline().split()
        if not answer:
            raise SystemExit('bench: %s: no answer to "%s"' % (self.env.name, fields[0]))
        return [float(n) for n in answer]

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.out.close()
        self.process.stdout.close()


def tree(roots):
    """All processes at or below @roots."""
    parents = {}
    for path in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(path) as f:
                text = f.read()
        except OSError:
            continue
        pid = int(text.split(' ', 1)[0])
        parents.setdefault(int(text.rsplit(') ', 1)[1].split()[1]), []).append(pid)
    found, left = [], list(roots)
    while left:
        pid = left.pop()
        found.append(pid)
        left += parents.get(pid, [])
    return found


def pss(roots):
    """Proportional set size of all processes at or below @roots, in bytes, or None: not ours to see."""
    total = 0
    for pid in tree(roots):
        try:
            with open('/proc/%d/smaps_rollup' % pid) as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith('Pss:')) * 1024
        except ProcessLookupError:
            continue
        except OSError:
            return None
    return total


class Samples:
    """Figures by name and environment."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.data = {}

    def add(self, name, env, values):
        self.data.setdefault(name, {}).setdefault(env.name, []).extend(values)


def note(text):
    if sys.stderr.isatty():
        sys.stderr.write('\r\033[K' + text)
        sys.stderr.flush()


def items(o, envs, s):
    """The items of `work`: one worker an environment, all of them asked in turn."""
    work = os.path.join(o.build, 'selftests/bench/work')
    names = [n for n in subprocess.check_output([work, 'list'], text=True).splitlines() if s.wanted(n)]
    if not names:
        return
    for i in range(o.rounds):
        workers = [Worker(o, e).wait_ready() for e in envs]
        for name in names:
            note('round %d of %d: %s' % (i + 1, o.rounds, name))
            for w in workers:
                s.add(name, w.env, w.ask(name, o.ms))
        for w in workers:
            w.end()


def starts(o, envs, s):
    launcher = Worker(o, envs[0]).wait_ready()
    true = os.path.join(o.build, 'selftests/bench/true')
    for name, argv in ((START_TRUE, [true]), (START_PYTHON, [PYTHON, '-c', '1'])):
        if not s.wanted(name):
            continue
        for i in range(o.rounds * 5):
            note('start %d of %d: %s' % (i + 1, o.rounds * 5, argv[0]))
            for e in envs:
                s.add(name, e, launcher.ask('start', *e.command(argv)))
    launcher.end()


def small_files(o, envs, s, tmp):
    if not s.wanted(FILES_COLD) and not s.wanted(FILES_WARM):
        return
    top = os.path.join(tmp, 'files')
    for d in range(0, o.files, 100):
        os.makedirs('%s/%d' % (top, d))
        for f in range(min(100, o.files - d)):
            with open('%s/%d/file%d' % (top, d, f), 'w') as out:
                out.write('%06d\n' % (d + f) * 143)
    for i in range(max(o.rounds // 2, 1) + 1):
        note('small files, round %d' % (i + 1))
        for e in envs:
            w = Worker(o, e, top).wait_ready()
            first, again = w.ask('files', top), w.ask('files', top)
            if (first[1], again[1]) != (o.files, o.files):
                raise SystemExit('bench: %s: read %d and %d files of %d' % (e.name, first[1], again[1], o.files))
            w.end()
            if i:       # the round before was the host's first reading
                s.add(FILES_COLD, e, first[:1])
                s.add(FILES_WARM, e, again[:1])
    shutil.rmtree(top)


def memory(o, envs, s):
    if not s.wanted(MEMORY):
        return
    for i in range(o.rounds):
        for e in envs:
            w = Worker(o, e).wait_ready()
            time.sleep(0.05)    # the spares that are made ahead are there
            bytes_used = pss([w.process.pid])
            w.end()
            if bytes_used is not None:
                s.add(MEMORY, e, [bytes_used])


def many(o, envs, s):
    if not s.wanted(MANY_TIME) and not s.wanted(MANY_MEMORY):
        return
    for e in envs:
        note('%d at once: %s' % (o.many, e.name))
        begin = time.monotonic()
        workers = [Worker(o, e) for _ in range(o.many)]
        for w in workers:
            w.wait_ready()
        s.add(MANY_TIME, e, [(time.monotonic() - begin) * 1e9])
        used = pss([w.process.pid for w in workers])
        for w in workers:
            w.process.stdin.close()
        for w in workers:
            w.end()
        if used is not None:
            s.add(MANY_MEMORY, e, [used / o.many])


def icount(o, wanted):
    """Instructions by item: {environment: {item: n}}, or a line that says why not."""
    names = [n for n in COUNTED if wanted(n)]
    if o.no_icount or not names:
        return {}
    base = os.path.join(o.build, 'selftests/bench')
    words = ' '.join("'%s'" % n for n in names)
    work = '%s/work %s/true count %s' % (base, base, words)
    lbx = o.build + '/lbx-exec'
    script = 'cd %s && echo native && %s && echo lbx trap && %s --no-patch -- %s && echo lbx && %s -- %s' % (
        base, work, lbx, work, lbx, work)
    note('instruction counts, in a machine')
    if o.realtime:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))     # counts need no haste
    run = subprocess.run([os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tools/lbx-vm'), '--icount',
                          '--timeout', '300', 'sh', '-c', script], capture_output=True, text=True)
    if run.returncode:
        return {'error': 'lbx-vm ended with %d: %s' % (run.returncode, run.stderr.strip()[-200:])}
    counts, env = {}, None
    for line in run.stdout.splitlines():
        if '\t' in line:
            name, n = line.split('\t')
            counts[env][name] = int(n)
        elif line:
            env = line
            counts[env] = {}
    return counts


def isolated():
    """Does this kernel pay for page-table isolation on each system call?"""
    try:
        with open('/sys/devices/system/cpu/vulnerabilities/meltdown') as f:
            return 'PTI' in f.read()
    except OSError:
        return False


def summary(values):
    v = sorted(values)
    return {'min': v[0], 'median': v[len(v) // 2], 'samples': values}


def everything(o, tmp, wanted):
    # lbx-exec shows the current directory: that of the programs that are run
    o.cwd = os.path.join(o.build, 'selftests/bench')
    envs, absent = environments(o)
    s = Samples(wanted)
    items(o, envs, s)
    starts(o, envs, s)
    small_files(o, envs, s, tmp)
    memory(o, envs, s)
    many(o, envs, s)
    counts = icount(o, wanted)
    note('')
    if 'error' in counts:
        absent.append('no instruction counts: ' + counts.pop('error'))
    return {
        'machine': {'kernel': platform.release(), 'cpus': os.cpu_count(), 'page_table_isolation': isolated(),
                    'load': os.getloadavg()[0]},
        'rounds': o.rounds, 'realtime': o.realtime, 'many': o.many, 'files': o.files,
        'environments': [e.name for e in envs], 'absent': absent,
        'figures': {name: {env: summary(v) for env, v in by.items()} for name, by in s.data.items()},
        'instructions': counts,
    }
