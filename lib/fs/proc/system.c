// SPDX-License-Identifier: MIT
/* /proc/{meminfo,stat,uptime,loadavg,version,filesystems,cmdline}: the sandbox as a machine. */
#include "base/string.h"
#include "fs/proc/internal.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/shm.h"
#include "north/linux/uts.h"
#include "process/fork.h"
#include "process/limits.h"
#include "process/pid.h"
#include "sched/time.h"
#include "south/south.h"

/* ---- time that programs took ---- */

/*
 * What all processes of the sandbox used: those that are gone are in the books of who waited for them. @running: tasks that run or
 * could.
 */
static s64 total_cputime(u32 *running)
{
	s64 total = 0;
	struct process *p;
	struct task *t;

	*running = 0;
	mutex_lock(&tasklist_lock);
	list_for_each(p, &process_list, pid_node) {
		total += p->utime + p->stime + p->cutime + p->cstime;
		for_each_thread(p, t) {
			if (t->dead || t->exiting)
				continue;
			if (machine->cputime)
				total += machine->cputime(t);
			*running += load_relaxed(&t->state) == TASK_RUNNING;
		}
	}
	mutex_unlock(&tasklist_lock);
	return total;
}

int proc_show_uptime(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	s64 now = clock_monotonic(), idle;
	u32 running;

	idle = max(now * (s64)machine->nr_cpus() - total_cputime(&running), 0ll);
	seq_printf(s, "%lu.%02lu %lu.%02lu\n", (u64)(now / NSEC_PER_SEC), (u64)(now % NSEC_PER_SEC / 10000000),
		   (u64)(idle / NSEC_PER_SEC), (u64)(idle % NSEC_PER_SEC / 10000000));
	return 0;
}

