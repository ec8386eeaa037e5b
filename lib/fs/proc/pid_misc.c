// SPDX-License-Identifier: MIT
/* The small files of a process: one value each, some of which can be set. */
#include "base/string.h"
#include "fs/proc/internal.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/pid.h"
#include "south/south.h"

#define OOM_MIN		(-1000)
#define OOM_MAX		1000
#define OOM_ADJ_DISABLE	(-17)
#define OOM_ADJ_MAX	15

#define ID_MAP	"         0          0 4294967295\n"

/* Texts that are the same for every process; key2 is the place here. */
static const char *const texts[] = {
	"0::/\n",
	"00000033\n",
	"/\n",
	ID_MAP,
	"4294967295",
	ID_MAP,
	"4294967295",
	"allow\n",
	ID_MAP,
};

static int show_text(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	seq_puts(s, texts[ctx->key2 & PROC_LOW]);
	return 0;
}

static ssize_t store_refused(const struct pseudo_ctx *ctx __unused, const char *text __unused, size_t len __unused)
{
	return -EPERM;
}

static int show_invalid(struct seq_buf *s __unused, const struct pseudo_ctx *ctx __unused)
{
	return -EINVAL;		/* attr/: no security module */
}

/* ---- who is to be killed when memory is short: asked and set by programs; here the limit of the sandbox refuses instead ---- */

static s32 oom_adj_of(const struct pseudo_ctx *ctx, int *ret)
{
	struct task *t = proc_task_get(ctx);
	s32 adj = t ? READ_ONCE(t->process->oom_score_adj) : 0;

	*ret = t ? 0 : -ESRCH;
	task_put(t);
	return adj;
}

static int show_oom_score_adj(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	int ret;
	s32 adj = oom_adj_of(ctx, &ret);

	seq_printf(s, "%d\n", adj);
	return ret;
}

static int show_oom_adj(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	int ret;
	s32 adj = oom_adj_of(ctx, &ret);

	seq_printf(s, "%d\n", adj == OOM_MAX ? OOM_ADJ_MAX : adj * -OOM_ADJ_DISABLE / OOM_MAX);
	return ret;
}

static ssize_t set_oom(const struct pseudo_ctx *ctx, s32 adj)
{
	struct task *t = proc_task_get(ctx);
	ssize_t ret = 0;

	if (!t)
		return -ESRCH;
	/* down needs a privilege */
	if (adj < READ_ONCE(t->process->oom_score_adj) && !capable(CAP_SYS_RESOURCE))
		ret = -EACCES;
	else
		WRITE_ONCE(t->process->oom_score_adj, adj);
	task_put(t);
	return ret;
}

static ssize_t store_oom_score_adj(const struct pseudo_ctx *ctx, const char *text, size_t len)
{
	s64 v;
	ssize_t ret = proc_parse_int(text, OOM_MIN, OOM_MAX, &v);

	if (!ret)
		ret = set_oom(ctx, (s32)v);
	return ret ? ret : (ssize_t)len;
}

static ssize_t store_oom_adj(const struct pseudo_ctx *ctx, const char *text, size_t len)
{
	s64 v;
	ssize_t ret = proc_parse_int(text, OOM_ADJ_DISABLE, OOM_ADJ_MAX, &v);

	if (!ret)
		ret = set_oom(ctx, (s32)(v == OOM_ADJ_MAX ? OOM_MAX : v * OOM_MAX / -OOM_ADJ_DISABLE));
	return ret ? ret : (ssize_t)len;
}

static int show_oom_score(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	struct proc_mm_sizes sz = { 0 };
	struct mm *mm;
	s64 points = 0;

	if (!t)
		return -ESRCH;
	mm = task_mm_get(t);
	if (mm) {
		proc_mm_sizes(mm, &sz);
		points = (s64)(sz.rss * 1000 / max_t(u64, ram_total() / PAGE_SIZE, 1)) + READ_ONCE(t->process->oom_score_adj);
		points = READ_ONCE(t->process->oom_score_adj) == OOM_MIN ? 0 : max((1000 + points) * 2 / 3, (s64)0);
	}
	mm_put(mm);
	seq_printf(s, "%ld\n", points);
	task_put(t);
	return 0;
}

/* ---- of the task ---- */

static int show_personality(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);

	if (!t)
		return -ESRCH;
	seq_printf(s, "%08x\n", t->process->personality);
	task_put(t);
	return 0;
}

static int show_wchan(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_putc(s, '0');	/* as Linux answers without symbols */
	return 0;
}

/* Only a task that looks at itself is certain to stand still meanwhile. */
static int show_syscall(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	const struct regs *r;
	int ret = t ? proc_task_may_look(t) : -ESRCH;

	if (!ret) {
		r = t->regs;
		if (t == current && r)
			seq_printf(s, "%lu 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n", r->orig_rax, r->arg[0], r->arg[1],
				   r->arg[2], r->arg[3], r->arg[4], r->arg[5], r->rsp, r->rip);
		else
			seq_puts(s, "running\n");
	}
	task_put(t);
	return ret;
}

