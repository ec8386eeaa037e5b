#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's python3: threads, subprocess, multiprocessing, sqlite3, tempfile, asyncio, and what lies below them.
. "$(dirname "$0")/lib.sh"
[ -x /usr/bin/python3 ] || { skip python3 "package python3"; finish; }

run() { same "$1" 60 sh "exec /usr/bin/python3 -B -c '$2'"; }

run "start and standard library" '
import sys, json, re, hashlib, zlib, base64, collections, itertools, datetime, decimal, fractions, struct, random, textwrap, csv, io
print(sys.version_info[:2], sys.platform, sys.byteorder, len(sys.argv))
print(json.dumps({"a": [1, 2.5, None, True], "b": {"c": "\u00e9"}}, sort_keys=True))
print(hashlib.sha256(b"abc").hexdigest(), zlib.crc32(b"abc"), base64.b64encode(b"hello"))
random.seed(5); print([random.randrange(1000) for _ in range(5)], decimal.Decimal(1) / 7, fractions.Fraction(3, 9))
print(collections.Counter("mississippi").most_common(2), list(itertools.permutations("abc"))[:3], datetime.date(2026, 11, 23).isoformat())
print(re.findall(r"(\w)(\d+)", "a1 b22 c333"), struct.pack("<IhQ", 1, -2, 3).hex(), textwrap.fill("word " * 30, 40))
data = zlib.compress(b"x" * 1000000); print(len(data), len(zlib.decompress(data)), sum(i * i for i in range(300000)), 3 ** 1000 % 10 ** 20)
w = csv.writer(sys.stdout); w.writerow(["a", "b,c"]); sys.exit(0)'

run "threads" '
import threading, queue, concurrent.futures, time, signal, os
lock = threading.Lock(); n = 0
def work():
    global n
    for _ in range(20000):
        with lock: n += 1
ts = [threading.Thread(target=work) for _ in range(8)]; [t.start() for t in ts]; [t.join() for t in ts]; print(n)
q = queue.Queue(10); out = []
def consumer():
    while (x := q.get()) is not None: out.append(x * x)
c = threading.Thread(target=consumer); c.start(); [q.put(i) for i in range(1000)]; q.put(None); c.join(); print(sum(out))
with concurrent.futures.ThreadPoolExecutor(4) as ex: print(sum(ex.map(lambda x: x * 2, range(100))))
e = threading.Event(); threading.Timer(0.02, e.set).start(); print(e.wait(5), threading.Condition().acquire())
b = threading.Barrier(4); r = []
def meet(): r.append(b.wait())
ts = [threading.Thread(target=meet) for _ in range(4)]; [t.start() for t in ts]; [t.join() for t in ts]; print(sorted(r))
print(threading.Event().wait(0.01)); l = threading.local(); l.x = 1
def other(): print(hasattr(l, "x"))
t = threading.Thread(target=other, daemon=True); t.start(); t.join()
signal.signal(signal.SIGALRM, lambda *a: print("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.02); time.sleep(0.1)
for i in range(200): t = threading.Thread(target=lambda: None); t.start(); t.join()
print(threading.active_count(), threading.get_native_id() == os.getpid())'

run "subprocess" '
import subprocess, os, signal, sys, time
print(subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True, text=True))
print(subprocess.check_output("tr a-z A-Z", shell=True, input=b"through a pipe\n"))
p1 = subprocess.Popen(["seq", "10000"], stdout=subprocess.PIPE); p2 = subprocess.Popen(["wc", "-l"], stdin=p1.stdout, stdout=subprocess.PIPE); p1.stdout.close(); print(p2.communicate()[0], p1.wait())
try: subprocess.run(["sleep", "5"], timeout=0.1)
except subprocess.TimeoutExpired as e: print("timeout", e.cmd)
p = subprocess.Popen(["sleep", "9"]); p.send_signal(signal.SIGTERM); print(p.wait()); p = subprocess.Popen(["sleep", "9"], start_new_session=True); p.kill(); print(p.wait())
try: subprocess.run(["/nonexistent"])
except FileNotFoundError as e: print(e.errno, e.filename)
try: subprocess.run(["/dev/null"])
except PermissionError as e: print(e.errno)
print(subprocess.run(["env"], env={"ONLY": "this"}, capture_output=True).stdout, subprocess.run(["pwd"], cwd="/", capture_output=True).stdout)
big = os.urandom(1 << 20); print(subprocess.run(["cat"], input=big, capture_output=True).stdout == big)
r, w = os.pipe(); p = subprocess.Popen(["sh", "-c", "echo passed >&%d" % w], pass_fds=[w]); p.wait(); os.close(w); print(os.read(r, 100))
ps = [subprocess.Popen([sys.executable, "-c", "import sys; sys.exit(%d)" % i]) for i in range(5)]; print([p.wait() for p in ps])
print(subprocess.getstatusoutput("exit 5"), os.system("exit 6") >> 8, os.popen("echo popen").read())
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7"], {}); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try: os.posix_spawn("/nonexistent", ["x"], {})
except OSError as e: print("posix_spawn", e.errno)
for _ in range(30): subprocess.run(["true"], check=True)
pid = os.fork()
if not pid: os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))'

