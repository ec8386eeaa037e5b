// SPDX-License-Identifier: MIT
/* The root of /proc: what is about the system, and a directory for each process. Registers both file systems. */
#include "fs/proc/proc.h"

#include "base/printf.h"
#include "base/string.h"
#include "fs/proc/internal.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/fork.h"

#define PROC_MAGIC	0x9fa0

/* ---- processes and threads as objects ---- */

static void object_process_get(void *obj) { process_get(obj); }
static void object_process_put(void *obj) { process_put(obj); }
static void object_task_get(void *obj) { task_get(obj); }
static void object_task_put(void *obj) { task_put(obj); }

bool proc_whole(const struct pseudo_ctx *ctx)
{
	return ctx->ops == &proc_process_ops;
}

struct task *proc_task_get(const struct pseudo_ctx *ctx)
{
	if (proc_whole(ctx)) {
		struct process *p = ctx->obj;
		struct task *t = (s64)ctx->key != p->tgid ? task_find_get((s32)ctx->key) : NULL;

		/* /proc/<tid> of a thread that is not the leader tells of that thread */
		if (t && t->process == p)
			return t;
		task_put(t);
		return process_task_get(p);
	}
	task_get(ctx->obj);
	return ctx->obj;
}

static bool fd_is_open(const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	struct files *files = t ? task_files_get(t) : NULL;
	struct file *f = files ? files_get_file(files, (int)ctx->key, NULL) : NULL;
	u32 mode = f ? (f->mode & FMODE_READ ? 0500 : 0) | (f->mode & FMODE_WRITE ? 0300 : 0) : 0;
	bool same = f && mode == (ctx->key2 & PROC_LOW & 0700);

	if (f)
		file_put(f);
	if (files)
		files_put(files);
	task_put(t);
	return same;
}

bool proc_alive(const struct pseudo_ctx *ctx)
{
	if (proc_whole(ctx)) {
		struct process *p = ctx->obj;

		if (READ_ONCE(p->reaped))
			return false;
	} else {
		struct task *t = ctx->obj;

		if (READ_ONCE(t->process->reaped) || (READ_ONCE(t->dead) && t != READ_ONCE(t->process->leader)))
			return false;
	}
	return !(ctx->key2 & PROC_FD) || fd_is_open(ctx);
}

/* proc(5): the effective user and group, unless the process is not dumpable: then root, so that mode bits keep others out. */
static void object_owner(const struct pseudo_ctx *ctx, u32 *uid, u32 *gid)
{
	struct task *t = proc_task_get(ctx);
	struct cred *c;
	struct mm *mm;

	if (!t)
		return;
	mm = task_mm_get(t);
	c = task_cred_get(t);
	*uid = c->euid;
	*gid = c->egid;
	if (mm && !READ_ONCE(mm->dumpable) && !(ctx->key2 & PROC_EUID))
		*uid = *gid = 0;
	cred_put(c);
	mm_put(mm);
	task_put(t);
}

const struct pseudo_ctx_ops proc_process_ops = {
	.get = object_process_get, .put = object_process_put, .alive = proc_alive, .owner = object_owner,
};
const struct pseudo_ctx_ops proc_thread_ops = {
	.get = object_task_get, .put = object_task_put, .alive = proc_alive, .owner = object_owner,
};

int proc_task_may_look(struct task *t)
{
	return task_may_access(t) ? -EACCES : 0;
}

int proc_may_look(const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	int ret = t ? proc_task_may_look(t) : -ESRCH;

	task_put(t);
	return ret;
}

/* ---- numbers from names and writes ---- */

s64 proc_parse_pid(const struct qstr *name)
{
	s64 nr = 0;

	if (!name->len || name->len > 10 || (name->name[0] == '0' && name->len > 1))
		return -1;
	for (u32 i = 0; i < name->len; i++) {
		if (name->name[i] < '0' || name->name[i] > '9')
			return -1;
		nr = nr * 10 + (name->name[i] - '0');
	}
	return nr > INT32_MAX ? -1 : nr;
}

