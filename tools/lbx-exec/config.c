// SPDX-License-Identifier: MIT
/* The configuration block (lib/boot_config.h): built here, sealed, read once by the sandbox. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct block {
	char *p;
	size_t len, cap;
};

/* Offset of @n bytes at the end of the block, 8-aligned and zeroed. */
static uint32_t block_room(struct block *b, size_t n)
{
	size_t at = (b->len + 7) & ~(size_t)7;

	if (at + n > b->cap) {
		b->cap = (at + n) * 2;
		b->p = realloc(b->p, b->cap);
		if (!b->p)
			die("out of memory");
	}
	memset(b->p + b->len, 0, at + n - b->len);
	b->len = at + n;
	return (uint32_t)at;
}

static uint32_t block_string(struct block *b, const char *s)
{
	uint32_t at;

	if (!s)
		return 0;
	at = block_room(b, strlen(s) + 1);
	strcpy(b->p + at, s);
	return at;
}

static uint32_t block_list(struct block *b, char *const *list, size_t nr)
{
	size_t len = 0;
	uint32_t at;

	for (size_t i = 0; i < nr; i++)
		len += strlen(list[i]) + 1;
	at = block_room(b, len);
	len = at;
	for (size_t i = 0; i < nr; i++) {
		strcpy(b->p + len, list[i]);
		len += strlen(list[i]) + 1;
	}
	return at;
}

/* What programs may know of the caller's environment: how to talk to the terminal and the user, and nothing of where. */
static bool env_passes(const char *e)
{
	static const char *const names[] = { "TERM=", "COLORTERM=", "LANG=", "LANGUAGE=", "LC_", "TZ=", "NO_COLOR=" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(e, names[i], strlen(names[i])))
			return true;
	return false;
}

static void env_set(char ***env, size_t *nr, const char *e)
{
	size_t name = strcspn(e, "=") + 1;

	for (size_t i = 0; i < *nr; i++) {
		if (!strncmp((*env)[i], e, name)) {
			(*env)[i] = xstrdup(e);
			return;
		}
	}
	*env = realloc(*env, (*nr + 1) * sizeof(**env));
	if (!*env)
		die("out of memory");
	(*env)[(*nr)++] = xstrdup(e);
}

#define SAFE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *env_given(const struct options *o, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = o->nr_env; i-- > 0; ) {
		if (!strncmp(o->env[i], name, len) && o->env[i][len] == '=')
			return o->env[i] + len + 1;
		if (!strcmp(o->env[i], name) && getenv(name))
			return getenv(name);
	}
	return NULL;
}

const char *env_path(const struct options *o)
{
	const char *given = env_given(o, "PATH");

	return given ? given : SAFE_PATH;
}

const char *env_home(const struct options *o)
{
	struct passwd *pw = o->uid ? getpwuid((uid_t)o->uid) : NULL;

	if (!o->uid)
		return "/root";
	return pw && !strncmp(pw->pw_dir, "/home/", 6) ? pw->pw_dir : "/home/user";
}

static void env_from_user(char ***env, size_t *nr, const struct options *o)
{
	struct passwd *pw = getpwuid((uid_t)o->uid);
	const char *const names[] = { "USER", "LOGNAME" };
	char *e = xasprintf("HOME=%s", env_home(o));

	env_set(env, nr, e);
	free(e);
	for (size_t i = 0; i < 2; i++) {
		e = xasprintf("%s=%s", names[i], pw ? pw->pw_name : o->uid ? "user" : "root");
		env_set(env, nr, e);
		free(e);
	}
}

char **env_make(const struct options *o, size_t *nr)
{
	extern char **environ;
	char **env = NULL;

	*nr = 0;
	if (!o->clearenv) {
		env_set(&env, nr, "PATH=" SAFE_PATH);
		env_from_user(&env, nr, o);
		for (char **e = environ; *e; e++)
			if (env_passes(*e))
				env_set(&env, nr, *e);
	}
	for (size_t i = 0; i < o->nr_env; i++) {
		if (strchr(o->env[i], '=')) {
			env_set(&env, nr, o->env[i]);
		} else if (getenv(o->env[i])) {
			char *e = xasprintf("%s=%s", o->env[i], getenv(o->env[i]));

			env_set(&env, nr, e);
			free(e);
		}
	}
	return env;
}

static int64_t nanoseconds(const struct statx_timestamp *t)
{
	return t->tv_sec * 1000000000ll + t->tv_nsec;
}

static struct boot_attr attr_of(const struct view_mount *m)
{
	struct statx st;

	if (statx(m->fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &st))
		die("%s: %s", m->source, strerror(errno));
	return (struct boot_attr){
		.mode = st.stx_mode, .uid = st.stx_uid, .gid = st.stx_gid, .nlink = st.stx_nlink,
		.dev = makedev(st.stx_dev_major, st.stx_dev_minor), .ino = st.stx_ino,
		.size = st.stx_size, .blocks = st.stx_blocks,
		.atime = nanoseconds(&st.stx_atime), .mtime = nanoseconds(&st.stx_mtime), .ctime = nanoseconds(&st.stx_ctime),
		.btime = st.stx_mask & STATX_BTIME ? nanoseconds(&st.stx_btime) : 0,
	};
}

