// SPDX-License-Identifier: MIT
/* A signalfd has no signals of its own: it reads and polls those of whoever uses it, as Linux does (signalfd(2), BUGS). */
#include "ipc/signalfd.h"

#include "base/errno.h"
#include "ipc/ipc.h"
#include "mm/kmalloc.h"
#include "process/signal.h"

#define MAY_NOT_BE_READ	(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP))

struct signalfd {
	sigset_t mask;
};

struct signalfd_siginfo_abi {
	u32 signo;
	s32 err, code;
	u32 pid, uid;
	s32 fd;
	u32 tid, band, overrun, trapno;
	s32 status, value_int;
	u64 value_ptr, utime, stime, addr;
	u16 addr_lsb, pad2;
	s32 syscall;
	u64 call_addr;
	u32 arch;
	u8 pad[28];
};
_Static_assert(sizeof(struct signalfd_siginfo_abi) == 128, "signalfd(2)");

static sigset_t signalfd_mask(const struct signalfd *s)
{
	return load_relaxed(&s->mask);
}

/* Which members of siginfo_t count depends on who sent it: sigaction(2). */
static void signalfd_fill(struct signalfd_siginfo_abi *abi, const struct siginfo *info)
{
	int code = info->code;

	*abi = (struct signalfd_siginfo_abi){ .signo = info->signo, .err = info->err, .code = code };
	if (code == SI_TIMER) {
		abi->tid = info->timer.timerid;
		abi->overrun = info->timer.overrun;
		abi->value_ptr = info->timer.value;
		abi->value_int = (s32)info->timer.value;
	} else if (code > 0 && code != SI_KERNEL && info->signo == SIGCHLD) {
		abi->pid = info->chld.pid;
		abi->uid = info->chld.uid;
		abi->status = info->chld.status;
		abi->utime = info->chld.utime;
		abi->stime = info->chld.stime;
	} else if (code > 0 && code != SI_KERNEL && (SIGMASK(info->signo) & SIGSET_SYNC)) {
		abi->addr = info->fault.addr;
		abi->addr_lsb = info->fault.addr_lsb;
	} else if (code > 0 && code != SI_KERNEL) {
		abi->band = info->poll.band;
		abi->fd = info->poll.fd;
	} else {
		abi->pid = info->rt.pid;
		abi->uid = info->rt.uid;
		if (code < 0) {
			abi->value_ptr = info->rt.value;
			abi->value_int = (s32)info->rt.value;
		}
	}
}

static int signalfd_wait(struct signalfd *s, struct siginfo *info, bool nonblock)
{
	int ret = signal_dequeue(signalfd_mask(s), info);

	while (!ret) {
		if (nonblock)
			return -EAGAIN;
		ret = wait_event_interruptible(signalfd_queue(current->process),
					       signal_pending_set(current) & signalfd_mask(s));
		if (ret)
			return ret;
		ret = signal_dequeue(signalfd_mask(s), info);
	}
	return ret;
}

static ssize_t signalfd_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct signalfd *s = f->priv;
	bool nonblock = f->flags & O_NONBLOCK;
	struct signalfd_siginfo_abi abi;
	struct siginfo info;
	ssize_t done = 0;
	int ret;

	if (to->left < sizeof(abi))
		return -EINVAL;
	while (to->left >= sizeof(abi)) {
		ret = signalfd_wait(s, &info, nonblock || done);
		if (ret < 0)
			return done ? done : ret;
		signalfd_fill(&abi, &info);
		if (uio_put(to, &abi, sizeof(abi)) != sizeof(abi))
			return done ? done : -EFAULT;
		done += sizeof(abi);
	}
	return done;
}

static u32 signalfd_poll(struct file *f, struct poll_table *pt)
{
	struct signalfd *s = f->priv;

	poll_wait(f, signalfd_queue(current->process), pt);
	return signal_pending_set(current) & signalfd_mask(s) ? POLLIN : 0;
}

static void signalfd_release(struct file *f)
{
	kfree(f->priv);
}

static void signalfd_show(struct file *f, struct seq_buf *out)
{
	seq_printf(out, "sigmask:\t%016llx\n", (unsigned long long)signalfd_mask(f->priv));
}

static const struct file_ops signalfd_ops = {
	.name = "signalfd",
	.read = signalfd_read,
	.seek = ipc_noop_seek,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.show_fdinfo = signalfd_show,
};

int signalfd_set(struct file *f, sigset_t mask)
{
	struct signalfd *s = f->priv;

	if (f->ops != &signalfd_ops)
		return -EINVAL;
	store_relaxed(&s->mask, mask & ~MAY_NOT_BE_READ);
	wake_up_all(signalfd_queue(current->process));
	return 0;
}

struct file *signalfd_open(sigset_t mask, u32 flags)
{
	struct signalfd *s = kzalloc(sizeof(*s));
	struct file *f;

	if (!s)
		return NULL;
	s->mask = mask & ~MAY_NOT_BE_READ;
	f = anon_file(&signalfd_ops, O_RDWR | (flags & O_NONBLOCK), s);
	if (!f)
		kfree(s);
	return f;
}
