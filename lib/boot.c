// SPDX-License-Identifier: MIT
#include "boot.h"

#include "base/errno.h"
#include "base/printf.h"
#include "base/string.h"
#include "boot_parts.h"
#include "fs/file.h"
#include "fs/fs_state.h"
#include "fs/keep.h"
#include "fs/namei.h"
#include "fs/proc/proc.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "north/linux/syscall.h"
#include "north/linux/trace.h"
#include "process/cred.h"
#include "process/exec.h"
#include "process/fork.h"
#include "process/limits.h"
#include "south/south.h"
#include "tty/tty.h"

const struct boot_config *boot_config;
char boot_hostname[65];

#define EXIT_NOT_FOUND		127
#define EXIT_NOT_EXECUTABLE	126
#define EXIT_BOOT		125

/* How long the end waits for processes that are killed with the first program. */
#define EXIT_WAIT_NS		(500 * NSEC_PER_MSEC)

void boot_fail(int status, const char *fmt, ...)
{
	char line[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	kprint("lbx-exec: %s", line);
	south_exit(status);
}

struct task *task_boot(void)
{
	return kthread_alloc("supervisor");
}

static int list_from_config(struct string_list *l, u32 off, u32 nr)
{
	const char *s = boot_string(off);

	for (u32 i = 0; i < nr; i++) {
		int ret = string_list_add(l, s, strlen(s));

		if (ret)
			return ret;
		s += strlen(s) + 1;
	}
	return 0;
}

static const char *env_value(const char *name)
{
	const char *s = boot_string(boot_config->envp);
	size_t len = strlen(name);

	for (u32 i = 0; i < boot_config->envc; i++, s += strlen(s) + 1)
		if (!strncmp(s, name, len) && s[len] == '=')
			return s + len + 1;
	return NULL;
}

/* Return: 0, or -ENOENT, -EACCES as exec would say */
static int executable(const char *path)
{
	struct path p;
	int ret = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &p);

	if (ret)
		return ret;
	ret = S_ISREG(p.dentry->inode->mode) ? vfs_access(&p, MAY_EXEC, current->cred) : -EACCES;
	path_put(&p);
	return ret;
}

/* The runner could not look it up where the tree is an image. Return: @program, or its path by PATH; NULL with *@ret */
static char *find_program(const char *program, long *ret)
{
	const char *dirs = env_value("PATH");
	char *path;

	if (strchr(program, '/'))
		return kstrdup(program);
	*ret = -ENOENT;
	for (size_t len; dirs; dirs = dirs[len] ? dirs + len + 1 : NULL) {
		size_t room;
		int err;

		for (len = 0; dirs[len] && dirs[len] != ':'; len++)
			;
		room = len + strlen(program) + 3;
		path = kmalloc(room);
		if (!path)
			return NULL;
		scnprintf(path, room, "%.*s/%s", len ? (int)len : 1, len ? dirs : ".", program);
		err = executable(path);
		if (!err)
			return path;
		kfree(path);
		if (err == -EACCES)
			*ret = err;
		if (err == -ERESTARTSYS) {
			*ret = err;
			return NULL;
		}
	}
	return NULL;
}

/*
 * A signal that comes before there is a program does what it does by default, as between fork and exec: it ends or stops the sandbox,
 * or nothing happens. Return: whether @ret only says that one came: then try again
 */
static bool only_interrupted(long ret)
{
	if (ret != -ERESTARTSYS && ret != -ERESTARTNOINTR && ret != -EINTR)
		return false;
	current->regs->orig_rax = ~0ull;	/* there is no call to be restarted */
	task_exit_work(current->regs);
	return true;
}

static long exec_first(const struct boot_config *c)
{
	struct string_list args = { 0 }, envs = { 0 };
	long ret = list_from_config(&args, c->argv, c->argc);
	char *path;

	if (!ret)
		ret = list_from_config(&envs, c->envp, c->envc);
	if (!ret) {
		ret = -ENOMEM;
		path = find_program(boot_string(c->program), &ret);
		if (path)
			return exec_file(AT_FDCWD, path, 0, &args, &envs);
	}
	kfree(args.buf);
	kfree(envs.buf);
	return ret;
}

