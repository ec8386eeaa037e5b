// SPDX-License-Identifier: MIT
/* clone(2) and its kin, exit, wait, ids, groups and sessions. */
#include "base/string.h"
#include "fs/file.h"
#include "fs/fs_state.h"
#include "mm/mm.h"
#include "north/linux/syscall.h"
#include "process/fork.h"

/* ---- clone ---- */

/* Linux's rules for what goes together (copy_process()), and ours: no namespaces for the unprivileged. */
static long check_flags(const struct clone_args *c)
{
	u64 f = c->flags;

	if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS) ||
	    (f & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_THREAD) && (f & (CLONE_NEWUSER | CLONE_NEWPID)))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & (CLONE_THREAD | CLONE_DETACHED)))
		return -EINVAL;
	if ((f & CLONE_NEWIPC) && (f & CLONE_SYSVSEM))
		return -EINVAL;
	if (f & CLONE_NAMESPACES)
		return -EPERM;
	if ((f & CLONE_SETTLS) && !access_ok(c->tls, 1))
		return -EPERM;
	return 0;
}

static long clone_checked(struct clone_args *c)
{
	long ret = check_flags(c);

	return ret ? ret : task_clone(c);
}

SYSCALL_DEFINE(clone)
{
	struct clone_args c = {
		.flags = (u32)a[0] & ~CLONE_CSIGNAL, .exit_signal = (u32)a[0] & CLONE_CSIGNAL,
		.stack = a[1], .parent_tid = a[2], .pidfd = a[2], .child_tid = a[3], .tls = a[4],
	};

	/* both would go to the same place */
	if ((c.flags & CLONE_PIDFD) && (c.flags & CLONE_PARENT_SETTID))
		return -EINVAL;
	return clone_checked(&c);
}

SYSCALL_DEFINE(fork)
{
	struct clone_args c = { .exit_signal = SIGCHLD };

	return task_clone(&c);
}

SYSCALL_DEFINE(vfork)
{
	struct clone_args c = { .flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD };

	return task_clone(&c);
}

/* struct clone_args of clone3(2) */
struct linux_clone_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
#define CLONE_ARGS_SIZE_VER0	64
#define CLONE_ARGS_SIZE_VER2	88
_Static_assert(sizeof(struct linux_clone_args) == CLONE_ARGS_SIZE_VER2, "struct clone_args");

#define CLONE3_FLAGS		(0xffffffffull | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP)
#define MAX_PID_NS_LEVEL	32

static long copy_clone_args(struct linux_clone_args *k, u64 addr, u64 size)
{
	u8 tail[64];
	u64 at, n;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	memset(k, 0, sizeof(*k));
	if (copy_from_user(k, addr, min(size, (u64)sizeof(*k))))
		return -EFAULT;
	/* a newer program's fields may be there as long as they ask for nothing */
	for (at = sizeof(*k); at < size; at += n) {
		n = min(size - at, (u64)sizeof(tail));
		if (copy_from_user(tail, addr + at, n))
			return -EFAULT;
		for (u64 i = 0; i < n; i++)
			if (tail[i])
				return -E2BIG;
	}
	return 0;
}

