// SPDX-License-Identifier: MIT
#include "box.h"

#include "fs/file.h"
#include "fs/fs_state.h"
#include "fs/memfs.h"
#include "fs/namei.h"
#include "fs/overlay.h"
#include "fs/vfs.h"
#include "ipc/sysv.h"
#include "ipc/unix.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/fork.h"
#include "process/signal.h"
#include "south/fake/fake.h"

#define RAM		(64ull << 20)

bool box_tracing;
static const struct box *box;

/* ---- the program ---- */

/* The first thing of each task in an address space: the rights of an ordinary user, and memory to keep arguments in. */
static void settle_in(void)
{
	struct cred *user;

	if (current->cred->uid == 0) {
		user = cred_create(1000, 1000, NULL, 0, box->caps, CAP_CONTAINER);
		if (!user)
			task_exit_group(SIGKILL);
		cred_commit(user);
	}
	sim_syscall(9, (const u64[6]){ ARENA, ARENA_SIZE, 3, 0x32, (u64)-1, 0 });
	if (!current->regs->rsp)
		current->regs->rsp = ARENA + ARENA_SIZE - PAGE_SIZE;
}

/* A load or store by the program. */
static void touch(struct fuzz_input *in)
{
	u64 addr = args_address(in), v = addr;
	bool write = fuzz_byte(in) & 1;
	u32 trap = fuzz_byte(in);

	if (trap < 32)
		task_fault(current->regs, (int)trap, fuzz_byte(in), addr, (int)fuzz_byte(in) % 32, 1);
	else if (write ? copy_to_user(addr, &v, 4) : copy_from_user(&v, addr, 4))
		task_fault(current->regs, 14, write ? 6 : 4, addr, 0, 0);
	sim_checkpoint();
}

long box_call(u32 nr, const u64 *a)
{
	const char *bad;
	long ret;

	if (box_tracing)
		fprintf(stderr, "[%d] %s(%llx, %llx, %llx, %llx, %llx, %llx)\n", current->tid, syscall_defs[nr].name, (long long)a[0],
			(long long)a[1], (long long)a[2], (long long)a[3], (long long)a[4], (long long)a[5]);
	ret = sim_syscall(nr, a);
	if (box_tracing)
		fprintf(stderr, "[%d] %s = %ld\n", current->tid, syscall_defs[nr].name, ret);
	bad = sim_mm_check(current->mm);
	if (bad)
		FATAL("after %s: %s", syscall_defs[nr].name, bad);
	return ret;
}

void box_random_call(struct fuzz_input *in)
{
	u64 a[6] = { 0 };
	u32 nr = args_call(in, a);

	if (nr == CALL_TOUCH)
		touch(in);
	else
		args_result(nr, a, box_call(nr, a));
}

static void __noreturn program(void)
{
	settle_in();
	box->program();
	task_exit_group(0);
}

/* ---- before and after ---- */

void box_put_mount(struct super *sb, const char *at)
{
	struct path p;

	if (!sb || path_lookup(AT_FDCWD, at, 0, &p) || vfs_mount(sb, &p, 0, "fuzz", NULL))
		FATAL("%s: mount", at);
	super_put(sb);
	path_put(&p);
}

void box_take_mount(const char *at)
{
	struct path p;

	if (path_lookup(AT_FDCWD, at, 0, &p) || vfs_umount(&p, true))
		FATAL("%s: umount", at);
	path_put(&p);
}

void box_put_file(const char *name, u32 mode, const void *bytes, size_t len)
{
	struct file *f = vfs_open(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, mode);
	struct uio u;
	struct iov v;
	pos_t pos = 0;

	if (IS_ERR(f))
		FATAL("%s: error %ld", name, PTR_ERR(f));
	uio_init_kernel(&u, &v, (void *)bytes, len);
	if (f->ops->write(f, &u, &pos) != (ssize_t)len)
		FATAL("%s: write", name);
	file_put(f);
}

static void setup(void)
{
	box_put_mount(memfs_super("tmpfs", 01777), "/tmp");
	box_put_mount(memfs_super("tmpfs", 01777), "/dev/shm");
	box_put_mount(memfs_super("tmpfs", 0777), "/w");
	if (box->setup)
		box->setup();
}

static void remove_sysv(struct sysv_table *t, u32 nr)
{
	for (s32 i = sysv_highest(t); i >= 0; i--) {
		struct sysv_object *o = sysv_index(t, i, 0);
		u64 a[6] = { 0 };	/* IPC_RMID in both calls */

		if (IS_ERR(o))
			continue;
		a[0] = (u64)o->id;
		sysv_unlock(o);
		if (syscall_defs[nr].fn(a))
			FATAL("IPC_RMID");
	}
}