int proc_parse_int(const char *text, s64 min, s64 max, s64 *out)
{
	bool negative = *text == '-';
	s64 v = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *text - '0', &v))
			return -ERANGE;
	if (*text == '\n')
		text++;
	if (*text)
		return -EINVAL;
	v = negative ? -v : v;
	if (v < min || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

/* ---- the directory ---- */

static const struct pseudo_entry *root_lookup(const struct pseudo_ctx *dir __unused, const struct qstr *name,
					      struct pseudo_ctx *ctx, bool *counted)
{
	s64 nr = proc_parse_pid(name);
	struct process *p = nr > 0 ? process_find_get((s32)nr) : NULL;

	/* A thread's number leads to its process too, though no listing shows it. */
	if (!p && nr > 0) {
		struct task *t = task_find_get((s32)nr);

		if (t && !t->kthread)
			process_get(p = t->process);
		task_put(t);
	}
	if (!p)
		return NULL;
	*ctx = (struct pseudo_ctx){ .obj = p, .key = (u64)nr, .key2 = PROC_EUID, .ops = &proc_process_ops };
	*counted = true;
	return &proc_pid_entry;
}

static bool root_next(const struct pseudo_ctx *dir __unused, u64 *from, char *name, size_t size, u32 *mode)
{
	struct process *p = *from <= INT32_MAX ? process_next_get((s32)*from) : NULL;

	if (!p)
		return false;
	*from = (u64)p->tgid;
	snprintf(name, size, "%d", p->tgid);
	*mode = S_IFDIR | 0555;
	process_put(p);
	return true;
}

static const struct pseudo_dir root_dynamic = { .lookup = root_lookup, .next = root_next };

static ssize_t self_readlink(const struct pseudo_ctx *ctx __unused, char *buf, size_t size)
{
	char text[16];
	int len = current->kthread ? 0 : snprintf(text, sizeof(text), "%d", current->process->tgid);

	if (!len)
		return -ENOENT;
	len = (int)min((size_t)len, size);
	memcpy(buf, text, (size_t)len);
	return len;
}

static ssize_t thread_self_readlink(const struct pseudo_ctx *ctx __unused, char *buf, size_t size)
{
	char text[40];
	int len = current->kthread ? 0 : snprintf(text, sizeof(text), "%d/task/%d", current->process->tgid, current->tid);

	if (!len)
		return -ENOENT;
	len = (int)min((size_t)len, size);
	memcpy(buf, text, (size_t)len);
	return len;
}

static ssize_t mounts_readlink(const struct pseudo_ctx *ctx __unused, char *buf, size_t size)
{
	size_t len = min(sizeof("self/mounts") - 1, size);

	memcpy(buf, "self/mounts", len);
	return (ssize_t)len;
}

static ssize_t net_readlink(const struct pseudo_ctx *ctx __unused, char *buf, size_t size)
{
	size_t len = min(sizeof("self/net") - 1, size);

	memcpy(buf, "self/net", len);
	return (ssize_t)len;
}

/* Tables of what there is none of; key2 is the text. */
static int show_text(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	seq_puts(s, (const char *)(uintptr_t)ctx->key2);
	return 0;
}

#define TEXT(name, text)	{ name, S_IFREG | 0444, .show = show_text, .key2 = (u64)(uintptr_t)(text) }

static const char devices_text[] =
	"Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n 10 misc\n136 pts\n\nBlock devices:\n";

static const struct pseudo_entry root_table[] = {
	TEXT("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
	{ "cmdline", S_IFREG | 0444, .show = proc_show_cmdline_system },
	TEXT("consoles", ""),
	{ "cpuinfo", S_IFREG | 0444, .show = proc_show_cpuinfo },
	TEXT("devices", devices_text),
	TEXT("diskstats", ""),
	{ "filesystems", S_IFREG | 0444, .show = proc_show_filesystems },
	{ "interrupts", S_IFREG | 0444, .show = proc_show_interrupts },
	{ "loadavg", S_IFREG | 0444, .show = proc_show_loadavg },
	{ "locks", S_IFREG | 0444, .show = proc_show_locks },
	{ "meminfo", S_IFREG | 0444, .show = proc_show_meminfo },
	TEXT("misc", ""),
	TEXT("modules", ""),
	{ "mounts", S_IFLNK | 0777, .readlink = mounts_readlink },
	{ "net", S_IFLNK | 0777, .readlink = net_readlink },
	TEXT("partitions", "major minor  #blocks  name\n\n"),
	{ "self", S_IFLNK | 0777, .readlink = self_readlink },
	{ "softirqs", S_IFREG | 0444, .show = proc_show_softirqs },
	{ "stat", S_IFREG | 0444, .show = proc_show_stat_system },
	TEXT("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
	{ "sys", S_IFDIR | 0555, .children = proc_sys_dir },
	{ "sysvipc", S_IFDIR | 0555, .children = proc_sysvipc_dir },
	{ "thread-self", S_IFLNK | 0777, .readlink = thread_self_readlink },
	{ "uptime", S_IFREG | 0444, .show = proc_show_uptime },
	{ "version", S_IFREG | 0444, .show = proc_show_version },
	{ "vmstat", S_IFREG | 0444, .show = proc_show_vmstat },
	{}
};

static const struct pseudo_entry root_entry = {
	.name = "/", .mode = S_IFDIR | 0555, .children = root_table, .dynamic = &root_dynamic,
};

/* Names are not kept: they would keep what they lead to, and a thread its kernel stack. */
static struct super *proc_mount(const char *source __unused, const char *data __unused)
{
	return pseudo_super("proc", PROC_MAGIC, SB_NOCACHE | SB_NOCREATE | SB_NODEV, &root_entry);
}

static struct fs_type proc_type = { .name = "proc", .mount = proc_mount };
static struct fs_type sysfs_type = { .name = "sysfs", .mount = sysfs_mount };

int proc_init(void)
{
	proc_cpuinfo_init();
	proc_sysctl_init();
	fs_register(&proc_type);
	fs_register(&sysfs_type);
	return 0;
}
