// SPDX-License-Identifier: MIT
/*
 * What the program sees of the host: by default a read-only system, and the current directory unless that would show a home. Only
 * what is listed here is opened, and nothing else can be: each line becomes one export of the file server.
 */
#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The parts of /etc that programs need, and nothing that names a secret. */
static const char *const etc_parts[] = {
	"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd", "group", "nsswitch.conf", "hosts", "host.conf", "resolv.conf",
	"gai.conf", "services", "protocols", "localtime", "timezone", "locale.alias", "locale.conf", "default/locale",
	"alternatives", "terminfo", "inputrc", "bash.bashrc", "profile", "profile.d", "mime.types", "magic", "mailcap",
	"ssl/certs", "ssl/openssl.cnf", "ca-certificates", "debian_version", "os-release", "lsb-release", "issue",
	"perl", "vim", "gitconfig", "fonts", "manpath.config", "login.defs", "shells", "networks", "rpc",
	"pki/tls/certs", "pki/ca-trust/extracted", "crypto-policies", "ld-musl-x86_64.path",
};
static const char *const etc_patterns[] = { "python*", "java-*" };
static const char *const usr_links[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };

struct view_mount *view_add(struct view *v, enum boot_mount_kind kind, const char *source, const char *dst, bool ro)
{
	struct view_mount *m;

	v->mounts = realloc(v->mounts, (v->nr + 1) * sizeof(*v->mounts));
	if (!v->mounts)
		die("out of memory");
	m = &v->mounts[v->nr++];
	*m = (struct view_mount){ .kind = kind, .ro = ro, .fd = -1, .image = -1, .dst = xstrdup(dst) };
	m->source = source ? xstrdup(source) : NULL;
	return m;
}

/* @source exists and is a directory or regular file: show it. Return: false when it is not there */
static bool add_host(struct view *v, const char *source, const char *dst, bool ro, bool must)
{
	struct view_mount *m;
	struct stat st;
	int fd = open(source, O_PATH | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st)) {
		if (must)
			die("%s: %s", source, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
		close(fd);
		if (must)
			die("%s: neither a directory nor a regular file: use --fd for open files", source);
		return false;
	}
	m = view_add(v, S_ISDIR(st.st_mode) ? BOOT_MOUNT_HOST : BOOT_MOUNT_HOST_FILE, source, dst, ro);
	m->fd = fd;
	return true;
}

static void add_etc_patterns(struct view *v)
{
	char path[PATH_MAX];
	DIR *etc = opendir("/etc");
	struct dirent *e;

	while (etc && (e = readdir(etc))) {
		for (size_t i = 0; i < sizeof(etc_patterns) / sizeof(*etc_patterns); i++) {
			if (fnmatch(etc_patterns[i], e->d_name, FNM_PERIOD))
				continue;
			snprintf(path, sizeof(path), "/etc/%s", e->d_name);
			add_host(v, path, path, true, false);
		}
	}
	if (etc)
		closedir(etc);
}

static void add_system(struct view *v)
{
	char path[PATH_MAX], target[PATH_MAX];

	add_host(v, "/usr", "/usr", true, true);
	for (size_t i = 0; i < sizeof(usr_links) / sizeof(*usr_links); i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/%s", usr_links[i]);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0) {
			target[n] = 0;
			view_add(v, BOOT_MOUNT_SYMLINK, target, path, false);
		} else {
			add_host(v, path, path, true, false);
		}
	}
	/* through a symlink too: what counts is the name inside */
	for (size_t i = 0; i < sizeof(etc_parts) / sizeof(*etc_parts); i++) {
		snprintf(path, sizeof(path), "/etc/%s", etc_parts[i]);
		add_host(v, path, path, true, false);
	}
	add_etc_patterns(v);
	add_host(v, "/var/lib/dpkg/status", "/var/lib/dpkg/status", true, false);
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n] || n == 1);
}

/* @home is @cwd or lies below it. */
static bool shows_home(const char *cwd, const char *home)
{
	char *full = home && *home == '/' && home[1] ? realpath(home, NULL) : NULL;
	bool yes = full && full[1] && below(full, cwd);

	free(full);
	return yes;
}

/*
 * Where the system keeps keys, password hashes, logs, others' mail, sockets and itself. To stand there is not to show it: root would
 * show /etc/shadow.
 */