same "multiprocessing" 90 sh 'cat >mp.py <<"X"
import multiprocessing as mp, os
from multiprocessing import shared_memory, managers
def sq(x): return x * x
def child(conn, ev, val, arr, lock):
    ev.wait()
    for _ in range(500):
        with lock: val.value += 1
    arr[0] = 2.5; conn.send({"got": conn.recv()}); conn.close()
def producer(q):
    for i in range(100): q.put(i)
    q.put(None)
def dies(): os._exit(3)
if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        ctx = mp.get_context(method)
        with ctx.Pool(3) as p:
            print(method, sum(p.map(sq, range(200))), p.apply(sq, (7,)), sorted(p.imap_unordered(sq, range(5))))
        a, b = ctx.Pipe(); ev = ctx.Event(); val = ctx.Value("i", 0); arr = ctx.Array("d", 3); lock = ctx.Lock()
        ps = [ctx.Process(target=child, args=(b, ev, val, arr, lock))]; [p.start() for p in ps]; a.send("hi"); ev.set(); print(a.recv()); [p.join() for p in ps]; print(val.value, arr[0], ps[0].exitcode)
        q = ctx.Queue(); p = ctx.Process(target=producer, args=(q,)); p.start(); n = 0
        while (x := q.get()) is not None: n += x
        p.join(); print(n)
    m = shared_memory.SharedMemory(create=True, size=4096); m.buf[:5] = b"hello"; n = shared_memory.SharedMemory(name=m.name); print(bytes(n.buf[:5])); n.close(); m.close(); m.unlink()
    with mp.Manager() as man:
        d = man.dict(); d["x"] = 1; print(dict(d))
    p = mp.Process(target=dies); p.start(); p.join(); print(p.exitcode); p = mp.Process(target=sq, args=("bad",)); s = mp.Semaphore(2); print(s.acquire(), s.acquire(), s.acquire(False))
    print(mp.active_children())
X
/usr/bin/python3 -B mp.py'

run "sqlite3 and tempfile" '
import sqlite3, tempfile, os, threading, shutil, glob, pathlib, zipfile, tarfile, gzip, lzma, bz2, dbm, shelve, pickle, mmap
db = sqlite3.connect("t.db"); db.execute("create table t (a integer primary key, b text)"); db.executemany("insert into t (b) values (?)", ((str(i),) for i in range(5000))); db.commit()
print(db.execute("select count(*), sum(a), max(b) from t").fetchone(), db.execute("pragma integrity_check").fetchone())
try:
    with db: db.execute("insert into t values (1, 1)")
except sqlite3.IntegrityError as e: print(e)
d2 = sqlite3.connect("t.db", timeout=0.1); db.execute("begin immediate")
try: d2.execute("insert into t (b) values (2)")
except sqlite3.OperationalError as e: print(e)
db.rollback(); print(db.execute("pragma journal_mode=wal").fetchone()); d2.execute("insert into t (b) values (9)"); d2.commit(); print(db.execute("select count(*) from t").fetchone()); db.close(); d2.close()
with tempfile.TemporaryDirectory(dir=".") as d:
    p = pathlib.Path(d); [(p / f"f{i}").write_text("x" * i) for i in range(10)]; print(sorted(x.name for x in p.iterdir()), sum(x.stat().st_size for x in p.glob("f*")))
    with zipfile.ZipFile(p / "z.zip", "w", zipfile.ZIP_DEFLATED) as z: z.write(p / "f9", "f9")
    print(zipfile.ZipFile(p / "z.zip").read("f9"))
with tempfile.TemporaryFile(dir=".") as f: f.write(b"abc"); f.seek(0); print(f.read(), os.fstat(f.fileno()).st_nlink)
with tempfile.NamedTemporaryFile(dir=".") as f: print(os.path.exists(f.name))
with open("m", "w+b") as f:
    f.truncate(10000); m = mmap.mmap(f.fileno(), 0); m[5000:5005] = b"mmap!"; m.flush(); f.seek(5000); print(f.read(5)); m.resize(20000); m[15000] = 7; m.close(); print(os.path.getsize("m"))
for mod in (gzip, lzma, bz2): print(len(mod.decompress(mod.compress(b"data" * 10000))))
shutil.copytree(".", "../copy" if 0 else "copy", ignore=shutil.ignore_patterns("copy")); print(sorted(os.listdir("copy"))); shutil.rmtree("copy"); os.makedirs("a/b/c"); os.removedirs("a/b/c"); print(os.path.exists("a")); os.unlink("t.db"); print(pickle.loads(pickle.dumps([1, {2}])))'

