// SPDX-License-Identifier: MIT
/* Mappings: mmap and its family. */
#include "fs/file.h"
#include "mm/maps.h"
#include "mm/vma.h"
#include "north/linux/syscall.h"
#include "process/rseq.h"
#include "process/task.h"

SYSCALL_DEFINE(mmap)
{
	u32 flags = (u32)a[3];
	struct file *f = NULL;
	long ret;

	if (a[5] & ~PAGE_MASK)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_get((int)a[4]);
		if (!f)
			return -EBADF;
	}
	ret = mm_map(a[0], a[1], (u32)a[2], flags, f, a[5], NULL);
	if (f)
		file_put(f);
	return ret;
}

static long protect(const u64 *a)
{
	if (!(a[2] & PROT_WRITE) && rseq_loses(a[0], a[1]))
		return 0;
	return mm_protect(a[0], a[1], (u32)a[2]);
}

SYSCALL_DEFINE(munmap) { return rseq_loses(a[0], a[1]) ? 0 : mm_unmap(a[0], a[1]); }
SYSCALL_DEFINE(mprotect) { return protect(a); }
SYSCALL_DEFINE(brk) { return (long)mm_brk(a[0]); }
SYSCALL_DEFINE(mremap) { return mm_remap(a[0], a[1], a[2], (u32)min_t(u64, a[3], 0xffffffff), a[4]); }
SYSCALL_DEFINE(madvise) { return mm_advise(a[0], a[1], (int)a[2]); }

#define MS_ASYNC	1u
#define MS_INVALIDATE	2u
#define MS_SYNC		4u

SYSCALL_DEFINE(msync)
{
	u64 start = a[0], end = start + PAGE_ALIGN(a[1]);
	u32 flags = (u32)a[2];

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (start & ~PAGE_MASK))
		return -EINVAL;
	if ((flags & MS_ASYNC) && (flags & MS_SYNC))
		return -EINVAL;
	if (end < start)
		return -ENOMEM;
	return end == start ? 0 : mm_sync(start, end, flags & MS_INVALIDATE, flags & MS_SYNC);
}

SYSCALL_DEFINE(mincore)
{
	u64 start = a[0], nr = (a[1] + PAGE_SIZE - 1) >> PAGE_SHIFT, vec = a[2];
	long ret = 0;
	u8 *buf;

	if (start & ~PAGE_MASK)
		return -EINVAL;
	if (!access_ok(start, a[1]))
		return -ENOMEM;
	if (!access_ok(vec, nr))
		return -EFAULT;
	buf = kmalloc(PAGE_SIZE);
	if (!buf)
		return -EAGAIN;
	while (nr && !ret) {
		u64 part = min_t(u64, nr, PAGE_SIZE);

		ret = mm_mincore(start, part, buf);
		if (!ret)
			ret = copy_to_user(vec, buf, part);
		start += part << PAGE_SHIFT;
		vec += part;
		nr -= part;
	}
	kfree(buf);
	return ret;
}

/* An old call, which Linux emulates by mmap as well: the pages of a shared mapping in another order. */
SYSCALL_DEFINE(remap_file_pages)
{
	u64 start = a[0] & PAGE_MASK, size = a[1] & PAGE_MASK, pgoff = a[3];
	u32 prot = 0, flags = MAP_SHARED | MAP_FIXED | ((u32)a[4] & MAP_NONBLOCK), may = 0;
	struct mm *mm = current->mm;
	struct vm_object *obj = NULL;
	struct file *f = NULL;
	const char *name = NULL;
	struct vma *v;
	long ret;

	if (a[2] || start + size <= start || pgoff + (size >> PAGE_SHIFT) < pgoff || pgoff > ~0ull >> PAGE_SHIFT)
		return -EINVAL;
	mutex_lock(&mm->lock);
	v = vma_at(mm, start);
	if (v && vma_shared(v) && start + size <= v->end) {
		prot = v->prot;
		may = v->flags & VMA_MAY_ALL;
		flags |= v->flags & MAP_LOCKED;
		name = v->name;
		vm_object_get(obj = v->obj);
		f = v->file;
		if (f)
			file_get(f);
	}
	mutex_unlock(&mm->lock);
	if (!obj)
		return -EINVAL;
	ret = mm_map_object(start, size, prot, flags, obj, pgoff << PAGE_SHIFT, may, f, name);
	if (f)
		file_put(f);
	return ret < 0 ? ret : 0;
}

#define MLOCK_ONFAULT	1u
#define MCL_CURRENT	1u
#define MCL_FUTURE	2u
#define MCL_ONFAULT	4u

SYSCALL_DEFINE(mlock) { return mm_lock_range(a[0], a[1], MAP_LOCKED); }
SYSCALL_DEFINE(munlock) { return mm_lock_range(a[0], a[1], 0); }
SYSCALL_DEFINE(munlockall) { return mm_lock_all(0, 0); }

SYSCALL_DEFINE(mlock2)
{
	if ((u32)a[2] & ~MLOCK_ONFAULT)
		return -EINVAL;
	return mm_lock_range(a[0], a[1], MAP_LOCKED | ((u32)a[2] ? VMA_LOCKONFAULT : 0));
}

SYSCALL_DEFINE(mlockall)
{
	u32 flags = (u32)a[0], set = MAP_LOCKED | (flags & MCL_ONFAULT ? VMA_LOCKONFAULT : 0);

	if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
		return -EINVAL;
	return mm_lock_all(flags & MCL_CURRENT ? set : ~0u, flags & MCL_FUTURE ? set : 0);
}

/* Protection keys: a processor without them. */
SYSCALL_DEFINE(pkey_mprotect) { return (int)a[3] == -1 ? protect(a) : -EINVAL; }
SYSCALL_DEFINE(pkey_alloc) { return a[0] || a[1] & ~3ull ? -EINVAL : -ENOSPC; }
SYSCALL_DEFINE(pkey_free) { return -EINVAL; }