static void remove_shm(void)
{
	for (s64 i = syscall_defs[31].fn((const u64[6]){ 0, 14, (u64)ARENA }); i >= 0; i--) {
		long id = syscall_defs[31].fn((const u64[6]){ (u64)i, 15, (u64)ARENA });	/* SHM_STAT_ANY */

		if (id >= 0)
			(void)syscall_defs[31].fn((const u64[6]){ (u64)id, 0 });
	}
}

static void say_who_is_left(void)
{
	struct process *p;
	struct task *t;

	list_for_each(p, &process_list, pid_node)
		list_for_each(t, &p->threads, thread_node)
			if (p != current->process)
				fprintf(stderr, "left: task %d of %d: state %x work %x exiting %d dead %d zombie %d\n", t->tid, p->tgid,
					t->state, t->work, t->exiting, t->dead, p->zombie);
}

static void end_all(void)
{
	static const u64 any[6] = { (u64)-1, 0, 1 };	/* WNOHANG */
	struct process *p;

	(void)sim_settle(5 * NSEC_PER_SEC, 4000);
	if (!process_kill_all(sim_now + 1000 * NSEC_PER_SEC)) {
		say_who_is_left();
		FATAL("a wait that a kill does not end");
	}
	while (syscall_defs[61].fn(any) > 0)
		;
	(void)sim_settle(20 * NSEC_PER_SEC, 100000);
	list_for_each(p, &process_list, pid_node) {
		if (p != current->process) {
			say_who_is_left();
			FATAL("a process is left");
		}
	}
	if (sim_fibers())
		FATAL("%u tasks are left", sim_fibers());
}

static void clean_up(void)
{
	remove_sysv(&sem_table, 66);
	remove_sysv(&msg_table, 71);
	remove_shm();
	sigpending_flush(&current->process->shared_pending);
	sigpending_flush(&current->pending);
	if (box->clean_up)
		box->clean_up();
	box_take_mount("/w");
	box_take_mount("/dev/shm");
	box_take_mount("/tmp");
	unix_gc();
	while (dcache_prune(100000))
		;
	(void)sim_settle(20 * NSEC_PER_SEC, 100000);
	while (dcache_prune(100000))
		;
}

/* One sandbox's life. */
static void run(const struct box *b)
{
	box = b;
	sim_seed(b->seed, b->preempt);
	setup();
	args_begin();
	for (u32 i = 0; i < b->tasks; i++)
		args_result(57, NULL, sim_syscall(57, (const u64[6]){ 0 }));
	end_all();
	clean_up();
}

/* What @in left behind. Return: NULL: nothing */
static const char *left_by(const struct box *b, struct fuzz_input in)
{
	static char what[100];
	long allocs = fake_allocs;
	u64 ram = ram_used(), pages = sim_mm_pages;
	u32 files = files_open();

	if (box_tracing)
		fake_allocs_mark();
	fuzz_input = in;
	run(b);
	what[0] = '\0';
	if (files_open() != files || fake_allocs > allocs || ram_used() > ram || sim_mm_pages > pages)
		snprintf(what, sizeof(what), "%d files, %ld objects, %lld pages, %lld pages of programs", (int)(files_open() - files),
			 fake_allocs - allocs, (long long)(ram_used() - ram) >> PAGE_SHIFT, (long long)(sim_mm_pages - pages));
	return what[0] ? what : NULL;
}

void box_run(const struct box *b, const u8 *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	const char *left;

	/* what is made once, by the first who needs it, stays: the second time makes nothing that stays */
	if (!left_by(b, in))
		return;
	left = left_by(b, in);
	if (!left)
		return;
	fake_allocs_show();
	FATAL("left behind: %s%s", left, box_tracing ? "" : " (FUZZ_TRACE=1 says whose)");
}

void box_init(void)
{
	box_tracing = sim_talks = getenv("FUZZ_TRACE");
	sim_boot(RAM, program);
	tasks_max = 40;
	current->fs->umask = 0;
	current->process->rlim[RLIM_NOFILE] = (struct rlimit64){ NR_FDS, NR_FDS };
	current->process->rlim[RLIM_MEMLOCK].cur = 64 * PAGE_SIZE;
	sim_syscall(9, (const u64[6]){ ARENA, ARENA_SIZE, 3, 0x32, (u64)-1, 0 });
	if (vfs_mkdirs("/w", 0777))
		FATAL("mkdir /w");
}
