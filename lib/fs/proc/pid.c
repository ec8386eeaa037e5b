// SPDX-License-Identifier: MIT
/* The directory of a process and of a thread, and its small files. */
#include "base/printf.h"
#include "base/string.h"
#include "fs/proc/internal.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/pid.h"

static int show_comm(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);

	if (!t)
		return -ESRCH;
	seq_write(s, t->comm, strnlen(t->comm, sizeof(t->comm)));
	seq_putc(s, '\n');
	task_put(t);
	return 0;
}

/* Threads of one process may name each other, nobody else. */
static ssize_t store_comm(const struct pseudo_ctx *ctx, const char *text, size_t len)
{
	struct task *t = proc_task_get(ctx);
	char comm[TASK_COMM_LEN] = "", *nl;
	ssize_t ret = (ssize_t)len;

	if (!t)
		return -ESRCH;
	memcpy(comm, text, min(len, sizeof(comm) - 1));
	nl = strchr(comm, '\n');
	if (nl)
		*nl = '\0';
	if (t->process == current->process)
		memcpy(t->comm, comm, sizeof(comm));
	else
		ret = -EINVAL;
	task_put(t);
	return ret;
}

static int show_limits(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	static const struct {
		const char *name, *unit;
	} limits[RLIM_NLIMITS] = {
		[RLIM_CPU] = { "Max cpu time", "seconds" },
		[RLIM_FSIZE] = { "Max file size", "bytes" },
		[RLIM_DATA] = { "Max data size", "bytes" },
		[RLIM_STACK] = { "Max stack size", "bytes" },
		[RLIM_CORE] = { "Max core file size", "bytes" },
		[RLIM_RSS] = { "Max resident set", "bytes" },
		[RLIM_NPROC] = { "Max processes", "processes" },
		[RLIM_NOFILE] = { "Max open files", "files" },
		[RLIM_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIM_AS] = { "Max address space", "bytes" },
		[RLIM_LOCKS] = { "Max file locks", "locks" },
		[RLIM_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIM_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIM_NICE] = { "Max nice priority", NULL },
		[RLIM_RTPRIO] = { "Max realtime priority", NULL },
		[RLIM_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct task *t = proc_task_get(ctx);
	struct rlimit64 rlim[RLIM_NLIMITS];

	if (!t)
		return -ESRCH;
	mutex_lock(&t->process->lock);
	memcpy(rlim, t->process->rlim, sizeof(rlim));
	mutex_unlock(&t->process->lock);
	task_put(t);
	seq_puts(s, "Limit                     Soft Limit           Hard Limit           Units     \n");
	for (u32 i = 0; i < RLIM_NLIMITS; i++) {
		u64 both[2] = { rlim[i].cur, rlim[i].max };

		seq_printf(s, "%-25s ", limits[i].name);
		for (u32 k = 0; k < 2; k++) {
			if (both[k] == RLIM64_INFINITY)
				seq_printf(s, "%-20s ", "unlimited");
			else
				seq_printf(s, "%-20lu ", both[k]);
		}
		if (limits[i].unit)
			seq_printf(s, "%-10s", limits[i].unit);
		seq_putc(s, '\n');
	}
	return 0;
}

/* ---- tables ---- */

/* What a process and its threads have alike. */
#define COMMON_ENTRIES											\
	{ "auxv", S_IFREG | 0400, .show = proc_show_auxv, .may_open = proc_may_look },			\
	{ "cmdline", S_IFREG | 0444, .show = proc_show_cmdline },					\
	{ "comm", S_IFREG | 0644, .show = show_comm, .store = store_comm },				\
	{ "cwd", S_IFLNK | 0777, .readlink = proc_readlink_cwd, .follow = proc_follow_cwd },		\
	{ "environ", S_IFREG | 0400, .show = proc_show_environ, .may_open = proc_may_look },		\
	{ "exe", S_IFLNK | 0777, .readlink = proc_readlink_exe, .follow = proc_follow_exe },		\
	{ "fd", S_IFDIR | 0500, .dynamic = &proc_fd_dir, .may_open = proc_may_look, .key2 = PROC_EUID },\
	{ "fdinfo", S_IFDIR | 0555, .dynamic = &proc_fdinfo_dir, .may_open = proc_may_look },		\
	{ "limits", S_IFREG | 0444, .show = show_limits },						\
	{ "maps", S_IFREG | 0444, .show = proc_show_maps, .may_open = proc_may_look },			\
	{ "mountinfo", S_IFREG | 0444, .show = proc_show_mountinfo },					\
	{ "mounts", S_IFREG | 0444, .show = proc_show_mounts },						\
	{ "root", S_IFLNK | 0777, .readlink = proc_readlink_root, .follow = proc_follow_root },		\
	{ "stat", S_IFREG | 0444, .show = proc_show_stat },						\
	{ "statm", S_IFREG | 0444, .show = proc_show_statm },						\
	{ "status", S_IFREG | 0444, .show = proc_show_status }

static const struct pseudo_entry thread_table[] = {
	COMMON_ENTRIES,
	{ "children", S_IFREG | 0444, .show = proc_show_children },
	{}
};

/*
 * The rest, which both have as well: as the dynamic part, so that the table stands only once.
 */
static const struct pseudo_entry *misc_lookup(const struct pseudo_ctx *dir __unused, const struct qstr *name, struct pseudo_ctx *ctx,
					      bool *counted __unused)
{
	for (const struct pseudo_entry *e = proc_misc_table; e->name; e++) {
		if (strlen(e->name) == name->len && !memcmp(e->name, name->name, name->len)) {
			ctx->key2 = e->key2;
			return e;
		}
	}
	return NULL;
}

static bool misc_next(const struct pseudo_ctx *dir __unused, u64 *from, char *name, size_t size, u32 *mode)
{
	u64 at = 0;

	while (proc_misc_table[at].name && at < *from)
		at++;
	if (!proc_misc_table[at].name)
		return false;
	*from = at;
	strscpy(name, proc_misc_table[at].name, size);
	*mode = proc_misc_table[at].mode;
	return true;
}

static const struct pseudo_dir misc_dir = { .lookup = misc_lookup, .next = misc_next };
static const struct pseudo_entry thread_entry = { "", S_IFDIR | 0555, .children = thread_table, .dynamic = &misc_dir };

static const struct pseudo_entry *task_lookup(const struct pseudo_ctx *dir, const struct qstr *name, struct pseudo_ctx *ctx,
					      bool *counted)
{
	s64 nr = proc_parse_pid(name);
	struct task *t = nr > 0 ? task_find_get((s32)nr) : NULL;

	if (!t || t->process != dir->obj) {
		task_put(t);
		return NULL;
	}
	*ctx = (struct pseudo_ctx){ .obj = t, .key = (u64)nr, .key2 = PROC_EUID, .ops = &proc_thread_ops };
	*counted = true;
	return &thread_entry;
}

static bool task_next(const struct pseudo_ctx *dir, u64 *from, char *name, size_t size, u32 *mode)
{
	struct task *t = *from <= INT32_MAX ? task_next_get(dir->obj, (s32)*from) : NULL;

	if (!t)
		return false;
	*from = (u64)t->tid;
	snprintf(name, size, "%d", t->tid);
	*mode = S_IFDIR | 0555;
	task_put(t);
	return true;
}

const struct pseudo_dir proc_task_dir = { .lookup = task_lookup, .next = task_next };

static const struct pseudo_entry pid_table[] = {
	COMMON_ENTRIES,
	{ "mountstats", S_IFREG | 0400, .show = proc_show_mountstats },
	{ "task", S_IFDIR | 0555, .dynamic = &proc_task_dir, .key2 = PROC_EUID },
	{}
};

const struct pseudo_entry proc_pid_entry = { "", S_IFDIR | 0555, .children = pid_table, .dynamic = &misc_dir };
