// SPDX-License-Identifier: MIT
/* Calls that an unprivileged container may not make, whatever their arguments: EPERM. And kcmp(2). */
#include "base/random.h"
#include "fs/file.h"
#include "mm/mm.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/pid.h"

#define REFUSE(name)	SYSCALL_DEFINE(name) { return -EPERM; }
REFUSE(ptrace)
REFUSE(vhangup)
REFUSE(acct)
REFUSE(swapon)
REFUSE(swapoff)
REFUSE(reboot)
REFUSE(iopl)
REFUSE(ioperm)
REFUSE(init_module)
REFUSE(delete_module)
REFUSE(kexec_load)
REFUSE(perf_event_open)
REFUSE(finit_module)
REFUSE(kexec_file_load)
REFUSE(bpf)

/* ---- kcmp ---- */

enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM, KCMP_EPOLL_TFD };

/* An order of objects that tells nothing of where they lie. */
static long compare(const void *x, const void *y)
{
	static u64 mask, factor;
	u64 u, v;

	if (!load_acquire(&factor)) {
		mask = random_u64();
		store_release(&factor, random_u64() | 1);
	}
	u = ((u64)x ^ mask) * factor;
	v = ((u64)y ^ mask) * factor;
	return u == v ? 0 : u < v ? 1 : 2;
}

static struct file *file_of(struct task *t, u64 fd)
{
	struct files *files = task_files_get(t);
	struct file *f = NULL;
	bool cloexec;

	if (files) {
		if (fd <= INT32_MAX)
			f = files_get_file(files, (int)fd, &cloexec);
		files_put(files);
	}
	return f;
}

static long compare_files(struct task *t1, struct task *t2, u64 fd1, u64 fd2)
{
	struct file *f1 = file_of(t1, fd1), *f2 = file_of(t2, fd2);
	long ret = f1 && f2 ? compare(f1, f2) : -EBADF;

	if (f1)
		file_put(f1);
	if (f2)
		file_put(f2);
	return ret;
}

static long kcmp_tasks(struct task *t1, struct task *t2, const u64 *a)
{
	if (task_may_access(t1) || task_may_access(t2))
		return -EPERM;
	switch ((s32)a[2]) {
	case KCMP_FILE:
		return compare_files(t1, t2, a[3], a[4]);
	case KCMP_VM:
		return compare(t1->mm, t2->mm);
	case KCMP_FILES:
		return compare(t1->files, t2->files);
	case KCMP_FS:
		return compare(t1->fs, t2->fs);
	case KCMP_SIGHAND:
		return compare(t1->sighand, t2->sighand);
	case KCMP_IO:
	case KCMP_SYSVSEM:
		return compare(t1->process, t2->process);
	case KCMP_EPOLL_TFD:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

SYSCALL_DEFINE(kcmp)
{
	struct task *t1 = task_find_get((s32)a[0]), *t2 = task_find_get((s32)a[1]);
	long ret = t1 && t2 ? kcmp_tasks(t1, t2, a) : -ESRCH;

	task_put(t1);
	task_put(t2);
	return ret;
}