static bool cwd_is_system(const char *cwd)
{
	static const char *const dirs[] = {
		"/etc", "/proc", "/sys", "/dev", "/run", "/boot", "/var/backups", "/var/log", "/var/mail", "/var/spool",
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		if (below(dirs[i], cwd) || below(cwd, dirs[i]))
			return !below(cwd, "/dev/shm");
	return false;
}

/* Showing @cwd would show a home directory, or everything. */
static bool cwd_is_private(const char *cwd)
{
	bool private = !strcmp(cwd, "/") || !strcmp(cwd, "/home") || !strcmp(cwd, "/root") || shows_home(cwd, getenv("HOME"));
	FILE *f = private ? NULL : fopen("/etc/passwd", "re");
	struct passwd *pw;

	/* not getpwent(): name services load libraries, ask daemons, and still do not list everybody; our own home is $HOME */
	while (!private && f && (pw = fgetpwent(f))) {
		const char *home = pw->pw_dir;

		/* people's; the homes of daemons are /bin, /var/mail and the like */
		if (home && (!pw->pw_uid || pw->pw_uid >= 1000 || pw->pw_uid == getuid() || !strncmp(home, "/home/", 6)))
			private = shows_home(cwd, home);
	}
	if (f)
		fclose(f);
	/* who is in no file (LDAP) and has no $HOME */
	if (!private && !getenv("HOME")) {
		pw = getpwuid(getuid());
		private = pw && shows_home(cwd, pw->pw_dir);
	}
	return private;
}

static bool shown(const struct view *v, const char *path)
{
	for (size_t i = 0; i < v->nr; i++)
		if ((v->mounts[i].kind == BOOT_MOUNT_HOST || v->mounts[i].kind == BOOT_MOUNT_HOST_FILE ||
		     v->mounts[i].kind == BOOT_MOUNT_SYMLINK) && below(path, v->mounts[i].dst))
			return true;
	return false;
}

static void add_cwd(struct view *v, const struct options *o)
{
	char cwd[PATH_MAX];

	v->cwd = xstrdup(o->chdir ? o->chdir : "/");
	/* another tree is meant to be that tree */
	if (o->root || !getcwd(cwd, sizeof(cwd)) || *cwd != '/')
		return;
	if (!shown(v, cwd)) {
		const char *why = cwd_is_private(cwd) ? "a home directory" : cwd_is_system(cwd) ? "one of the system's own" : NULL;
		struct view_mount *m;

		if (why && !o->chdir && strcmp(cwd, "/"))
			message("%s is not shown inside, since it is or contains %s; --bind %s shows it", cwd, why, cwd);
		else if (why && !o->chdir)
			message("the current directory, /, is not shown inside: start elsewhere, or --bind what is needed");
		if (why)
			return;
		add_host(v, cwd, cwd, true, true);
		m = &v->mounts[v->nr - 1];
		m->kind = BOOT_MOUNT_OVERLAY;
		m->layer = true;
	}
	if (!o->chdir) {
		free(v->cwd);
		v->cwd = xstrdup(cwd);
	}
}

/*
 * Of the mounts from @first on, those above others come before them, so that none hides another by the order of options alone. Where
 * nothing can be made to mount on (--bind), the current directory stays hidden.
 */
static void sort_mounts(struct view *v, size_t first)
{
	for (size_t i = first + 1; i < v->nr; i++) {
		struct view_mount m = v->mounts[i];
		size_t at = i;

		for (size_t k = first; k < i; k++) {
			const struct view_mount *other = &v->mounts[k];

			if (strcmp(other->dst, m.dst) && below(other->dst, m.dst) && (other->explicit || m.kind == BOOT_MOUNT_TMPFS)) {
				at = k;
				break;
			}
		}
		memmove(&v->mounts[at + 1], &v->mounts[at], (i - at) * sizeof(m));
		v->mounts[at] = m;
	}
}

/* What @path inside is on the host, or NULL when it is nothing of the host's. */
static char *host_path(const struct view *v, const char *path)
{
	char *link = NULL, *found;

	/* the last that is mounted there hides those before */
	for (size_t i = v->nr; i-- > 0; ) {
		const struct view_mount *m = &v->mounts[i];
		const char *rest = path + strlen(m->dst);

		if (!below(path, m->dst))
			continue;
		if (!strcmp(m->dst, "/"))
			rest = path;
		switch (m->kind) {
		case BOOT_MOUNT_HOST: case BOOT_MOUNT_HOST_FILE: case BOOT_MOUNT_OVERLAY:
			return xasprintf("%s%s", m->source, rest);
		case BOOT_MOUNT_SYMLINK:
			link = xasprintf("%s%s%s", *m->source == '/' ? "" : "/", m->source, rest);
			found = host_path(v, link);
			free(link);
			return found;
		default:
			return NULL;
		}
	}
	return NULL;
}

static bool executable_inside(const struct view *v, const char *path)
{
	char *host = host_path(v, path);
	struct stat st;
	bool yes = host && !stat(host, &st) && S_ISREG(st.st_mode) && !access(host, X_OK);

	free(host);
	return yes;
}

/* By the PATH that the program gets. */
static char *find_in_path(const struct view *v, const struct options *o, const char *name)
{
	const char *dirs = env_path(o), *end;
	char *path;

	for (; ; dirs = end + 1) {
		end = strchrnul(dirs, ':');
		path = xasprintf("%.*s/%s", (int)(end - dirs), dirs, name);
		if (*path == '/' && executable_inside(v, path))
			return path;
		free(path);
		if (!*end)
			return NULL;
	}
}

static void __attribute__((noreturn)) no_program(int status, const char *name, const char *why)
{
	message("%s: %s", name, why);
	exit(status);
}

/* Where PROGRAM lies inside; one outside of what is shown is granted by itself. */
static void find_program(struct view *v, struct options *o)
{
	const char *name = o->argc ? o->argv[0] : "sh";
	struct stat st;
	char *full;

	if (!*name)
		no_program(127, "''", "no program has an empty name");
	/* another tree's names are its own: they are looked up inside */
	if (o->root) {
		o->program = xstrdup(name);
		return;
	}
	if (!strchr(name, '/')) {
		o->program = find_in_path(v, o, name);
		if (!o->program)
			no_program(127, name, xasprintf("not found in %s inside: give its path, or --env PATH=...", env_path(o)));
		return;
	}
	/* as it was named when that is seen inside, so that argv[0] and links behave; else what it leads to */
	if (name[0] == '/' && shown(v, name)) {
		o->program = xstrdup(name);
		return;
	}
	full = realpath(name, NULL);
	if (!full) {
		bool gone = errno == ENOENT || errno == ENOTDIR;

		/* it may be inside only: below a --tmpfs, say */
		if (name[0] == '/' && gone) {
			o->program = xstrdup(name);
			return;
		}
		no_program(gone ? 127 : 126, name, strerror(errno));
	}
	if (!shown(v, full)) {
		if (stat(full, &st))
			no_program(126, name, strerror(errno));
		if (!S_ISREG(st.st_mode))
			no_program(126, name, "not a regular file");
		add_host(v, full, full, true, true);
		v->mounts[v->nr - 1].explicit = true;
	}
	o->program = full;
}

/* A directory or an image, with changes in memory: places to mount on are made there too. */
static void add_root(struct view *v, const char *root)
{
	char *full = realpath(root, NULL);
	struct view_mount *m;
	struct stat st;

	if (!full || stat(full, &st))
		die("--root %s: %s", root, strerror(errno));
	if (S_ISREG(st.st_mode)) {
		m = view_add(v, BOOT_MOUNT_TAR, full, "/", true);
		m->image = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (m->image < 0)
			die("--root %s: %s", root, strerror(errno));
		m->size = (uint64_t)st.st_size;
	} else if (S_ISDIR(st.st_mode)) {
		add_host(v, full, "/", true, true);
		m = &v->mounts[v->nr - 1];
		m->kind = BOOT_MOUNT_OVERLAY;
	} else {
		die("--root %s: neither a directory nor a tar image", root);
	}
	m->layer = m->explicit = true;
	free(full);
}

int view_build(struct view *v, struct options *o)
{
	struct view_mount *home;
	size_t movable;

	if (o->root)
		add_root(v, o->root);
	view_add(v, BOOT_MOUNT_TMPFS, NULL, "/tmp", false)->mode = 01777;
	if (!o->root)
		add_system(v);
	/* whoever runs inside owns it: the ids inside are not always root's */
	home = view_add(v, BOOT_MOUNT_TMPFS, NULL, env_home(o), false);
	home->mode = 01777;
	home->layer = true;
	home->if_missing = o->root;
	view_add(v, BOOT_MOUNT_PROC, NULL, "/proc", false);
	view_add(v, BOOT_MOUNT_SYS, NULL, "/sys", true);
	movable = v->nr;
	add_cwd(v, o);
	for (size_t i = 0; i < o->nr_binds; i++) {
		char *full = realpath(o->binds[i].src, NULL);

		if (!full)
			die("--bind %s: %s", o->binds[i].src, strerror(errno));
		add_host(v, full, o->binds[i].dst ? o->binds[i].dst : *o->binds[i].src == '/' ? o->binds[i].src : full,
			 o->binds[i].ro, true);
		v->mounts[v->nr - 1].explicit = true;
		v->mounts[v->nr - 1].guard = o->binds[i].ro;
		free(full);
	}
	for (size_t i = 0; i < o->nr_tmpfs; i++) {
		struct view_mount *m = view_add(v, BOOT_MOUNT_TMPFS, NULL, o->tmpfs[i].dst, false);

		m->size = o->tmpfs[i].size;
		m->mode = 01777;
		m->explicit = true;
	}
	sort_mounts(v, movable);
	find_program(v, o);
	if (o->keep)
		keep_open(v, o);
	for (size_t i = 0, n = 0; i < v->nr; i++)
		if (v->mounts[i].fd >= 0)
			v->mounts[i].export = (uint32_t)n++;
	return 0;
}

static void json_member(const char *before, const char *name, const char *value)
{
	printf("%s\"%s\":", before, name);
	json_string(stdout, value);
}

static void print_json(const struct view *v, const struct options *o, const char *const kinds[])
{
	char state[256] = "";

	json_member("{", "program", o->program);
	json_member(",", "cwd", v->cwd);
	printf(",\"mounts\":[");
	for (size_t i = 0; i < v->nr; i++) {
		const struct view_mount *m = &v->mounts[i];

		json_member(i ? ",{" : "{", "dst", m->dst);
		json_member(",", "kind", kinds[m->kind]);
		json_member(",", "source", m->source ? m->source : "");
		printf(",\"ro\":%s}", m->ro ? "true" : "false");
	}
	printf("],\"calls\":[");
	souths_print_calls(true);
	if (o->limits_given)
		(void)cgroup_state(o, state, sizeof(state));
	printf("],\"cgroup\":");
	json_string(stdout, state);
	printf(",\"limits\":{\"mem\":%llu,\"cpus\":%u,\"procs\":%u,\"fds\":%u,\"time\":%llu,\"timeout_ms\":%llu}}\n",
	       (unsigned long long)o->mem, o->cpus, o->procs, o->max_fds, (unsigned long long)o->time,
	       (unsigned long long)o->timeout_ms);
}

static void print_text(const struct view *v, const struct options *o, const char *const kinds[])
{
	printf("program %s\nin %s\n", o->program, v->cwd);
	printf("mounts\n");
	for (size_t i = 0; i < v->nr; i++) {
		const struct view_mount *m = &v->mounts[i];

		printf("  %-28s %s%s%s%s\n", m->dst, kinds[m->kind], m->source ? " " : "", m->source ? m->source : "",
		       m->ro ? " (ro)" : "");
	}
	printf("calls\n");
	souths_print_calls(false);
	printf("limits\n  memory %llu MiB, %u processors, %u tasks, %u files a process\n", (unsigned long long)o->mem >> 20,
	       o->cpus, o->procs, o->max_fds);
	if (o->time)
		printf("  %llu s of processor time a process\n", (unsigned long long)o->time);
	if (o->limits_given) {
		char state[256];

		(void)cgroup_state(o, state, sizeof(state));
		printf("  by a control group too: %s\n", state);
	}
	if (o->timeout_ms)
		printf("  ended after %.3f s\n", (double)o->timeout_ms / 1000);
}

void view_print(const struct view *v, const struct options *o)
{
	static const char *const kinds[] = {
		[BOOT_MOUNT_HOST] = "host", [BOOT_MOUNT_OVERLAY] = "host, changes in memory", [BOOT_MOUNT_TMPFS] = "memory",
		[BOOT_MOUNT_TAR] = "tar image, changes in memory", [BOOT_MOUNT_HOST_FILE] = "host file", [BOOT_MOUNT_PROC] = "proc",
		[BOOT_MOUNT_SYS] = "sys", [BOOT_MOUNT_DEV] = "dev", [BOOT_MOUNT_SYMLINK] = "link",
		[BOOT_MOUNT_KEEP] = "changes are kept in",
	};

	if (o->json)
		print_json(v, o, kinds);
	else
		print_text(v, o, kinds);
}
