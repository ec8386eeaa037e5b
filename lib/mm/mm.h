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

/* vma->flags: the low bits are MAP_* (SHARED, GROWSDOWN, NORESERVE, LOCKED, STACK, HUGETLB is never set), the high ones: */
#define VMA_MAYREAD	BIT(24)		/* what mprotect() may give */
#define VMA_MAYWRITE	BIT(25)
#define VMA_MAYEXEC	BIT(26)
#define VMA_ACCOUNT	BIT(27)		/* charged against the sandbox's RAM (private, once it was writable) */
#define VMA_LAZY	BIT(28)		/* the pager has nothing here yet: mm_fault() brings it, or says SIGBUS */
#define VMA_DONTFORK	BIT(29)
#define VMA_WIPEONFORK	BIT(30)
#define VMA_DONTDUMP	BIT(31)
#define VMA_LOCKONFAULT	BIT(23)
#define VMA_FORK_DROP	BIT(22)		/* in a fork's child, before mm_fork_fixup(): to be unmapped */
#define VMA_SEQ_READ	BIT(21)
#define VMA_RAND_READ	BIT(20)
#define VMA_HUGEPAGE	BIT(19)
#define VMA_NOHUGEPAGE	BIT(15)
#define VMA_SEALED	BIT(18)		/* the South's own: no call changes it, as after mseal(2) */

struct vma {
	struct rb_node node;
	u64 start, end;
	u32 prot;		/* PROT_* */
	u32 flags;		/* MAP_* that matter later, VMA_* */
	u64 off;		/* of start in the object, bytes */
	struct vm_object *obj;	/* a reference, NULL: private anonymous */
	struct file *file;	/* a reference, for /proc/self/maps; NULL for anonymous */
	const char *name;	/* "[heap]", "[stack]", "[vdso]"; static */
	struct mm *mm;
	struct list rmap;	/* VM_PAGECACHE: in pagecache.maps; guarded by its lock, as is the next */
	u64 trunc_from;		/* a truncate wants pages of the object from here on back, bytes; ~0: no */
};

struct pager;			/* the pager's own half */

/* What execve() was given: who looks from another address space cannot read the program's own. Counted, never changed. */
struct exec_strings {
	ref_t ref;
	char *args, *envs;	/* kmalloc()ed; strings one after the other */
	size_t args_len, envs_len;
};

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
	struct exec_strings *strings;	/* a reference: /proc/<pid>/cmdline; set once, NULL: none */
	u32 users;		/* tasks that run in it; guarded by lock */
	bool dumpable;
	void *south;		/* of the machine: hosted: the host process */
	void *patches;		/* of the machine: hosted: what is patched here (struct patch_mm) */
	u64 membarrier_state;
	s64 max_rss_pages;
	u64 charged;		/* pages charged by ram_charge() */
	u64 exec_pages;		/* executable, for /proc/self/status */
	u32 def_flags;		/* mlockall(MCL_FUTURE): MAP_LOCKED, VMA_LOCKONFAULT */
	u32 work_pending;	/* atomic: mm_do_work() has something to do */
	bool fork_fixup;	/* mm_fork_fixup() has something to do */
	u64 seq;		/* counts changes of the VMAs */
	u64 cloned_seq;		/* of a fork's child: the parent's seq that the books are a copy of */
	u64 hole_cache;		/* vma.c: the search for a gap starts below this */
	u64 hole_size;		/* ... unless it wants no more than this */
	u64 fault_addr;		/* fault.c: the same fault again and again is none that this layer can mend */
	u32 fault_nr;
	struct wait_queue work_wait;	/* membarrier(): somebody did mm_do_work() */
};

/*
 * What the pager must do. Called with mm->lock held, ranges page aligned and inside the program window. They change the address
 * space that the caller runs in. An error leaves the old mapping or nothing in the range, never something else.
 */
struct pager_ops {
	/*
	 * Back [addr, addr+len); @obj NULL: fresh zeroed private memory. @populate: touch it now. Replaces what is there. Of a
	 * VM_PAGECACHE object all pages are there (pagecache_run() gives them) unless a truncate took some meanwhile: leave those out.
	 */
	int (*map)(struct mm *mm, u64 addr, u64 len, u32 prot, bool shared, struct vm_object *obj, u64 off,
		   bool populate, bool noreserve);
	int (*unmap)(struct mm *mm, u64 addr, u64 len);
	int (*protect)(struct mm *mm, u64 addr, u64 len, u32 prot);
	/* Move the pages of [addr, +len) to @to (mremap), replacing what is there; nothing is left at @addr. All or nothing. */
	int (*move)(struct mm *mm, u64 addr, u64 len, u64 to);
	/* Private memory: forget what was written: zeros, or the object's content, when touched next (MADV_DONTNEED) */
	int (*discard)(struct mm *mm, u64 addr, u64 len);
	/*
	 * Advice on memory that is mapped: MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED; and
	 * MADV_POPULATE_READ/WRITE (0: all is there now; -EFAULT: beyond the end of a file). May be NULL, and -EINVAL is "not known".
	 */
	int (*advise)(struct mm *mm, u64 addr, u64 len, int advice);
	/* Which pages of private memory are there; NULL: mm/ answers "all" */
	int (*resident)(struct mm *mm, u64 addr, u64 nr_pages, u8 *vec);
	/* Give everything in the program window back (exec, exit) */
	void (*unmap_all)(struct mm *mm);
	/* may be NULL; the current task, @mm's last, exits. Return: true: the address space ends with it, nothing has to be unmapped */
	bool (*abandon)(struct mm *mm);
};
extern const struct pager_ops *pager;

