// SPDX-License-Identifier: MIT
/* /proc/<pid>/{stat,statm,status}: a process or a thread in numbers. */
#include "base/string.h"
#include "fs/fs_state.h"
#include "fs/fdtable.h"
#include "fs/proc/internal.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/pid.h"
#include "process/signal.h"
#include "south/south.h"

char proc_state(struct task *t)
{
	struct process *p = t->process;

	if (t->exiting)
		return p->zombie && t == p->leader ? 'Z' : t->dead ? 'Z' : 'X';
	if (p->stopped)
		return 'T';
	switch (load_relaxed(&t->state) & 0xff) {		/* the scheduler keeps a bit of its own above */
	case TASK_INTERRUPTIBLE:
		return 'S';
	case TASK_UNINTERRUPTIBLE:
	case TASK_KILLABLE:
		return 'D';
	}
	return 'R';
}

static const char *state_name(char c)
{
	switch (c) {
	case 'R': return "running";
	case 'S': return "sleeping";
	case 'D': return "disk sleep";
	case 'T': return "stopped";
	case 'Z': return "zombie";
	}
	return "dead";
}

/* What both stat and status tell, gathered under the locks that guard it. */
struct about {
	s32 ppid, pgid, sid;
	u32 nr_threads;
	sigset_t pending, shared, blocked, ignored, caught;
	struct rusage_times usage, children;
};

static void gather(struct task *t, bool whole, struct about *a)
{
	struct process *p = t->process;

	memset(a, 0, sizeof(*a));
	mutex_lock(&tasklist_lock);
	a->ppid = p->parent ? p->parent->tgid : 0;
	a->pgid = p->pgid;
	a->sid = p->sid;
	mutex_unlock(&tasklist_lock);
	spin_lock(&p->siglock);
	a->nr_threads = max(p->nr_threads, 1u);
	a->pending = t->pending.set;
	a->shared = p->shared_pending.set;
	a->blocked = t->blocked;
	spin_unlock(&p->siglock);
	if (!t->exiting)
		signal_action_sets(t, &a->ignored, &a->caught);
	if (whole)
		process_usage(p, &a->usage);
	else
		task_usage(t, &a->usage);
	children_usage(p, &a->children);
}

/* A name without what would break a line apart; @which: characters that are escaped too. */
static void put_comm(struct seq_buf *s, const struct task *t, const char *which)
{
	char comm[TASK_COMM_LEN];

	memcpy(comm, t->comm, sizeof(comm));
	comm[sizeof(comm) - 1] = '\0';
	for (const char *c = comm; *c; c++) {
		if (*which && *c == '\n')
			seq_puts(s, "\\n");
		else if (*which && *c == '\\')
			seq_puts(s, "\\\\");
		else
			seq_putc(s, *c);
	}
}

