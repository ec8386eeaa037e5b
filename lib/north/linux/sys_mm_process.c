// SPDX-License-Identifier: MIT
/* Between processes: process_vm_readv/writev, membarrier. */
#include "base/string.h"
#include "mm/maps.h"
#include "mm/uaccess.h"
#include "mm/vma.h"
#include "north/linux/syscall.h"
#include "process/fork.h"
#include "process/pid.h"

#define IOV_MAX	1024u

/* A program's array of struct iovec. Return: bytes in all, or -errno; *@out is kmalloc()ed or NULL. */
static ssize_t iov_import(u64 addr, u64 nr, struct iov **out)
{
	struct iov *v;
	u64 total = 0, i;

	*out = NULL;
	if (nr > IOV_MAX)
		return -EINVAL;
	if (!nr)
		return 0;
	v = kmalloc(nr * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (copy_from_user(v, addr, nr * sizeof(*v)))
		goto fault;
	for (i = 0; i < nr; i++) {
		if ((s64)v[i].len < 0) {
			kfree(v);
			return -EINVAL;
		}
		if (!access_ok(v[i].base, v[i].len))
			goto fault;
		v[i].len = min_t(u64, v[i].len, MAX_RW_COUNT - total);
		total += v[i].len;
	}
	*out = v;
	return (ssize_t)total;
fault:
	kfree(v);
	return -EFAULT;
}

/* From the uio @from to @to, both the current program's. Return: bytes, or -EFAULT */
static ssize_t move(struct uio *to, struct uio *from)
{
	ssize_t done = 0, n, put;
	u8 *buf = kmalloc(PAGE_SIZE);

	if (!buf)
		return -ENOMEM;
	while (to->left && from->left) {
		n = uio_get(from, buf, min_t(size_t, min(to->left, from->left), PAGE_SIZE));
		put = n > 0 ? uio_put(to, buf, (size_t)n) : n;
		if (put <= 0) {
			if (!done)
				done = -EFAULT;
			break;
		}
		done += put;
		if (put < n)
			break;
	}
	kfree(buf);
	return done;
}

static long process_vm(const u64 *a, bool write)
{
	struct iov *local = NULL, *remote = NULL;
	ssize_t ll, rl = 0;
	long ret;

	if (a[5])
		return -EINVAL;
	ll = iov_import(a[1], a[2], &local);
	ret = ll;
	if (ll > 0) {
		rl = iov_import(a[3], a[4], &remote);
		ret = rl;
	}
	if (ret > 0 && (s32)a[0] != current->process->tgid) {
		struct process *p = process_find_get((s32)a[0]);

		/* Another address space is another process of the host, which cannot be looked into. */
		ret = p ? -EPERM : -ESRCH;
		if (p)
			process_put(p);
	} else if (ret > 0) {
		struct uio l = { .iov = local, .nr = (u32)a[2], .user = true, .left = (size_t)ll };
		struct uio r = { .iov = remote, .nr = (u32)a[4], .user = true, .left = (size_t)rl };

		ret = write ? move(&r, &l) : move(&l, &r);
	}
	kfree(local);
	kfree(remote);
	return ret;
}

SYSCALL_DEFINE(process_vm_readv) { return process_vm(a, false); }
SYSCALL_DEFINE(process_vm_writev) { return process_vm(a, true); }

#define MEMBARRIER_QUERY				0
#define MEMBARRIER_GLOBAL				BIT(0)
#define MEMBARRIER_GLOBAL_EXPEDITED			BIT(1)
#define MEMBARRIER_REGISTER_GLOBAL_EXPEDITED		BIT(2)
#define MEMBARRIER_PRIVATE_EXPEDITED			BIT(3)
#define MEMBARRIER_REGISTER_PRIVATE_EXPEDITED		BIT(4)
#define MEMBARRIER_GET_REGISTRATIONS			BIT(9)

SYSCALL_DEFINE(membarrier)
{
	struct mm *mm = current->mm;

	if ((u32)a[1])
		return -EINVAL;
	switch ((s32)a[0]) {
	case MEMBARRIER_QUERY:
		return MEMBARRIER_GLOBAL | MEMBARRIER_GLOBAL_EXPEDITED | MEMBARRIER_REGISTER_GLOBAL_EXPEDITED |
		       MEMBARRIER_PRIVATE_EXPEDITED | MEMBARRIER_REGISTER_PRIVATE_EXPEDITED |
		       MEMBARRIER_GET_REGISTRATIONS;
	case MEMBARRIER_GLOBAL:
	case MEMBARRIER_GLOBAL_EXPEDITED:
		return mm_barrier(NULL);
	case MEMBARRIER_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_REGISTER_PRIVATE_EXPEDITED:
		atomic_or(&mm->membarrier_state, (u64)a[0]);
		return 0;
	case MEMBARRIER_PRIVATE_EXPEDITED:
		if (!(READ_ONCE(mm->membarrier_state) & MEMBARRIER_REGISTER_PRIVATE_EXPEDITED))
			return -EPERM;
		return mm_barrier(mm);
	case MEMBARRIER_GET_REGISTRATIONS:
		return (long)READ_ONCE(mm->membarrier_state);
	default:
		return -EINVAL;
	}
}