static int show_schedstat(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	struct rusage_times u;

	if (!t)
		return -ESRCH;
	task_usage(t, &u);
	seq_printf(s, "%ld 0 %lu\n", u.utime + u.stime, u.nvcsw + u.nivcsw);
	task_put(t);
	return 0;
}

static int show_timerslack(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);

	if (!t)
		return -ESRCH;
	seq_printf(s, "%lu\n", t->timer_slack);
	task_put(t);
	return 0;
}

static ssize_t store_timerslack(const struct pseudo_ctx *ctx, const char *text, size_t len)
{
	struct task *t = proc_task_get(ctx);
	s64 v;
	ssize_t ret = t ? proc_parse_int(text, 0, INT64_MAX, &v) : -ESRCH;

	if (!ret && t->process != current->process && !capable(CAP_SYS_NICE))
		ret = -EPERM;
	if (!ret)
		WRITE_ONCE(t->timer_slack, v ? (u64)v : 50000);
	task_put(t);
	return ret ? ret : (ssize_t)len;
}

/* Pages are not marked as referenced or soft-dirty here: there is nothing to clear. */
static ssize_t store_clear_refs(const struct pseudo_ctx *ctx, const char *text, size_t len)
{
	s64 v;
	ssize_t ret = proc_parse_int(text, 1, 5, &v);

	if (!ret)
		ret = proc_may_look(ctx);
	return ret ? ret : (ssize_t)len;
}

int proc_show_children(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	struct process *c;

	if (!t)
		return -ESRCH;
	mutex_lock(&tasklist_lock);
	list_for_each(c, &t->process->children, sibling)
		if (c->parent_task == t)
			seq_printf(s, "%d ", c->tgid);
	mutex_unlock(&tasklist_lock);
	task_put(t);
	return 0;
}

#define TEXT(name, mode, nr)	{ name, S_IFREG | (mode), .show = show_text, .store = store_refused, .key2 = (nr) }

static const struct pseudo_entry attr_table[] = {
	{ "current", S_IFREG | 0666, .show = show_invalid },
	{ "exec", S_IFREG | 0666, .show = show_invalid },
	{ "fscreate", S_IFREG | 0666, .show = show_invalid },
	{ "keycreate", S_IFREG | 0666, .show = show_invalid },
	{ "prev", S_IFREG | 0444, .show = show_invalid },
	{ "sockcreate", S_IFREG | 0666, .show = show_invalid },
	{}
};

/* pid.c shows these after its own. */
const struct pseudo_entry proc_misc_table[] = {
	{ "attr", S_IFDIR | 0555, .children = attr_table, .key2 = PROC_EUID },
	TEXT("cgroup", 0444, 0),
	{ "clear_refs", S_IFREG | 0200, .store = store_clear_refs },
	TEXT("coredump_filter", 0644, 1),
	TEXT("cpuset", 0444, 2),
	TEXT("gid_map", 0644, 3),
	TEXT("loginuid", 0644, 4),
	{ "mem", S_IFREG | 0600, .open = proc_open_mem },
	{ "net", S_IFDIR | 0555, .children = proc_net_dir, .key2 = PROC_EUID },
	{ "ns", S_IFDIR | 0511, .dynamic = &proc_ns_dir, .key2 = PROC_EUID },
	{ "numa_maps", S_IFREG | 0444, .show = proc_show_numa_maps, .may_open = proc_may_look },
	{ "oom_adj", S_IFREG | 0644, .show = show_oom_adj, .store = store_oom_adj },
	{ "oom_score", S_IFREG | 0444, .show = show_oom_score },
	{ "oom_score_adj", S_IFREG | 0644, .show = show_oom_score_adj, .store = store_oom_score_adj },
	{ "pagemap", S_IFREG | 0400, .open = proc_open_pagemap },
	{ "personality", S_IFREG | 0400, .show = show_personality, .may_open = proc_may_look },
	TEXT("projid_map", 0644, 5),
	{ "schedstat", S_IFREG | 0444, .show = show_schedstat },
	TEXT("sessionid", 0444, 6),
	TEXT("setgroups", 0644, 7),
	{ "smaps", S_IFREG | 0444, .show = proc_show_smaps, .may_open = proc_may_look },
	{ "smaps_rollup", S_IFREG | 0444, .show = proc_show_smaps_rollup, .may_open = proc_may_look },
	{ "syscall", S_IFREG | 0400, .show = show_syscall, .may_open = proc_may_look },
	{ "timerslack_ns", S_IFREG | 0666, .show = show_timerslack, .store = store_timerslack },
	TEXT("uid_map", 0644, 8),
	{ "wchan", S_IFREG | 0444, .show = show_wchan },
	{}
};