int proc_show_stat(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	bool whole = proc_whole(ctx), may;
	struct proc_mm_sizes sz = { 0 };
	struct process *p;
	struct about a;
	struct mm *mm;
	char state;

	if (!t)
		return -ESRCH;
	p = t->process;
	gather(t, whole, &a);
	may = !proc_task_may_look(t);
	mm = task_mm_get(t);
	if (mm)
		proc_mm_sizes(mm, &sz);
	state = proc_state(t);
	seq_printf(s, "%d (", whole ? p->tgid : t->tid);
	put_comm(s, t, "");
	seq_printf(s, ") %c %d %d %d %d %d %u", state, a.ppid, a.pgid, a.sid, 0, -1,
		   (p->did_exec ? 0u : 0x40u) | (t->exiting ? 0x4u : 0u) | 0x400000u);
	seq_printf(s, " %lu 0 %lu 0 %ld %ld %ld %ld", a.usage.minflt, a.usage.majflt, ns_to_ticks(a.usage.utime),
		   ns_to_ticks(a.usage.stime), ns_to_ticks(a.children.utime), ns_to_ticks(a.children.stime));
	seq_printf(s, " %d %d %u 0 %lu %lu %lu %lu", t->rt_priority ? -1 - t->rt_priority : 20 + t->nice, t->nice, a.nr_threads,
		   (u64)ns_to_ticks(whole ? p->start_time : t->start_time), sz.total * PAGE_SIZE, sz.rss,
		   p->rlim[RLIM_RSS].cur);
	seq_printf(s, " %lu %lu %lu 0 0", mm ? may ? mm->start_code : 1 : 0, mm ? may ? mm->end_code : 1 : 0,
		   mm && may ? mm->start_stack : 0);
	seq_printf(s, " %lu %lu %lu %lu", a.pending & 0x7fffffff, a.blocked & 0x7fffffff, a.ignored & 0x7fffffff,
		   a.caught & 0x7fffffff);
	seq_printf(s, " %d 0 0 %d %u %d %d 0 0 0", may && state != 'R', whole || t == p->leader ? (int)p->exit_signal : -1,
		   machine->cpu_nr() % machine->nr_cpus(), t->rt_priority, t->policy);
	if (mm && may)
		seq_printf(s, " %lu %lu %lu %lu %lu %lu %lu", mm->start_data, mm->end_data, mm->start_brk, mm->arg_start,
			   mm->arg_end, mm->env_start, mm->env_end);
	else
		seq_puts(s, " 0 0 0 0 0 0 0");
	seq_printf(s, " %u\n", may && p->zombie ? p->exit_code : 0);
	mm_put(mm);
	task_put(t);
	return 0;
}

int proc_show_statm(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	struct proc_mm_sizes sz = { 0 };
	struct mm *mm;

	if (!t)
		return -ESRCH;
	mm = task_mm_get(t);
	if (mm)
		proc_mm_sizes(mm, &sz);
	seq_printf(s, "%lu %lu %lu %lu 0 %lu 0\n", sz.total, sz.rss, sz.rss_file + sz.rss_shmem, sz.text, sz.data + sz.stack);
	mm_put(mm);
	task_put(t);
	return 0;
}

/* ---- status ---- */

