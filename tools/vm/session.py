# SPDX-License-Identifier: MIT
"""One run: streams to and from the machine, until the command has ended."""
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import threading
import time
import tty

from vm import klog

BOOT_SECONDS = 180      # a busy host boots slowly; one that takes longer is stuck
END_MARK = 'lbx-vm: end'
ESCAPE = b'\x1d'        # Ctrl-]
CHUNK = 1 << 16


class Ended(Exception):
    """The machine or the wait for it ended before the command did."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


class Console(threading.Thread):
    """Reads the serial console, always: a full one would stop the guest."""

    def __init__(self, sock, verbose):
        super().__init__(daemon=True)
        self.sock, self.verbose = sock, verbose
        self.lines = []
        self.marked = threading.Event()

    def _line(self, raw):
        line = raw.decode(errors='replace').rstrip('\r')
        self.lines.append(line)
        if self.verbose:
            print(line, file=sys.stderr)
        if klog.text(line) == END_MARK:
            self.marked.set()

    def run(self):
        rest = b''
        while True:
            try:
                data = self.sock.recv(CHUNK)
            except OSError:
                data = b''
            if not data:
                break
            *whole, rest = (rest + data).split(b'\n')
            for raw in whole:
                self._line(raw)
        if rest:
            self._line(rest)
        self.marked.set()


class Output(threading.Thread):
    """One of the command's two outputs, to a descriptor of ours."""

    def __init__(self, sock, fd, closed):
        super().__init__(daemon=True)
        self.sock, self.fd, self.closed = sock, fd, closed
        self.count = 0
        self.moved = threading.Condition()

    def run(self):
        open_here = True
        while True:
            try:
                data = self.sock.recv(CHUNK)
            except OSError:
                data = b''
            view = memoryview(data)
            while view and open_here:
                try:
                    view = view[os.write(self.fd, view):]
                except OSError:
                    # Our reader has gone. The command shall notice.
                    open_here = False
                    self.closed()
            with self.moved:
                self.count += len(data) if data else 1 << 62
                self.moved.notify()
            if not data:
                return

    def has(self, count):
        return self.count >= count


class Session:
    def __init__(self, machine, opts):
        self.machine, self.opts = machine, opts
        self.socks = machine.sockets
        self.console = Console(self.socks['serial'], opts.verbose)
        self.out = Output(self.socks['out'], 1, lambda: self.tell('closed out'))
        self.err = Output(self.socks['err'], 2, lambda: self.tell('closed err'))
        self.telling = threading.Lock()
        self.started = False
        self.signals = []
        self.saved_tty = None
        self.deadline = time.monotonic() + opts.timeout if opts.timeout else None
        self.boot_deadline = time.monotonic() + BOOT_SECONDS

    # --- to the guest ---

    def tell(self, line):
        try:
            with self.telling:
                self.socks['ctl'].sendall(line.encode() + b'\n')
        except OSError:
            pass    # the machine is gone; run() finds out how

    def _feed(self):
        """Our standard input, until its end."""
        escapes = total = 0
        while True:
            try:
                data = os.read(0, CHUNK)
            except OSError:
                data = b''
            if not data:
                break
            if self.saved_tty:
                escapes = escapes + len(data) if data == ESCAPE * len(data) else 0
                if escapes >= 3:
                    self.signals.append(signal.SIGKILL)
                    os.kill(os.getpid(), signal.SIGWINCH)
                    return
            try:
                self.socks['in'].sendall(data)
            except OSError:
                return
            total += len(data)
        self.tell(f'eof {total}')

    def _window(self):
        rows, cols = window_size()
        self.tell(f'winsize {rows} {cols}')

    # --- signals ---

    def _on_signal(self, number, _frame):
        self.signals.append(number)

    def _handle_signals(self):
        while self.signals:
            number = self.signals.pop(0)
            if number == signal.SIGWINCH:
                if self.opts.tty:
                    self._window()
                continue
            again = self.interrupted
            self.interrupted = True
            if number == signal.SIGKILL or again or not self.started:
                raise Ended(128 + number, 'killed')
            self.tell(f'signal {int(number)}')

    # --- the run ---

    def _start(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT,
                       signal.SIGWINCH):
            signal.signal(number, self._on_signal)
        self.interrupted = False
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        os.set_blocking(reader, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self.wakeup = reader
        self.console.start()
        self.out.start()
        self.err.start()

    def _on_started(self):
        self.started = True
        if self.opts.tty:
            self.saved_tty = termios.tcgetattr(0)
            tty.setraw(0)
            self._window()
        threading.Thread(target=self._feed, daemon=True).start()

    def _wait_limit(self):
        limits = [] if self.started else [self.boot_deadline]
        if self.deadline:
            limits.append(self.deadline)
        if not limits:
            return None
        return max(0, min(limits) - time.monotonic())

    def _check_time(self):
        now = time.monotonic()
        if self.deadline and now >= self.deadline:
            raise Ended(124, f'timed out after {self.opts.timeout:g} s')
        if not self.started and now >= self.boot_deadline:
            raise Ended(125, f'the machine was not up after {BOOT_SECONDS} s')

    def _lines(self):
        """The control port's lines; raises Ended when none can come any more."""
        poll = select.poll()
        pid = os.pidfd_open(self.machine.process.pid)
        for fd in (self.socks['ctl'].fileno(), self.wakeup, pid):
            poll.register(fd, select.POLLIN)
        rest = b''
        while True:
            limit = self._wait_limit()
            ready = [fd for fd, _ in poll.poll(None if limit is None else limit * 1000 + 1)]
            if self.wakeup in ready:
                os.read(self.wakeup, 4096)
            if self.socks['ctl'].fileno() in ready:
                data = self.socks['ctl'].recv(4096)
                *whole, rest = (rest + data).split(b'\n')
                yield from (line.decode(errors='replace') for line in whole)
                if data:
                    continue
                self.machine.process.wait()
            self._handle_signals()
            self._check_time()
            if self.machine.process.poll() is not None:
                raise Ended(125, 'the machine stopped before the command ended')

    def _collect(self, out, err):
        """Wait until we have written all that the command wrote."""
        for stream, count in ((self.out, out), (self.err, err)):
            with stream.moved:
                while not stream.has(count):
                    stream.moved.wait(0.2)
                    self._handle_signals()
                    self._check_time()

    def run(self):
        """Returns the command's exit status; raises Ended without one."""
        self._start()
        try:
            for line in self._lines():
                word, _, rest = line.partition(' ')
                if word == 'started':
                    self._on_started()
                elif word == 'fail':
                    raise Ended(125, f'the machine cannot be set up: {rest}')
                elif word == 'exit':
                    status, out, err = (int(n) for n in rest.split())
                    self._collect(out, err)
                    return status
        finally:
            if self.saved_tty:
                termios.tcsetattr(0, termios.TCSADRAIN, self.saved_tty)

    def log(self):
        """The kernel's log, whole: waits for the mark at its end."""
        self.console.marked.wait(3)
        return [line for line in self.console.lines if klog.text(line) != END_MARK]


def window_size():
    """Rows and columns of our terminal; 0 0 without one."""
    try:
        data = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
        return struct.unpack('4H', data)[:2]
    except OSError:
        return 0, 0