run "asyncio" '
import asyncio, os, signal, sys, socket
async def main():
    print(await asyncio.gather(*(asyncio.sleep(0.01, i) for i in range(50)))[-1:] if 0 else (await asyncio.gather(*(asyncio.sleep(0.01, i) for i in range(50))))[-3:])
    async def serve(r, w):
        while line := await r.readline(): w.write(line.upper()); await w.drain()
        w.close()
    srv = await asyncio.start_unix_server(serve, "s.sock")
    async def client(i):
        r, w = await asyncio.open_unix_connection("s.sock"); w.write(b"client %d\n" % i); l = await r.readline(); w.close(); await w.wait_closed(); return l
    print(sorted(await asyncio.gather(*(client(i) for i in range(20))))[:3]); srv.close(); await srv.wait_closed()
    p = await asyncio.create_subprocess_exec("sort", stdin=-1, stdout=-1); print(await p.communicate(b"b\na\n"), p.returncode)
    p = await asyncio.create_subprocess_shell("sleep 5; echo no"); p.kill(); print(await p.wait())
    r, w = os.pipe(); rd = asyncio.StreamReader(); await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(rd), os.fdopen(r)); os.write(w, b"pipe data"); os.close(w); print(await rd.read())
    try: await asyncio.wait_for(asyncio.sleep(5), 0.02)
    except asyncio.TimeoutError: print("timeout")
    f = asyncio.get_running_loop().create_future(); asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, f.set_result, "signal"); os.kill(os.getpid(), signal.SIGUSR1); print(await f)
    print(await asyncio.to_thread(sum, range(1000))); a, b = socket.socketpair(); a.setblocking(False); b.setblocking(False); loop = asyncio.get_running_loop(); await loop.sock_sendall(a, b"raw"); print(await loop.sock_recv(b, 10))
asyncio.run(main()); os.unlink("s.sock") if os.path.exists("s.sock") else None'

run "os, pty, select, ctypes" '
import os, pty, select, ctypes, resource, fcntl, termios, time, errno, array, socket, stat, pwd, grp, sys, faulthandler, signal, selectors, platform
pid, fd = pty.fork()
if not pid: os.execlp("sh", "sh", "-c", "tty | cut -c1-9; stty size; read x; echo got $x; exit 4")
time.sleep(0.1); os.write(fd, b"line\n"); out = b""
try:
    while d := os.read(fd, 1000): out += d
except OSError as e: print(e.errno == errno.EIO)
print(out, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
libc = ctypes.CDLL(None, use_errno=True); print(libc.getpid() == os.getpid(), libc.open(b"/nonexistent", 0), ctypes.get_errno()); cb = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)); arr = (ctypes.c_int * 5)(5, 3, 1, 4, 2); libc.qsort(arr, 5, 4, cb(lambda a, b: a[0] - b[0])); print(list(arr))
r, w = os.pipe(); print(select.select([r], [w], [], 0)[1] == [w]); ep = select.epoll(); ep.register(r, select.EPOLLIN); os.write(w, b"x"); print(ep.poll(1)[0][1]); po = select.poll(); po.register(r); print(len(po.poll(0)))
a, b = socket.socketpair(); socket.send_fds(a, [b"fd"], [r]); m, fds, fl, ad = socket.recv_fds(b, 10, 1); print(m, os.read(fds[0], 1))
with open("f", "w") as f: fcntl.lockf(f, fcntl.LOCK_EX); print(os.fstat(f.fileno()).st_size, oct(stat.S_IMODE(os.stat("f").st_mode))); os.posix_fallocate(f.fileno(), 0, 100); print(os.path.getsize("f"))
for i in range(3): open(f"e{i}", "w").close()
print(sorted(e.name for e in os.scandir(".")), os.path.realpath("./x/..") == os.getcwd(), os.access("f", os.X_OK), len(os.urandom(8)), os.get_terminal_size.__name__); os.symlink("f", "l"); print(os.readlink("l"), os.lstat("l").st_size); os.rename("e0", "e9"); os.replace("e1", "e9"); print(sorted(os.listdir()))
print(os.cpu_count() > 0, os.sysconf("SC_PAGE_SIZE"), resource.getrlimit(resource.RLIMIT_CORE)[0] >= -1, os.umask(0o22), os.nice(0), len(os.sched_getaffinity(0)) > 0, os.getpriority(os.PRIO_PROCESS, 0), os.getpgrp() == os.getpgid(0), platform.system(), platform.machine())
fd = os.memfd_create("m"); os.write(fd, b"memfd"); print(os.pread(fd, 5, 0), os.sendfile(w, fd, 0, 5), os.copy_file_range.__name__); pfd = os.pidfd_open(os.getpid()); print(pfd > 2)
pid = os.fork()
if not pid: faulthandler.disable(); ctypes.string_at(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])); print(signal.sigtimedwait([signal.SIGUSR1], 0.01), time.clock_getres(time.CLOCK_MONOTONIC) < 1, time.process_time() > 0)'
finish