/* The South does not tell which processor ran what: each has its share of the whole. Everything counts as user time. */
int proc_show_stat_system(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u32 n = machine->nr_cpus(), running;
	s64 now = clock_monotonic(), used = total_cputime(&running), idle = max(now * (s64)n - used, 0ll);

	seq_printf(s, "cpu  %ld 0 0 %ld 0 0 0 0 0 0\n", ns_to_ticks(used), ns_to_ticks(idle));
	for (u32 i = 0; i < n; i++)
		seq_printf(s, "cpu%u %ld 0 0 %ld 0 0 0 0 0 0\n", i, ns_to_ticks(used / n), ns_to_ticks(idle / n));
	seq_printf(s, "intr 0\nctxt 0\nbtime %ld\nprocesses %d\nprocs_running %u\nprocs_blocked 0\n",
		   (s64)((clock_realtime() - now) / NSEC_PER_SEC), last_pid, max(running, 1u));
	seq_puts(s, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

/* ---- load ---- */

#define LOAD_SHIFT	11
#define LOAD_PERIOD	(5 * NSEC_PER_SEC)
#define LOAD_PERIODS_MAX 4096			/* after that nothing of the old value is left */

static struct spinlock load_lock = SPINLOCK_INIT;
static u64 load[3];		/* fixed point; guarded by load_lock, as is the next */
static s64 load_time;

/*
 * Decaying averages over 1, 5 and 15 minutes, as getloadavg(3) has them. No clock ticks for them: they are brought up to date when
 * somebody reads them, as if what runs now had run since the last time.
 */
static void load_update(u32 running, u64 out[3])
{
	static const u32 decay[3] = { 1884, 2014, 2037 };
	s64 now = clock_monotonic(), periods;

	spin_lock(&load_lock);
	if (!load_time)
		load_time = now;
	periods = (now - load_time) / LOAD_PERIOD;
	load_time += periods * LOAD_PERIOD;
	for (s64 k = min(periods, (s64)LOAD_PERIODS_MAX); k > 0; k--)
		for (u32 i = 0; i < 3; i++)
			load[i] = (load[i] * decay[i] + ((u64)running << LOAD_SHIFT) * ((1u << LOAD_SHIFT) - decay[i])) >> LOAD_SHIFT;
	memcpy(out, load, sizeof(load));
	spin_unlock(&load_lock);
}

int proc_show_loadavg(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u32 running;
	u64 avg[3];

	(void)total_cputime(&running);
	load_update(running, avg);
	for (u32 i = 0; i < 3; i++) {
		u64 v = avg[i] + (1u << LOAD_SHIFT) / 200;

		seq_printf(s, "%lu.%02lu ", v >> LOAD_SHIFT, ((v & ((1u << LOAD_SHIFT) - 1)) * 100) >> LOAD_SHIFT);
	}
	seq_printf(s, "%u/%u %d\n", running, nr_tasks, last_pid);
	return 0;
}

/* ---- memory ---- */

static void put_kb(struct seq_buf *s, const char *name, u64 bytes)
{
	seq_printf(s, "%s:%*s%8lu kB\n", name, (int)max(15 - (int)strlen(name), 0), "", bytes / 1024);
}

/* What programs have in memory of their own, and of files, as far as the pager can tell. */
void proc_sum_memory(struct proc_mm_sizes *all)
{
	struct process *p;

	memset(all, 0, sizeof(*all));
	for (s32 pid = 0; (p = process_next_get(pid)); process_put(p)) {
		struct task *t = process_task_get(p);
		struct mm *mm = t ? task_mm_get(t) : NULL;
		struct proc_mm_sizes sz;

		if (mm) {
			proc_mm_sizes(mm, &sz);
			all->rss_anon += sz.rss_anon;
			all->rss_file += sz.rss_file;
			all->rss_shmem += sz.rss_shmem;
			all->locked += sz.locked;
			all->total += sz.data;
		}
		mm_put(mm);
		task_put(t);
		pid = p->tgid + 1;
	}
}

int proc_show_meminfo(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u64 total = ram_total(), used = min(ram_used(), total), free = total - used, pages, shm, anon, rest;
	struct proc_mm_sizes all;
	u32 segments;

	(void)shm_usage(&segments, &pages, &shm);
	shm *= PAGE_SIZE;
	proc_sum_memory(&all);
	anon = min(all.rss_anon * PAGE_SIZE, used);
	rest = used - anon;		/* files in memory and the library kernel's own */
	const struct {
		const char *name;
		u64 bytes;
	} lines[] = {
		{ "MemTotal", total }, { "MemFree", free }, { "MemAvailable", free }, { "Buffers", 0 }, { "Cached", rest },
		{ "SwapCached", 0 }, { "Active", used }, { "Inactive", 0 }, { "Active(anon)", anon }, { "Inactive(anon)", 0 },
		{ "Active(file)", rest }, { "Inactive(file)", 0 }, { "Unevictable", all.locked * PAGE_SIZE },
		{ "Mlocked", all.locked * PAGE_SIZE }, { "SwapTotal", 0 }, { "SwapFree", 0 }, { "Zswap", 0 }, { "Zswapped", 0 },
		{ "Dirty", 0 }, { "Writeback", 0 }, { "AnonPages", anon },
		{ "Mapped", (all.rss_file + all.rss_shmem) * PAGE_SIZE }, { "Shmem", min(max(shm, all.rss_shmem * PAGE_SIZE), rest) },
		{ "KReclaimable", 0 }, { "Slab", 0 }, { "SReclaimable", 0 }, { "SUnreclaim", 0 }, { "KernelStack", 0 },
		{ "PageTables", 0 }, { "SecPageTables", 0 }, { "NFS_Unstable", 0 }, { "Bounce", 0 }, { "WritebackTmp", 0 },
		{ "CommitLimit", total }, { "Committed_AS", all.total * PAGE_SIZE }, { "VmallocTotal", 0 }, { "VmallocUsed", 0 },
		{ "VmallocChunk", 0 }, { "Percpu", 0 }, { "AnonHugePages", 0 }, { "ShmemHugePages", 0 }, { "ShmemPmdMapped", 0 },
		{ "FileHugePages", 0 }, { "FilePmdMapped", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		put_kb(s, lines[i].name, lines[i].bytes);
	seq_puts(s, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n");
	put_kb(s, "Hugepagesize", 2048 * 1024);
	put_kb(s, "Hugetlb", 0);
	put_kb(s, "DirectMap4k", total);
	return 0;
}

/* ---- names ---- */

int proc_show_version(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_puts(s, "Linux version " UTS_RELEASE " (litebox@litebox) (gcc " __VERSION__ ") " UTS_VERSION "\n");
	return 0;
}

int proc_show_filesystems(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	for (struct fs_type *t = fs_type_first(); t; t = t->next)
		seq_printf(s, "nodev\t%s\n", t->name);
	return 0;
}

int proc_show_cmdline_system(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_putc(s, '\n');
	return 0;
}
