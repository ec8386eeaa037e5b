// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * map: BACK and RELEASE, and DISCARD of the library kernel's own RAM. PROTECT, MOVE and DISCARD of a program's range have no
 * entry that a module may call: on this South they are host calls of the gate (hostcalls.def), and ENOSYS here.
 */
#include <linux/fs.h>
#include <linux/falloc.h>

#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>

#include "litebox.h"

static long back(struct litebox_sandbox *sb, const struct lbx_map *map)
{
	unsigned long flags = MAP_FIXED | (map->flags & LBX_MAP_SHARED ? MAP_SHARED : MAP_PRIVATE), ret;
	struct litebox_handle *h = NULL;
	struct file *file = NULL;
	int err;

	if (map->handle != LBX_HANDLE_NONE) {
		h = litebox_handle_get(sb, map->handle);
		err = lbx_check_map_handle(h ? &h->grant : NULL, map);
		if (err)
			goto out;
		file = h->file;
	} else {
		flags |= MAP_ANONYMOUS;
	}
	if (map->flags & LBX_MAP_POPULATE)
		flags |= MAP_POPULATE;
	if (map->flags & LBX_MAP_NORESERVE)
		flags |= MAP_NORESERVE;
	ret = vm_mmap(file, map->addr, map->len, map->prot, flags, map->off);
	err = IS_ERR_VALUE(ret) ? (long)ret : 0;
out:
	if (h)
		litebox_handle_put(h);
	return err;
}

/* The file behind [addr, addr + len), if one mapping of one handle of kind RAM holds all of it. */
static struct file *ram_at(u64 addr, u64 len, loff_t *off)
{
	struct vm_area_struct *vma;
	struct file *file = NULL;

	if (mmap_read_lock_killable(current->mm))
		return ERR_PTR(-EINTR);
	vma = find_vma(current->mm, addr);
	if (vma && vma->vm_start <= addr && vma->vm_end - addr >= len && vma->vm_file &&
	    (vma->vm_flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE) && shmem_file(vma->vm_file)) {
		file = get_file(vma->vm_file);
		*off = ((loff_t)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
	}
	mmap_read_unlock(current->mm);
	return file ? file : ERR_PTR(-EFAULT);
}

static long discard(struct litebox_sandbox *sb, const struct lbx_map *map)
{
	struct file *file;
	loff_t off;
	long ret;

	if (map->addr < sb->space.kernel_start || map->addr >= sb->space.kernel_end)
		return -ENOSYS;
	file = ram_at(map->addr, map->len, &off);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = vfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, map->len);
	fput(file);
	return ret;
}

long litebox_map(struct litebox_sandbox *sb, const struct lbx_map *map)
{
	switch (map->op) {
	case LBX_MAP_BACK:
		return back(sb, map);
	case LBX_MAP_RELEASE:
		return vm_munmap(map->addr, map->len);
	case LBX_MAP_DISCARD:
		return discard(sb, map);
	default:
		return -ENOSYS;
	}
}
