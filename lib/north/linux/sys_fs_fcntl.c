// SPDX-License-Identifier: MIT
/* fcntl(2), flock(2), ioctl(2). */
#include "fs/fdtable.h"
#include "fs/locks.h"
#include "fs/memfs.h"
#include "fs/namei.h"
#include "ipc/pipe.h"
#include "north/linux/syscall.h"
#include "process/fork.h"
#include "process/pid.h"
#include "process/signal.h"

#define F_DUPFD			0
#define F_GETFD			1
#define F_SETFD			2
#define F_GETFL			3
#define F_SETFL			4
#define F_GETLK			5
#define F_SETLK			6
#define F_SETLKW		7
#define F_SETOWN		8
#define F_GETOWN		9
#define F_SETSIG		10
#define F_GETSIG		11
#define F_SETOWN_EX		15
#define F_GETOWN_EX		16
#define F_OFD_GETLK		36
#define F_OFD_SETLK		37
#define F_OFD_SETLKW		38
#define F_SETLEASE		1024
#define F_GETLEASE		1025
#define F_NOTIFY		1026
#define F_DUPFD_QUERY		1027
#define F_DUPFD_CLOEXEC		1030
#define F_SETPIPE_SZ		1031
#define F_GETPIPE_SZ		1032
#define F_ADD_SEALS		1033
#define F_GET_SEALS		1034
#define F_GET_RW_HINT		1035
#define F_SET_RW_HINT		1036

#define FD_CLOEXEC		1
#define SETFL_MASK		(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)

#define F_OWNER_TID		0
#define F_OWNER_PID		1
#define F_OWNER_PGRP		2

struct linux_flock {
	s16 type, whence;
	u32 pad;
	s64 start, len;
	s32 pid;
	u32 pad2;
};
_Static_assert(sizeof(struct linux_flock) == 32, "struct flock of x86-64");

struct owner_ex {
	s32 type, pid;
};

static long set_flags(struct file *f, u32 flags)
{
	int ret = 0;

	if ((flags & O_NOATIME) && !(f->flags & O_NOATIME) && f->inode && !inode_owner_or_capable(f->inode))
		return -EPERM;
	if (f->ops->set_flags)
		ret = f->ops->set_flags(f, (f->flags & ~(u32)SETFL_MASK) | (flags & SETFL_MASK));
	if (ret)
		return ret;
	spin_lock(&f->lock);
	WRITE_ONCE(f->flags, (f->flags & ~(u32)SETFL_MASK) | (flags & SETFL_MASK));
	spin_unlock(&f->lock);
	return 0;
}

/* ---- locks ---- */

/* A range relative to whence becomes absolute, as fcntl(2) has it: a negative length lies before start. */
static int lock_range(struct file *f, const struct linux_flock *fl, struct lock_request *req)
{
	pos_t base;

	switch (fl->whence) {
	case SEEK_SET: base = 0; break;
	case SEEK_CUR: base = f->pos; break;
	case SEEK_END: base = f->inode->size; break;
	default: return -EINVAL;
	}
	if (__builtin_add_overflow(base, fl->start, &req->start))
		return -EOVERFLOW;
	if (req->start < 0)
		return -EINVAL;
	req->end = INT64_MAX;
	if (fl->len > 0) {
		if (__builtin_add_overflow(req->start, fl->len - 1, &req->end))
			return -EOVERFLOW;
	} else if (fl->len < 0) {
		if (req->start + fl->len < 0)
			return -EINVAL;
		req->end = req->start - 1;
		req->start += fl->len;
	}
	return 0;
}

static int lock_decode(struct file *f, struct linux_flock *fl, u64 user, bool ofd, struct lock_request *req)
{
	int ret;

	if (get_user(*fl, user))
		return -EFAULT;
	if (fl->type != F_RDLCK && fl->type != F_WRLCK && fl->type != F_UNLCK)
		return -EINVAL;
	if (ofd && fl->pid)
		return -EINVAL;
	ret = lock_range(f, fl, req);
	req->kind = ofd ? LOCK_OFD : LOCK_POSIX;
	req->type = (u32)fl->type;
	req->pid = ofd ? -1 : current->process->tgid;
	return ret;
}