/* The first program's own task, in its own address space: as execve would, from names in the library kernel's memory. */
static void __noreturn first_program(void *arg __unused)
{
	const struct boot_config *c = boot_config;
	const char *program = boot_string(c->program), *cwd = boot_string(c->cwd);
	struct path dir;
	long ret;

	do
		ret = path_lookup(AT_FDCWD, cwd ? cwd : "/", LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &dir);
	while (only_interrupted(ret));
	if (ret)
		boot_fail(EXIT_BOOT, "%s: cannot be the working directory inside (error %ld): name another with --chdir",
			  cwd, -ret);
	fs_state_set_cwd(current->fs, &dir);
	ret = boot_stdio();
	if (ret)
		boot_fail(EXIT_BOOT, "standard input and output: error %ld", -ret);
	do
		ret = exec_first(c);
	while (only_interrupted(ret));
	if (ret == -ENOENT && !strchr(program, '/'))
		boot_fail(EXIT_NOT_FOUND, "%s: not found in %s inside: give its path, or --env PATH=...", program,
			  env_value("PATH") ? env_value("PATH") : "a PATH that is not set");
	if (ret == -ENOENT)
		boot_fail(EXIT_NOT_FOUND, "%s: not there inside the sandbox (or its interpreter is not): see --dry-run for what is",
			  program);
	if (ret == -EACCES || ret == -ENOEXEC)
		boot_fail(EXIT_NOT_EXECUTABLE, "%s: %s", program,
			  ret == -EACCES ? "no permission to execute it" : "not a program for x86-64 Linux, and no script");
	boot_fail(EXIT_NOT_EXECUTABLE, "%s: cannot be executed: error %ld", program, -ret);
}

static struct cred *first_cred(const struct boot_config *c)
{
	const u32 *groups = (const u32 *)boot_string(c->groups);
	u64 caps = c->uid == 0 ? CAP_CONTAINER : 0;

	return cred_create(c->uid, c->gid, groups, c->nr_groups, caps, CAP_CONTAINER);
}

void kernel_boot(const struct boot_config *config)
{
	struct cred *cred;
	struct task *t;
	int ret;

	boot_config = config;
	tasks_max = config->procs;
	strscpy(boot_hostname, config->hostname ? boot_string(config->hostname) : "litebox", sizeof(boot_hostname));
	syscall_tracing = config->flags & BOOT_TRACE;
	if (config->flags & BOOT_STATS && stats_init())
		boot_fail(EXIT_BOOT, "no memory for statistics: more with --mem");
	if (config->flags & (BOOT_TRACE | BOOT_STATS))
		syscall_watch();
	ret = vfs_init();
	if (!ret)
		ret = tty_init();
	if (!ret)
		ret = proc_init();
	if (!ret)
		ret = boot_mounts();
	if (ret)
		boot_fail(EXIT_BOOT, "file systems: error %d: more memory with --mem?", -ret);

	cred = first_cred(config);
	t = cred ? process_create_first(cred) : NULL;
	if (!t)
		boot_fail(EXIT_BOOT, "no memory for the first process: more with --mem");
	t->mm = mm_create();
	t->files = files_alloc();
	t->fs = fs_state_create();
	if (!t->mm || !t->files || !t->fs)
		boot_fail(EXIT_BOOT, "no memory for the first process: more with --mem");
	t->mm->users = 1;
	signal_inherit(t, config->sig_ignored, config->sig_blocked);
	t->process->rlim[RLIM_NOFILE] = (struct rlimit64){ min(config->rlim_nofile, config->fds), config->fds };
	ret = machine->start_fresh(t, first_program, NULL);
	if (ret)
		boot_fail(EXIT_BOOT, "no host process for the first program (error %d): RLIMIT_NPROC, a cgroup's pids.max?", -ret);
	task_put(t);
}

void sandbox_exit(u32 wait_status)
{
	u32 sig;

	(void)process_kill_all(clock_monotonic() + EXIT_WAIT_NS);
	/* what killed us shall not interrupt what is left to do */
	atomic_and(&current->work, ~(u32)(WORK_SIGNAL | WORK_EXIT | WORK_STOP));
	if (keep_save())
		wait_status = EXIT_BOOT << 8;
	sig = wait_status & 0x7f;
	boot_exit_stdio();
	stats_print(boot_config->flags & BOOT_STATS_JSON);
	south_exit(sig ? 128 + (int)sig : (int)(wait_status >> 8 & 0xff));
}