static void status_ids(struct seq_buf *s, struct task *t, bool whole, const struct about *a, u32 umask, u32 fdsize, bool has_fs)
{
	struct process *p = t->process;
	struct cred *c = task_cred_get(t);
	s32 tid = whole ? p->tgid : t->tid;
	char state = proc_state(t);

	seq_puts(s, "Name:\t");
	put_comm(s, t, "\n\\");
	seq_putc(s, '\n');
	if (has_fs)
		seq_printf(s, "Umask:\t%04o\n", umask);
	seq_printf(s, "State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", state, state_name(state),
		   p->tgid, tid, a->ppid);
	seq_printf(s, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t", c->uid, c->euid, c->suid, c->fsuid,
		   c->gid, c->egid, c->sgid, c->fsgid, fdsize);
	for (u32 i = 0; c->groups && i < c->groups->nr; i++)
		seq_printf(s, "%u ", c->groups->gid[i]);
	if (!c->groups || !c->groups->nr)
		seq_putc(s, ' ');
	seq_printf(s, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t0\n", p->tgid, tid, a->pgid, a->sid);
	cred_put(c);
}

static void status_mm(struct seq_buf *s, struct mm *mm, const struct process *p)
{
	struct proc_mm_sizes sz;
	u64 hwm;

	proc_mm_sizes(mm, &sz);
	hwm = max_t(u64, (u64)READ_ONCE(mm->max_rss_pages), sz.rss);
#define KB(pages) ((pages) * (PAGE_SIZE / 1024))
	seq_printf(s, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8lu kB\n", KB(sz.total), KB(sz.total),
		   KB(sz.locked), 0ul);
	seq_printf(s, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu kB\nRssShmem:\t%8lu kB\n", KB(hwm),
		   KB(sz.rss), KB(sz.rss_anon), KB(sz.rss_file), KB(sz.rss_shmem));
	seq_printf(s, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu kB\nVmPTE:\t%8lu kB\nVmSwap:\t%8lu kB\n",
		   KB(sz.data), KB(sz.stack), KB(sz.text), KB(sz.lib), KB(sz.rss / 512 + 4), 0ul);
	seq_printf(s, "HugetlbPages:\t%8lu kB\nCoreDumping:\t0\nTHP_enabled:\t%d\nuntag_mask:\t0xffffffffffffffff\n", 0ul,
		   !p->thp_disabled);
#undef KB
}

static void put_mask(struct seq_buf *s, const char *name, u64 mask)
{
	seq_printf(s, "%s:\t%016lx\n", name, mask);
}

static void status_signals(struct seq_buf *s, struct task *t, const struct about *a)
{
	struct cred *c = task_cred_get(t);

	seq_printf(s, "Threads:\t%u\nSigQ:\t%u/%lu\n", a->nr_threads, load_relaxed(&c->user->sigpending),
		   t->process->rlim[RLIM_SIGPENDING].cur);
	put_mask(s, "SigPnd", a->pending);
	put_mask(s, "ShdPnd", a->shared);
	put_mask(s, "SigBlk", a->blocked);
	put_mask(s, "SigIgn", a->ignored);
	put_mask(s, "SigCgt", a->caught);
	put_mask(s, "CapInh", c->cap_inheritable);
	put_mask(s, "CapPrm", c->cap_permitted);
	put_mask(s, "CapEff", c->cap_effective);
	put_mask(s, "CapBnd", c->cap_bset);
	put_mask(s, "CapAmb", c->cap_ambient);
	cred_put(c);
}

/* The processors that both the mask and the sandbox have. */
static void status_cpus(struct seq_buf *s, const struct task *t)
{
	u32 n = min_t(u32, machine->nr_cpus(), ARRAY_SIZE(t->affinity) * 64), words = (n + 31) / 32;
	const char *comma = "";

	seq_puts(s, "Cpus_allowed:\t");
	for (u32 w = words; w--;) {
		u32 bits = (u32)(t->affinity[w / 2] >> (w % 2 * 32)), nr = min(n - w * 32, 32u);

		if (nr < 32)
			bits &= (u32)(BIT(nr) - 1);
		seq_printf(s, "%0*x%s", (int)(nr + 3) / 4, bits, w ? "," : "\n");
	}
	seq_puts(s, "Cpus_allowed_list:\t");
	for (u32 i = 0; i < n; i++) {
		u32 end = i;

		if (!(t->affinity[i / 64] >> (i % 64) & 1))
			continue;
		while (end + 1 < n && (t->affinity[(end + 1) / 64] >> ((end + 1) % 64) & 1))
			end++;
		if (end > i)
			seq_printf(s, "%s%u-%u", comma, i, end);
		else
			seq_printf(s, "%s%u", comma, i);
		comma = ",";
		i = end;
	}
	seq_puts(s, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

int proc_show_status(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	struct fs_state *fs;
	struct files *files;
	struct about a;
	struct mm *mm;

	if (!t)
		return -ESRCH;
	gather(t, proc_whole(ctx), &a);
	fs = task_fs_get(t);
	files = task_files_get(t);
	status_ids(s, t, proc_whole(ctx), &a, fs ? fs_state_umask(fs) : 0, files ? files_table_size(files) : 0, fs != NULL);
	if (files)
		files_put(files);
	fs_state_put(fs);
	mm = task_mm_get(t);
	if (mm)
		status_mm(s, mm, t->process);
	mm_put(mm);
	status_signals(s, t, &a);
	seq_printf(s, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", t->no_new_privs);
	seq_puts(s, "Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunknown\n");
	status_cpus(s, t);
	seq_printf(s, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n", a.usage.nvcsw, a.usage.nivcsw);
	seq_puts(s, "x86_Thread_features:\t\nx86_Thread_features_locked:\t\n");
	task_put(t);
	return 0;
}