static long lock_get(struct file *f, u64 user, bool ofd)
{
	struct linux_flock fl;
	struct lock_request req;
	int ret = f->inode ? lock_decode(f, &fl, user, ofd, &req) : -EBADF;

	if (!ret && req.type == F_UNLCK && !ofd)
		ret = -EINVAL;
	if (ret)
		return ret;
	lock_test(f, &req);
	fl.type = (s16)req.type;
	if (req.type != F_UNLCK) {
		fl.whence = SEEK_SET;
		fl.start = req.start;
		fl.len = req.end == INT64_MAX ? 0 : req.end - req.start + 1;
		fl.pid = req.pid;
	}
	return put_user(fl, user);
}

static long lock_set(struct file *f, int fd, u64 user, bool ofd, bool wait)
{
	struct linux_flock fl;
	struct lock_request req;
	int ret = f->inode ? lock_decode(f, &fl, user, ofd, &req) : -EBADF;

	if (ret)
		return ret;
	if ((req.type == F_RDLCK && !(f->mode & FMODE_READ)) || (req.type == F_WRLCK && !(f->mode & FMODE_WRITE)))
		return -EBADF;
	ret = lock_apply(f, &req, wait);
	/* Another thread closed the descriptor meanwhile, and with it all locks of the process: this one must not stay behind. */
	if (!ret && req.type != F_UNLCK && !ofd) {
		struct file *now = fd_get(fd);

		if (now != f) {
			req.type = F_UNLCK;
			(void)lock_apply(f, &req, false);
			ret = -EBADF;
		}
		file_put(now);
	}
	return ret;
}

SYSCALL_DEFINE(flock)
{
	struct lock_request req = { .kind = LOCK_FLOCK, .end = INT64_MAX, .pid = current->process->tgid };
	u32 op = (u32)a[1];
	struct file *f;
	long ret;

	switch (op & ~(u32)LOCK_NB) {
	case LOCK_SH: req.type = F_RDLCK; break;
	case LOCK_EX: req.type = F_WRLCK; break;
	case LOCK_UN: req.type = F_UNLCK; break;
	default: return -EINVAL;
	}
	f = fd_get((int)a[0]);
	if (!f)
		return -EBADF;
	ret = f->inode ? lock_apply(f, &req, !(op & LOCK_NB)) : -EBADF;
	file_put(f);
	return ret;
}

/* ---- who is told ---- */

static long set_owner(struct file *f, s32 type, s32 id)
{
	bool there = true;

	if (id) {
		struct task *t = type == F_OWNER_TID ? task_find_get(id) : NULL;
		struct process *p = type == F_OWNER_PID ? process_find_get(id) : NULL;

		there = t || p || type == F_OWNER_PGRP;
		if (t)
			task_put(t);
		if (p)
			process_put(p);
	}
	if (!there)
		return -ESRCH;
	spin_lock(&f->lock);
	f->owner_type = type;
	f->owner_id = id;
	spin_unlock(&f->lock);
	return 0;
}

static long set_owner_ex(struct file *f, u64 user)
{
	struct owner_ex ex;

	if (get_user(ex, user))
		return -EFAULT;
	if (ex.type < F_OWNER_TID || ex.type > F_OWNER_PGRP)
		return -EINVAL;
	return set_owner(f, ex.type, ex.pid);
}

static long get_owner_ex(struct file *f, u64 user)
{
	struct owner_ex ex = { f->owner_type, f->owner_id };

	return put_user(ex, user);
}

static long dup_query(struct file *f, int fd)
{
	struct file *other = fd_get_path(fd);
	long ret = other ? other == f : -EBADF;

	file_put(other);
	return ret;
}

/* The commands that O_PATH descriptors know as well. */
static long fcntl_any(struct file *f, int fd, u32 cmd, u64 arg, bool *done)
{
	long ret;

	*done = true;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return fd_dup_from(f, (int)arg < 0 ? -1 : (int)arg, cmd == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0);
	case F_GETFD:
		ret = fd_get_cloexec(fd);
		return ret > 0 ? FD_CLOEXEC : ret;
	case F_SETFD:
		return fd_set_cloexec(fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return f->flags;
	case F_DUPFD_QUERY:
		return dup_query(f, (int)arg);
	}
	*done = false;
	return -EBADF;
}

