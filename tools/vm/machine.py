# SPDX-License-Identifier: MIT
"""The machine: its kernel, its initramfs and QEMU's arguments."""
import lzma
import os
import re
import shutil
import socket
import subprocess
import tempfile
import zlib

CACHE = os.environ.get('LBX_CACHE', '/var/cache/litebox')
QEMU = 'qemu-system-x86_64'
PORTS = ('ctl', 'in', 'out', 'err')
# In the order in which they need each other. A kernel has those built in that it
# has no file of: 6.12 all of virtio, 6.1 little of it.
MODULES = ('drivers/virtio/virtio', 'drivers/virtio/virtio_ring',
           'drivers/virtio/virtio_pci_modern_dev', 'drivers/virtio/virtio_pci_legacy_dev',
           'drivers/virtio/virtio_pci', 'drivers/char/virtio_console',
           'fs/netfs/netfs', 'fs/fscache/fscache', 'net/9p/9pnet', 'net/9p/9pnet_virtio',
           'fs/9p/9p', 'fs/overlayfs/overlay')


class Error(Exception):
    """Names the thing, the reason and the way out."""


class Kernel:
    """A kernel image and, where it is modular, its modules."""

    def __init__(self, path=None):
        self.image = path or os.path.join(CACHE, 'kernel', 'vmlinux')
        if not os.access(self.image, os.R_OK):
            raise Error(f'cannot read the kernel {self.image}: '
                        + ('give another with --kernel' if path else
                           "run 'make setup' as root, or give one with --kernel"))
        self.image = os.path.realpath(self.image)
        self.release = self._release()
        self.modules = self._modules()

    def _release(self):
        with open(self.image, 'rb') as f:
            head = f.read(0x10000)
            if head[0x202:0x206] == b'HdrS':
                at = int.from_bytes(head[0x20e:0x210], 'little') + 0x200
                return head[at:at + 128].split(b'\0')[0].split()[0].decode()
            if head[:4] == b'\x7fELF':
                f.seek(0)
                m = re.search(rb'Linux version (\S+) ', f.read())
                if m:
                    return m.group(1).decode()
        raise Error(f'{self.image} is no x86 Linux kernel: '
                    'bzImage (vmlinuz) and vmlinux are known')

    def _modules(self):
        here = os.path.dirname(self.image)
        for base in (here, os.path.dirname(here), f'{CACHE}/linux-{self.release}', '/'):
            path = os.path.join(base, 'lib/modules', self.release)
            if os.path.isdir(path + '/kernel'):
                return os.path.realpath(path)
        return None

    def module(self, name):
        """A module's contents; None when the kernel has it built in."""
        path = f'{self.modules}/kernel/{name}.ko'
        if os.path.exists(path):
            with open(path, 'rb') as f:
                return f.read()
        if os.path.exists(path + '.xz'):
            with lzma.open(path + '.xz') as f:
                return f.read()
        return None