__must_check struct mm *mm_create(void);
void mm_get(struct mm *mm);
void mm_put(struct mm *mm);
/*
 * mm_set_strings() - @args and @envs, kmalloc()ed, are the mm's from now on, in any case; without memory it has none
 */
void mm_set_strings(struct mm *mm, char *args, size_t args_len, char *envs, size_t envs_len);
/* mm_clone() - the books of a fork: every VMA copied; the pages themselves are copied by mm_start_fork() */
__must_check struct mm *mm_clone(struct mm *old);
/*
 * mm_start_fork() - machine->start_fork(@t), with books that are the parent's of this very moment: no other thread of the parent
 * can map or unmap meanwhile, and what one did since mm_clone() is copied again.
 */
struct task;
__must_check int mm_start_fork(struct task *t);
/* mm_clear() - unmap all: exec in place */
void mm_clear(struct mm *mm);
/* mm_abandon() - the same for the exit of the last user, which does not wait for the unmapping when that comes by itself */
void mm_abandon(struct mm *mm);

/*
 * mm_map() - mmap(2) on the current mm. @file: may be NULL; not consumed. @name: static, or NULL.
 * Return: the address, or -errno as mmap(2).
 */
long mm_map(u64 addr, u64 len, u32 prot, u32 flags, struct file *file, u64 off, const char *name);
/*
 * mm_map_object() - the same of @obj, one reference of which is consumed also on failure; @may: VMA_MAY* that mprotect() may give.
 * @file (may be NULL) is for /proc/self/maps only. With MAP_ANONYMOUS, @obj is NULL or shared memory.
 */
long mm_map_object(u64 addr, u64 len, u32 prot, u32 flags, struct vm_object *obj, u64 off, u32 may, struct file *file,
		   const char *name);
int mm_unmap(u64 addr, u64 len);
/*
 * mm_reserve() - the South puts something of its own at [addr, +len) of the current address space: in the books, and sealed
 * mm->lock is held; the pager is not asked. mm_unreserve(): the South could not. Return: 0, -EEXIST, -ENOMEM
 */
__must_check int mm_reserve(struct mm *mm, u64 addr, u64 len, u32 prot, const char *name);
void mm_unreserve(struct mm *mm, u64 addr);
int mm_protect(u64 addr, u64 len, u32 prot);
long mm_remap(u64 addr, u64 old_len, u64 new_len, u32 flags, u64 to);
long mm_advise(u64 addr, u64 len, int advice);
/* vma_find() - the first VMA that ends above @addr (mm->lock held) or NULL */
struct vma *vma_find(struct mm *mm, u64 addr);
struct vma *vma_next(const struct vma *v);

/* For exec: the program's stack and heap. Both on the current mm. */
/*
 * mm_map_stack() - the program's stack: [stack], grows on demand up to RLIMIT_STACK
 * @size: bytes to be there at once, from the top down (arguments, environment and the first frames)
 * @exec: PT_GNU_STACK asks for an executable stack
 * Return: its top (exclusive), page aligned and random; or -errno
 */
long mm_map_stack(u64 size, bool exec);
/* mm_set_brk() - the heap begins at a random place above @end, the end of the program's data */
void mm_set_brk(u64 end);
/* mm_brk() - brk(2): Return: the new break, or the old one when it cannot be moved */
u64 mm_brk(u64 brk);

/*
 * mm_fault() - the South saw a fault of the program (or of a copy function) at @addr
 * Handles what the VMA layer promises but the pager did not do yet (stack growth, files that grew, sparse shared memory).
 * Return: 0: try again; else what to tell the program: a signal number with *@code the si_code (SEGV_MAPERR, SEGV_ACCERR,
 * BUS_ADRERR). Takes mm->lock.
 */
int mm_fault(u64 addr, bool write, bool exec, int *code);
/*
 * mm_fault_in() - make the pager back all of [addr, addr+len) that it backs lazily (stack below its start, sparse shared memory), for
 * host calls that access the program's memory themselves: on -EFAULT of such a call, do this and try once more.
 * Return: 0 when something changed, else -EFAULT.
 */
int mm_fault_in(u64 addr, u64 len, bool write);

/*
 * mm_do_work() - WORK_MM was set on the current task: let go of pages that a truncate took. The caller cleared WORK_MM before.
 */
void mm_do_work(void);
/* mm_fork_fixup() - first thing of a fork's child in its own address space: MADV_DONTFORK, MADV_WIPEONFORK */
void mm_fork_fixup(void);

/*
 * mm_for_each_vma() - call @fn for each mapping as /proc/self/maps shows it (pieces that only differ in what the pager did are
 * one), with mm->lock held. A return other than 0 ends the walk and is returned.
 */
struct vma_view {
	u64 start, end;
	u32 prot, flags;
	u64 off;
	struct file *file;
	const char *name;
	struct vm_object *obj;
	u64 resident;		/* bytes, as far as the pager can tell */
	bool uncounted;		/* not in mm->total_pages: the vDSO */
};
int mm_for_each_vma(struct mm *mm, int (*fn)(const struct vma_view *v, void *arg), void *arg);

/*
 * mm_futex_key() - what a futex word at @addr is the same as: (mm, addr) for private memory, (object, offset) for shared
 * @obj is for comparison only. Return: 0 or -EFAULT (nothing mapped there).
 */
struct mm_key {
	const void *obj;
	u64 off;
};
int mm_futex_key(u64 addr, struct mm_key *key);

#endif
