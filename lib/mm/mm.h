/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: VMAs with Linux's semantics, and the pager interface below them.
 *
 * The VMA layer decides (what is mapped where, with which rights, split and merge, limits, errno) and keeps the books; the pager
 * makes it true. There are two: hosted (asks the host to map; lib/south/hosted/pager.c) and guest (owns page tables).
 * On hosted Souths only the process that has the address space can change it: all mm_*() functions here that change mappings work
 * on the current task's mm (or, between machine_ops.mm_fresh and the first return to the program, on one nobody runs in yet).
 */
#ifndef LIB_MM_MM_H
#define LIB_MM_MM_H

#include "base/atomic.h"
#include "base/rbtree.h"
#include "base/list.h"
#include "fs/file.h"
#include "sched/lock.h"

#define PROT_NONE		0
#define PROT_READ		1
#define PROT_WRITE		2
#define PROT_EXEC		4
#define PROT_GROWSDOWN		0x01000000
#define PROT_GROWSUP		0x02000000

#define MAP_SHARED		0x01
#define MAP_PRIVATE		0x02
#define MAP_SHARED_VALIDATE	0x03
#define MAP_TYPE		0x0f
#define MAP_FIXED		0x10
#define MAP_ANONYMOUS		0x20
#define MAP_32BIT		0x40
#define MAP_GROWSDOWN		0x0100
#define MAP_DENYWRITE		0x0800
#define MAP_EXECUTABLE		0x1000
#define MAP_LOCKED		0x2000
#define MAP_NORESERVE		0x4000
#define MAP_POPULATE		0x8000
#define MAP_NONBLOCK		0x10000
#define MAP_STACK		0x20000
#define MAP_HUGETLB		0x40000
#define MAP_SYNC		0x80000
#define MAP_FIXED_NOREPLACE	0x100000

/*
 * What backs a mapping. Anonymous private memory has none (NULL). Counted.
 */
enum vm_object_kind {
	VM_PAGECACHE,		/* pages of RAM: memfs files, memfd, shared anonymous memory */
	VM_HANDLE,		/* a file that the broker granted: a host handle, mapped directly */
};

struct vm_object {
	ref_t ref;
	enum vm_object_kind kind;
	struct pagecache *pc;	/* VM_PAGECACHE: a reference */
	u32 handle;		/* VM_HANDLE */
	void (*release)(struct vm_object *obj);	/* the last reference is gone: drops what it stands for and frees */
};
void vm_object_get(struct vm_object *obj);
void vm_object_put(struct vm_object *obj);

struct vma {
	struct rb_node node;
	u64 start, end;
	u32 prot;		/* PROT_* */
	u32 flags;		/* MAP_* that matter later, VMA_* */
	u64 off;		/* of start in the object, bytes */
	struct vm_object *obj;	/* a reference, NULL: private anonymous */
	struct file *file;	/* a reference, for /proc/self/maps; NULL for anonymous */
	const char *name;	/* "[heap]", "[stack]", "[vdso]"; static */
};

struct pager;			/* the pager's own half */

struct mm {
	ref_t ref;		/* one per task that runs in it, and those who look at it */
	struct mutex lock;	/* guards everything below; outside pagecache.lock */
	struct rb_root vmas;
	u32 nr_vmas;
	u64 total_pages, locked_pages, data_pages, shared_pages, stack_pages;
	u64 start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	u64 arg_start, arg_end, env_start, env_end;
	u64 mmap_base;		/* mappings grow down from here */
	u64 auxv[64];		/* as given to the program: /proc/self/auxv */
	u32 nr_auxv;
	struct file *exe;	/* a reference: /proc/self/exe */
	u32 users;		/* tasks that run in it; guarded by lock */
	bool dumpable;
	void *south;		/* of the machine: hosted: the host process */
	u64 membarrier_state;
	s64 max_rss_pages;
};

/*
 * What the pager must do. Called with mm->lock held, ranges page aligned and inside the program window. They change the address
 * space that the caller runs in. An error leaves the old mapping or nothing in the range, never something else.
 */
struct pager_ops {
	/* Back [addr, addr+len); @obj NULL: fresh zeroed private memory. @populate: touch it now. Replaces what is there. */
	int (*map)(struct mm *mm, u64 addr, u64 len, u32 prot, bool shared, struct vm_object *obj, u64 off,
		   bool populate, bool noreserve);
	int (*unmap)(struct mm *mm, u64 addr, u64 len);
	int (*protect)(struct mm *mm, u64 addr, u64 len, u32 prot);
	/* Move the pages of [addr, +len) to [to, +new_len) (mremap); @keep: MREMAP_DONTUNMAP */
	int (*move)(struct mm *mm, u64 addr, u64 len, u64 to, u64 new_len, bool keep);
	/* madvise: MADV_DONTNEED, MADV_FREE, MADV_WILLNEED, MADV_POPULATE_*, MADV_HUGEPAGE, … that mm/ passes on */
	int (*advise)(struct mm *mm, u64 addr, u64 len, int advice);
	/* Which pages are there; NULL: mm/ answers "all" */
	int (*resident)(struct mm *mm, u64 addr, u64 nr_pages, u8 *vec);
	/* Give everything in the program window back (exec, exit) */
	void (*unmap_all)(struct mm *mm);
};
extern const struct pager_ops *pager;

__must_check struct mm *mm_create(void);
void mm_get(struct mm *mm);
void mm_put(struct mm *mm);
/* mm_clone() - the books of a fork: every VMA copied; the pages themselves are copied by machine->fork(). */
__must_check struct mm *mm_clone(struct mm *old);
/* mm_clear() - unmap all: exec in place, or the last user is gone */
void mm_clear(struct mm *mm);

/*
 * mm_map() - mmap(2) on the current mm. @file: may be NULL. @obj: overrides what @file->ops->mmap would give; may be NULL.
 * Return: the address, or -errno as mmap(2).
 */
long mm_map(u64 addr, u64 len, u32 prot, u32 flags, struct file *file, u64 off, const char *name);
int mm_unmap(u64 addr, u64 len);
int mm_protect(u64 addr, u64 len, u32 prot);
/* vma_find() - the first VMA that ends above @addr (mm->lock held) or NULL */
struct vma *vma_find(struct mm *mm, u64 addr);

/*
 * mm_fault() - the South saw a fault of the program (or of a copy function) at @addr
 * Handles what the VMA layer promises but the pager did not do yet (stack growth). Return: 0: try again; else what to tell the program:
 * a signal number with *@code the si_code (SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR).
 */
int mm_fault(u64 addr, bool write, bool exec, int *code);

#endif