static void put_mounts(struct block *b, const struct view *v, uint32_t at)
{
	for (size_t i = 0; i < v->nr; i++) {
		const struct view_mount *m = &v->mounts[i];
		char number[12];
		uint32_t dst = block_string(b, m->dst), source;
		struct boot_mount *bm;

		if (m->fd >= 0) {
			char *text = xasprintf("%u", m->export);

			strncpy(number, text, sizeof(number) - 1);
			number[sizeof(number) - 1] = 0;
			free(text);
		}
		source = block_string(b, m->fd >= 0 ? number : m->source);
		bm = (struct boot_mount *)(b->p + at) + i;
		*bm = (struct boot_mount){
			.kind = m->kind, .flags = (m->ro ? BOOT_MOUNT_RO : 0) | (m->layer ? BOOT_MOUNT_ROOT : 0) |
				 (m->if_missing ? BOOT_MOUNT_IF_MISSING : 0), .source = source, .dst = dst,
			.mode = m->mode, .size = m->size, .handle = m->handle,
		};
		if (m->fd >= 0)
			bm->attr = attr_of(m);
	}
}

/* Supplementary groups mean something only with the caller's own ids. */
static uint32_t put_groups(struct block *b, const struct options *o, uint32_t *nr)
{
	gid_t groups[256];
	int n = o->uid == (int64_t)getuid() ? getgroups(256, groups) : 0;
	uint32_t at;

	*nr = n > 0 ? (uint32_t)n : 0;
	at = block_room(b, *nr * sizeof(uint32_t) + 1);
	for (uint32_t i = 0; i < *nr; i++)
		((uint32_t *)(b->p + at))[i] = groups[i];
	return at;
}

int config_make(const struct options *o, const struct view *v, const struct stdio_plan *p, const uint32_t *channels,
		uint32_t nr_channels)
{
	struct block b = { 0 };
	struct boot_config c = { .magic = BOOT_MAGIC };
	struct winsize ws;
	size_t nr_env;
	char **env = env_make(o, &nr_env);
	mode_t mask = umask(022);
	int fd;

	umask(mask);
	block_room(&b, sizeof(c));
	c.mem = o->mem;
	c.cpus = o->cpus;
	c.procs = o->procs;
	c.fds = o->max_fds;
	c.rlim_nofile = o->max_fds < 1024 ? o->max_fds : 1024;
	c.flags = (o->trace ? BOOT_TRACE : 0) | (o->stats ? BOOT_STATS : 0) | (o->verbose ? BOOT_VERBOSE : 0) |
		  (o->no_patch ? BOOT_NO_PATCH : 0) | (o->json ? BOOT_STATS_JSON : 0) | (o->ro_root ? BOOT_RO_ROOT : 0);
	if (getrandom(c.seed, sizeof(c.seed), 0) != sizeof(c.seed))
		return -1;
	c.argc = (uint32_t)o->argc;
	c.argv = block_list(&b, o->argv, (size_t)o->argc);
	c.envc = (uint32_t)nr_env;
	c.envp = block_list(&b, env, nr_env);
	c.program = block_string(&b, o->program);
	c.cwd = block_string(&b, v->cwd);
	c.hostname = block_string(&b, o->hostname);
	c.uid = (uint32_t)o->uid;
	c.gid = (uint32_t)o->gid;
	c.groups = put_groups(&b, o, &c.nr_groups);
	c.umask = mask;
	c.sig_ignored = o->sig_ignored;
	c.sig_blocked = o->sig_blocked;
	c.nr_mounts = (uint32_t)v->nr;
	c.mounts = block_room(&b, v->nr * sizeof(struct boot_mount));
	put_mounts(&b, v, c.mounts);
	c.nr_stdio = (uint32_t)p->nr;
	c.stdio = block_room(&b, p->nr * sizeof(struct boot_stdio));
	memcpy(b.p + c.stdio, p->io, p->nr * sizeof(struct boot_stdio));
	c.nr_channels = nr_channels;
	c.channels = block_room(&b, nr_channels * sizeof(uint32_t));
	memcpy(b.p + c.channels, channels, nr_channels * sizeof(uint32_t));
	if (!ioctl(0, TIOCGWINSZ, &ws)) {
		c.tty_rows = ws.ws_row;
		c.tty_cols = ws.ws_col;
	}
	c.tty_control = p->control >= 0 ? p->control_handle : 0;
	c.size = (uint32_t)b.len;
	memcpy(b.p, &c, sizeof(c));
	fd = memfd_create("litebox-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	if (write(fd, b.p, b.len) != (ssize_t)b.len ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		close(fd);
		return -1;
	}
	explicit_bzero(b.p, b.len);
	free(b.p);
	return fd;
}