def _cpio(name, mode, data=b''):
    name = name.encode() + b'\0'
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b'070701' + b''.join(b'%08x' % f for f in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def _trailer():
    return _cpio('TRAILER!!!', 0)


def guest_init():
    """The path of process 1, as built."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.environ.get('LBX_VM_INIT') or os.path.join(
        os.environ.get('LBX_BUILD') or os.path.join(top, 'build'), 'tools/vm/init')
    if not os.access(path, os.R_OK):
        raise Error(f"{path} is not there: run 'make' in {top}")
    return path


def _module_archive(kernel):
    """Decompressing takes longer than all else here: kept beside the kernel."""
    kept = os.path.join(os.path.dirname(kernel.image),
                        f'lbx-vm-modules-{zlib.crc32(repr(MODULES).encode()):08x}.cpio')
    newest = os.path.getmtime(kernel.image)
    if os.path.exists(kept) and os.path.getmtime(kept) >= newest \
            and kernel.image.startswith(CACHE + '/'):
        with open(kept, 'rb') as f:
            return f.read()
    out = []
    for nr, name in enumerate(MODULES):
        data = kernel.module(name)
        if data is not None:
            out.append(_cpio(f'mod{nr}.ko', 0o100644, data))
    archive = b''.join(out)
    if kernel.image.startswith(CACHE + '/') and os.access(os.path.dirname(kept), os.W_OK):
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(kept), delete=False) as f:
            f.write(archive)
            os.fchmod(f.fileno(), 0o644)
        os.replace(f.name, kept)
    return archive


def initramfs(kernel, conf):
    """A file descriptor of it. CONF: (key, value) pairs for process 1."""
    with open(guest_init(), 'rb') as f:
        parts = [_cpio('init', 0o100755, f.read())]
    conf = list(conf) + [('release', kernel.release)]
    if kernel.modules:
        parts.append(_module_archive(kernel))
        conf.append(('modules', kernel.modules))
        conf += [('load', f'/mod{nr}.ko') for nr in range(len(MODULES))
                 if b'mod%d.ko\0' % nr in parts[1]]
    text = b''.join(k.encode() + b'=' + os.fsencode(v) + b'\0' for k, v in conf)
    parts += [_cpio('lbx.conf', 0o100600, text), _trailer()]
    fd = os.memfd_create('initramfs', 0)
    with os.fdopen(os.dup(fd), 'wb') as f:
        for part in parts:
            f.write(part)
    return fd


def command_line(opts):
    """The kernel's."""
    # All of the log goes to the console, whatever "quiet" or dmesg -n say.
    words = ['console=ttyS0', 'ignore_loglevel', 'printk.devkmsg=on', 'panic=-1',
             'rdinit=/init', 'random.trust_cpu=on', 'no_timer_check', 'tsc=reliable',
             # Emulated processors share the host's few with everybody else: a
             # minute without progress is no sign of a fault.
             'watchdog_thresh=60', 'rcupdate.rcu_cpu_stall_timeout=120']
    if not opts.ignore_oops:
        words.append('oops=panic')
    return ' '.join(words + opts.append)


def _fsdev(ident, path, tag, readonly):
    if ',' in path:
        path = path.replace(',', ',,')
    return ['-fsdev', f'local,id={ident},path={path},security_model=none,multidevs=remap'
            + (',readonly=on' if readonly else ''),
            '-device', f'virtio-9p-pci,fsdev={ident},mount_tag={tag}']


def qemu_arguments(kernel, opts, initrd, fds):
    """FDS: name of a port, or 'serial', to QEMU's end of its socket."""
    accel = {'tcg': 'tcg,thread=' + ('single' if opts.icount else 'multi'),
             'kvm': 'kvm'}[opts.accel]
    cpu = opts.cpu
    if opts.accel == 'kvm':
        # Nested KVM may refuse this register's bits, and no guest of ours needs it.
        cpu += ',arch-capabilities=off'
    args = [QEMU, '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
            '-M', 'q35,smm=off,vmport=off', '-accel', accel, '-cpu', cpu,
            '-smp', str(opts.cpus), '-m', opts.mem,
            '-kernel', kernel.image, '-initrd', f'/proc/self/fd/{initrd}',
            '-append', command_line(opts)]
    if opts.icount:
        args += ['-icount', 'shift=0,sleep=off']
    args += ['-chardev', f'socket,id=serial,fd={fds["serial"]}', '-serial', 'chardev:serial']
    args += ['-device', 'virtio-serial-pci,max_ports=8']
    for nr, name in enumerate(PORTS):
        args += ['-chardev', f'socket,id={name},fd={fds[name]}',
                 '-device', f'virtserialport,nr={nr + 1},chardev={name},name=lbx.{name}']
    args += _fsdev('root', '/', 'root', True)
    for nr, path in enumerate(opts.rw):
        args += _fsdev(f'rw{nr}', path, f'rw{nr}', False)
    return args


class Machine:
    """QEMU, running; dies with this process."""

    def __init__(self, kernel, opts, conf):
        if not shutil.which(QEMU):
            raise Error(f"no {QEMU} on PATH: run 'make setup' as root")
        initrd = initramfs(kernel, conf)
        self.sockets = {}
        theirs = {}
        for name in PORTS + ('serial',):
            self.sockets[name], theirs[name] = socket.socketpair()
        fds = {name: s.fileno() for name, s in theirs.items()}
        args = qemu_arguments(kernel, opts, initrd, fds)
        if opts.show:
            print(' '.join(args))
        self.messages = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ['setpriv', '--pdeathsig', 'KILL', '--'] + args, stdin=subprocess.DEVNULL,
            stdout=self.messages, stderr=self.messages, start_new_session=True,
            pass_fds=list(fds.values()) + [initrd])
        for s in theirs.values():
            s.close()
        os.close(initrd)

    def said(self):
        """What QEMU itself printed."""
        self.messages.seek(0)
        return self.messages.read().decode(errors='replace').strip()

    def kill(self):
        """At once: whatever must be kept was synced by process 1."""
        self.process.kill()
        self.process.wait()
