// SPDX-License-Identifier: MIT
/* /proc/{locks,vmstat,interrupts,softirqs,sysvipc}: what the sandbox has of some kind of object, one line each. */
#include "base/string.h"
#include "fs/locks.h"
#include "fs/proc/internal.h"
#include "ipc/sysv.h"
#include "mm/kmalloc.h"
#include "mm/shm.h"
#include "process/fork.h"
#include "process/pid.h"
#include "south/south.h"

void proc_for_each_file(bool (*fn)(struct file *f, void *arg), void *arg)
{
	struct process *p;
	bool go_on = true;

	for (s32 pid = 0; go_on && (p = process_next_get(pid)); process_put(p)) {
		struct task *t = process_task_get(p);
		struct files *files = t ? task_files_get(t) : NULL;

		for (int fd = files ? files_next(files, 0) : -1; fd >= 0 && go_on; fd = files_next(files, fd + 1)) {
			struct file *f = files_get_file(files, fd, NULL);

			if (f) {
				go_on = fn(f, arg);
				file_put(f);
			}
		}
		if (files)
			files_put(files);
		task_put(t);
		pid = p->tgid + 1;
	}
}

/* ---- locks: on the files that somebody has open; there are no others ---- */

#define LOCKED_MAX	4096u

struct locked {
	struct inode *inodes[LOCKED_MAX];	/* references */
	u32 nr;
};

static bool collect_locked(struct file *f, void *arg)
{
	struct locked *all = arg;

	if (!f->inode || !load_acquire(&f->inode->locks))
		return true;
	for (u32 i = 0; i < all->nr; i++)
		if (all->inodes[i] == f->inode)
			return true;
	inode_get(f->inode);
	all->inodes[all->nr++] = f->inode;
	return all->nr < LOCKED_MAX;
}

int proc_show_locks(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	struct locked *all = kzalloc(sizeof(*all));
	u32 nr = 1;

	if (!all)
		return -ENOMEM;
	proc_for_each_file(collect_locked, all);
	for (u32 i = 0; i < all->nr; i++) {
		locks_show_inode(all->inodes[i], s, &nr);
		inode_put(all->inodes[i]);
	}
	kfree(all);
	return 0;
}

/* ---- counters ---- */

int proc_show_vmstat(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u64 total = ram_total(), used = min(ram_used(), total);
	struct proc_mm_sizes all;

	proc_sum_memory(&all);
	seq_printf(s, "nr_free_pages %lu\nnr_mlock %lu\nnr_anon_pages %lu\nnr_mapped %lu\nnr_shmem %lu\n", (total - used) / PAGE_SIZE,
		   all.locked, all.rss_anon, all.rss_file + all.rss_shmem, all.rss_shmem);
	seq_puts(s, "nr_dirty 0\nnr_writeback 0\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n");
	return 0;
}

static void put_cpu_heads(struct seq_buf *s, int indent)
{
	seq_printf(s, "%*s", indent, "");
	for (u32 i = 0; i < machine->nr_cpus(); i++)
		seq_printf(s, "CPU%-8u", i);
	seq_putc(s, '\n');
}

/* No devices interrupt a sandbox. */
int proc_show_interrupts(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	put_cpu_heads(s, 11);
	return 0;
}

int proc_show_softirqs(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	static const char *const names[] = {
		"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU",
	};

	put_cpu_heads(s, 20);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		seq_printf(s, "%12s:", names[i]);
		for (u32 c = 0; c < machine->nr_cpus(); c++)
			seq_printf(s, " %10u", 0);
		seq_putc(s, '\n');
	}
	return 0;
}

/* ---- System V IPC: what one may read ---- */

static int show_shm(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u32 segments;
	u64 pages, resident;
	long highest = shm_usage(&segments, &pages, &resident);
	struct shm_status st;

	seq_puts(s, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime"
		 "      ctime                   rss                  swap\n");
	for (long i = 0; i <= highest; i++) {
		if (shm_stat((s32)i, true, true, &st) < 0)
			continue;
		seq_printf(s, "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10ld %10ld %10ld %21lu %21u\n", st.key, st.id, st.mode,
			   st.size, st.cpid, st.lpid, st.nattch, st.uid, st.gid, st.cuid, st.cgid, st.atime, st.dtime, st.ctime,
			   PAGE_ALIGN(st.size), 0);
	}
	return 0;
}

static int show_sem(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_puts(s, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
	for (int i = 0; i <= sysv_highest(&sem_table); i++) {
		struct sysv_object *o = sysv_index(&sem_table, i, 0);
		struct sem_set *set;
		struct sysv_perm_abi perm;

		if (IS_ERR(o))
			continue;
		set = container_of(o, struct sem_set, o);
		sysv_perm(o, &perm);
		seq_printf(s, "%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n", perm.key, o->id, perm.mode, set->nr, perm.uid, perm.gid,
			   perm.cuid, perm.cgid, set->otime, set->ctime);
		sysv_unlock(o);
	}
	return 0;
}

static int show_msg(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_puts(s, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n");
	for (int i = 0; i <= sysv_highest(&msg_table); i++) {
		struct sysv_object *o = sysv_index(&msg_table, i, 0);
		struct msg_queue *q;
		struct sysv_perm_abi perm;

		if (IS_ERR(o))
			continue;
		q = container_of(o, struct msg_queue, o);
		sysv_perm(o, &perm);
		seq_printf(s, "%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10ld %10ld %10ld\n", perm.key, o->id, perm.mode, q->bytes,
			   q->nr, q->lspid, q->lrpid, perm.uid, perm.gid, perm.cuid, perm.cgid, q->stime, q->rtime, q->ctime);
		sysv_unlock(o);
	}
	return 0;
}

const struct pseudo_entry proc_sysvipc_dir[] = {
	{ "msg", S_IFREG | 0444, .show = show_msg },
	{ "sem", S_IFREG | 0444, .show = show_sem },
	{ "shm", S_IFREG | 0444, .show = show_shm },
	{}
};