static long check_clone_args(const struct linux_clone_args *k, u64 size)
{
	if (k->set_tid_size > MAX_PID_NS_LEVEL || !k->set_tid != !k->set_tid_size)
		return -EINVAL;
	if ((k->exit_signal & ~CLONE_CSIGNAL) || k->exit_signal > NSIG)
		return -EINVAL;
	if ((k->flags & CLONE_INTO_CGROUP) && (k->cgroup > INT32_MAX || size < CLONE_ARGS_SIZE_VER2))
		return -EINVAL;
	if (k->flags & ~CLONE3_FLAGS)
		return -EINVAL;
	if (k->flags & (CLONE_DETACHED | (CLONE_CSIGNAL & ~CLONE_NEWTIME)))
		return -EINVAL;
	if ((k->flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)) == (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((k->flags & (CLONE_THREAD | CLONE_PARENT)) && k->exit_signal)
		return -EINVAL;
	if (!k->stack != !k->stack_size)
		return -EINVAL;
	if (k->stack && !access_ok(k->stack, k->stack_size))
		return -EINVAL;
	return 0;
}

SYSCALL_DEFINE(clone3)
{
	struct linux_clone_args k;
	struct clone_args c;
	long ret = copy_clone_args(&k, a[0], a[1]);

	if (!ret)
		ret = check_clone_args(&k, a[1]);
	if (ret)
		return ret;
	c = (struct clone_args){
		.flags = k.flags, .pidfd = k.pidfd, .child_tid = k.child_tid, .parent_tid = k.parent_tid,
		.exit_signal = (u32)k.exit_signal, .stack = k.stack ? k.stack + k.stack_size : 0, .tls = k.tls,
	};
	ret = check_flags(&c);
	if (ret)
		return ret;
	if (k.set_tid_size)
		return -EPERM;		/* CAP_CHECKPOINT_RESTORE, which nobody has */
	if (k.flags & CLONE_INTO_CGROUP)
		return -EBADF;		/* no descriptor is a cgroup's */
	return task_clone(&c);
}

SYSCALL_DEFINE(unshare)
{
	u64 f = a[0];
	struct files *files = NULL;
	struct fs_state *fs = NULL;
	struct task *t = current;

	if (f & ~(CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM | CLONE_NAMESPACES))
		return -EINVAL;
	if ((f & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) && t->process->nr_threads > 1)
		return -EINVAL;
	if ((f & (CLONE_SIGHAND | CLONE_VM)) && ref_read(&t->sighand->ref) > 1)
		return -EINVAL;
	if ((f & CLONE_VM) && READ_ONCE(t->mm->users) > 1)
		return -EINVAL;
	if (f & CLONE_NAMESPACES)
		return -EPERM;
	if (f & CLONE_FS) {
		fs = fs_state_dup(t->fs);
		if (!fs)
			return -ENOMEM;
	}
	if (f & CLONE_FILES) {
		files = files_dup(t->files);
		if (!files) {
			if (fs)
				fs_state_put(fs);
			return -ENOMEM;
		}
	}
	if (fs)
		task_set_fs(fs);
	if (files)
		task_set_files(files);
	return 0;
}

SYSCALL_DEFINE(setns)
{
	struct file *f = fd_get((int)a[0]);

	if (!f)
		return -EBADF;
	file_put(f);
	return (u32)a[1] & ~(u32)CLONE_NAMESPACES ? -EINVAL : -EPERM;
}

/* ---- exit and wait ---- */

SYSCALL_DEFINE(exit)
{
	task_exit(WAIT_STATUS_EXIT(a[0]));
}

SYSCALL_DEFINE(exit_group)
{
	task_exit_group(WAIT_STATUS_EXIT(a[0]));
}

static int put_rusage(u64 addr, const struct rusage_times *u)
{
	struct linux_rusage r;

	if (!addr)
		return 0;
	rusage_to_linux(u, &r);
	return copy_to_user(addr, &r, sizeof(r));
}

SYSCALL_DEFINE(wait4)
{
	s32 pid = (s32)a[0];
	u32 options = (u32)a[2];
	struct wait_request req = { .who = WAIT_WHO_ALL };
	long ret;

	if (options & ~(WAIT_NOHANG | WAIT_UNTRACED | WAIT_CONTINUED | WAIT_NOTHREAD | WAIT_CLONE | WAIT_ALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid > 0) {
		req.who = WAIT_WHO_PID;
		req.id = pid;
	} else if (pid != -1) {
		req.who = WAIT_WHO_PGID;
		req.id = pid ? -pid : current->process->pgid;
	}
	req.options = options | WAIT_EXITED;
	ret = process_wait(&req);
	if (ret > 0 && a[1] && put_user(req.status, a[1]))
		return -EFAULT;
	if (ret > 0 && put_rusage(a[3], &req.usage))
		return -EFAULT;
	return ret;
}

#define P_ALL	0
#define P_PID	1
#define P_PGID	2
#define P_PIDFD	3

/* waitid's id as a request. Return: 0 or -errno; @*nonblock: the descriptor says so */
static long decode_waitid(struct wait_request *req, u32 type, s32 id, bool *nonblock)
{
	struct process *p;
	u32 flags;

	switch (type) {
	case P_ALL:
		req->who = WAIT_WHO_ALL;
		return 0;
	case P_PID:
		req->who = WAIT_WHO_PID;
		req->id = id;
		return id <= 0 ? -EINVAL : 0;
	case P_PGID:
		req->who = WAIT_WHO_PGID;
		req->id = id ? id : current->process->pgid;
		return id < 0 ? -EINVAL : 0;
	case P_PIDFD:
		if (id < 0)
			return -EINVAL;
		p = pidfd_process(id, &flags);
		if (IS_ERR(p))
			return PTR_ERR(p);
		req->who = WAIT_WHO_PID;
		/* who was waited for before is nobody's child any more, and his number may be another's by now */
		req->id = READ_ONCE(p->reaped) ? 0 : p->tgid;
		*nonblock = flags & O_NONBLOCK;
		process_put(p);
		return 0;
	default:
		return -EINVAL;
	}
}

SYSCALL_DEFINE(waitid)
{
	u32 options = (u32)a[3];
	struct wait_request req = { .options = options };
	struct { s32 signo, err, code, pad, pid; u32 uid; s32 status; } out = { 0 };
	bool nonblock = false;
	long ret;

	if (options & ~(WAIT_NOHANG | WAIT_NOWAIT | WAIT_EXITED | WAIT_UNTRACED | WAIT_CONTINUED | WAIT_NOTHREAD |
			WAIT_CLONE | WAIT_ALL))
		return -EINVAL;
	if (!(options & (WAIT_EXITED | WAIT_UNTRACED | WAIT_CONTINUED)))
		return -EINVAL;
	ret = decode_waitid(&req, (u32)a[0], (s32)a[1], &nonblock);
	if (ret)
		return ret;
	if (nonblock)
		req.options |= WAIT_NOHANG;
	ret = process_wait(&req);
	if (!ret && nonblock && !(options & WAIT_NOHANG))
		ret = -EAGAIN;
	if (ret < 0)
		return ret;
	if (ret > 0) {
		out.signo = SIGCHLD;
		out.code = req.info.code;
		out.pid = req.info.chld.pid;
		out.uid = req.info.chld.uid;
		out.status = req.info.chld.status;
		if (put_rusage(a[4], &req.usage))
			return -EFAULT;
	}
	return a[2] && copy_to_user(a[2], &out, sizeof(out)) ? -EFAULT : 0;
}

/* ---- who am I ---- */

SYSCALL_DEFINE(getpid)
{
	return current->process->tgid;
}

SYSCALL_DEFINE(gettid)
{
	return current->tid;
}

SYSCALL_DEFINE(getppid)
{
	struct process *parent;
	s32 pid;

	mutex_lock(&tasklist_lock);
	parent = current->process->parent;
	pid = parent ? parent->tgid : 0;
	mutex_unlock(&tasklist_lock);
	return pid;
}

SYSCALL_DEFINE(set_tid_address)
{
	current->clear_child_tid = a[0];
	return current->tid;
}

SYSCALL_DEFINE(setpgid)
{
	return process_setpgid((s32)a[0], (s32)a[1]);
}

SYSCALL_DEFINE(getpgrp)
{
	return current->process->pgid;
}

SYSCALL_DEFINE(getpgid)
{
	struct task *t;
	long ret;

	if (!(s32)a[0])
		return current->process->pgid;
	t = task_find_get((s32)a[0]);
	if (!t)
		return -ESRCH;
	ret = t->process->pgid;
	task_put(t);
	return ret;
}

SYSCALL_DEFINE(setsid)
{
	return process_setsid();
}

SYSCALL_DEFINE(getsid)
{
	struct task *t;
	long ret;

	if (!(s32)a[0])
		return current->process->sid;
	t = task_find_get((s32)a[0]);
	if (!t)
		return -ESRCH;
	ret = t->process->sid;
	task_put(t);
	return ret;
}

SYSCALL_DEFINE(personality)
{
	struct process *p = current->process;
	u32 old = p->personality;

	if ((u32)a[0] != 0xffffffff)
		p->personality = (u32)a[0];
	return old;
}

/* ---- pidfds ---- */

SYSCALL_DEFINE(pidfd_open)
{
	struct process *p;
	struct task *t;
	long ret;

	if (((u32)a[1] & ~(u32)O_NONBLOCK) || (s32)a[0] <= 0)
		return -EINVAL;
	p = process_find_get((s32)a[0]);
	if (!p) {
		/* a thread that leads no process */
		t = task_find_get((s32)a[0]);
		task_put(t);
		return t ? -EINVAL : -ESRCH;
	}
	ret = pidfd_create(p, (u32)a[1]);
	process_put(p);
	return ret;
}

SYSCALL_DEFINE(pidfd_getfd)
{
	struct process *p;
	struct files *files;
	struct file *f = NULL;
	struct task *t;
	bool cloexec;
	long ret;

	if ((u32)a[2])
		return -EINVAL;
	p = pidfd_process((int)a[0], NULL);
	if (IS_ERR(p))
		return PTR_ERR(p);
	t = process_task_get(p);
	process_put(p);
	if (!t)
		return -ESRCH;
	ret = task_may_access(t);
	if (!ret) {
		files = task_files_get(t);
		ret = files ? -EBADF : -ESRCH;
		if (files) {
			f = files_get_file(files, (int)a[1], &cloexec);
			files_put(files);
		}
	}
	task_put(t);
	return f ? fd_add(f, O_CLOEXEC) : ret;
}