static long fcntl_open(struct file *f, int fd, u32 cmd, u64 arg)
{
	switch (cmd) {
	case F_SETFL:
		return set_flags(f, (u32)arg);
	case F_GETLK:
		return lock_get(f, arg, false);
	case F_SETLK:
	case F_SETLKW:
		return lock_set(f, fd, arg, false, cmd == F_SETLKW);
	case F_OFD_GETLK:
		return lock_get(f, arg, true);
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_set(f, fd, arg, true, cmd == F_OFD_SETLKW);
	case F_SETOWN:
		if ((s32)arg == INT32_MIN)
			return -EINVAL;
		return (s32)arg < 0 ? set_owner(f, F_OWNER_PGRP, -(s32)arg) : set_owner(f, F_OWNER_PID, (s32)arg);
	case F_GETOWN:
		return f->owner_type == F_OWNER_PGRP ? -f->owner_id : f->owner_id;
	case F_SETOWN_EX:
		return set_owner_ex(f, arg);
	case F_GETOWN_EX:
		return get_owner_ex(f, arg);
	case F_SETSIG:
		if (arg > NSIG)
			return -EINVAL;
		f->owner_sig = (s32)arg;
		return 0;
	case F_GETSIG:
		return f->owner_sig;
	case F_GETLEASE:
		return f->inode && S_ISREG(f->inode->mode) ? F_UNLCK : -EINVAL;
	case F_SETPIPE_SZ:
		return (s32)arg < 0 ? -EINVAL : pipe_set_size(f, (u32)arg);
	case F_GETPIPE_SZ:
		return pipe_get_size(f);
	case F_ADD_SEALS:
		return memfd_add_seals(f, (u32)arg);
	case F_GET_SEALS:
		return memfd_get_seals(f);
	default:
		/* Leases, F_NOTIFY and write-life hints are not kept. */
		return -EINVAL;
	}
}

SYSCALL_DEFINE(fcntl)
{
	struct file *f = fd_get_path((int)a[0]);
	bool done;
	long ret;

	if (!f)
		return -EBADF;
	ret = fcntl_any(f, (int)a[0], (u32)a[1], a[2], &done);
	if (!done && !(f->mode & FMODE_PATH))
		ret = fcntl_open(f, (int)a[0], (u32)a[1], a[2]);
	file_put(f);
	return ret;
}

/* ---- ioctl ---- */

#define FIBMAP		1u
#define FIGETBSZ	2u
#define FIONREAD	0x541bu
#define FIONBIO		0x5421u
#define FIONCLEX	0x5450u
#define FIOCLEX		0x5451u
#define FIOASYNC	0x5452u
#define FIOQSIZE	0x5460u

static long set_flag_from_user(struct file *f, u32 flag, u64 user)
{
	s32 on;

	if (get_user(on, user))
		return -EFAULT;
	return set_flags(f, on ? f->flags | flag : f->flags & ~flag);
}

static long file_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct inode *inode = f->inode;

	if (inode && S_ISREG(inode->mode) && cmd == FIONREAD) {
		pos_t left = inode->size - f->pos;

		return put_user((s32)min(max(left, (pos_t)0), (pos_t)INT32_MAX), arg);
	}
	if (inode && cmd == FIGETBSZ && (S_ISREG(inode->mode) || S_ISDIR(inode->mode)))
		return put_user((s32)inode->sb->blksize, arg);
	if (inode && cmd == FIOQSIZE && (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)))
		return put_user((s64)inode->size, arg);
	return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

SYSCALL_DEFINE(ioctl)
{
	struct file *f = fd_get((int)a[0]);
	u32 cmd = (u32)a[1];
	long ret;

	if (!f)
		return -EBADF;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		ret = fd_set_cloexec((int)a[0], cmd == FIOCLEX);
		break;
	case FIONBIO:
		ret = set_flag_from_user(f, O_NONBLOCK, a[2]);
		break;
	case FIOASYNC:
		ret = set_flag_from_user(f, O_ASYNC, a[2]);
		break;
	default:
		ret = file_ioctl(f, cmd, a[2]);
	}
	file_put(f);
	return ret;
}
