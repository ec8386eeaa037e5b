// SPDX-License-Identifier: MIT
/*
 * What the program sees of the host: by default a read-only system, and the current directory unless that would show a home. Only
 * what is listed here is opened, and nothing else can be: each line becomes one export of the file server.
 */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
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
	"python3", "python3.11", "perl", "vim", "gitconfig", "java-17-openjdk", "fonts", "manpath.config", "login.defs",
};
static const char *const usr_links[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };

static struct view_mount *add(struct view *v, enum boot_mount_kind kind, const char *source, const char *dst, bool ro)
{
	struct view_mount *m;

	v->mounts = realloc(v->mounts, (v->nr + 1) * sizeof(*v->mounts));
	if (!v->mounts)
		die("out of memory");
	m = &v->mounts[v->nr++];
	*m = (struct view_mount){ .kind = kind, .ro = ro, .fd = -1, .dst = xstrdup(dst) };
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
	m = add(v, S_ISDIR(st.st_mode) ? BOOT_MOUNT_HOST : BOOT_MOUNT_HOST_FILE, source, dst, ro);
	m->fd = fd;
	return true;
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
			add(v, BOOT_MOUNT_SYMLINK, target, path, false);
		} else {
			add_host(v, path, path, true, false);
		}
	}
	for (size_t i = 0; i < sizeof(etc_parts) / sizeof(*etc_parts); i++) {
		snprintf(path, sizeof(path), "/etc/%s", etc_parts[i]);
		/* through a symlink too: what counts is the name inside */
		add_host(v, path, path, true, false);
	}
	add_host(v, "/var/lib/dpkg/status", "/var/lib/dpkg/status", true, false);
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n] || n == 1);
}

/* Showing @cwd would show a home directory, or everything. */
static bool cwd_is_private(const char *cwd)
{
	struct passwd *pw;
	const char *home = getenv("HOME");
	bool private = !strcmp(cwd, "/");

	if (home && *home == '/' && below(home, cwd))
		private = true;
	setpwent();
	while (!private && (pw = getpwent()))
		/* "/" and the like are the homes of daemons */
		if (pw->pw_dir && strlen(pw->pw_dir) > 1 && below(pw->pw_dir, cwd) &&
		    (!strncmp(pw->pw_dir, "/home", 5) || !strncmp(pw->pw_dir, "/root", 5)))
			private = true;
	endpwent();
	if (!strcmp(cwd, "/home") || !strcmp(cwd, "/root"))
		private = true;
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
	if (!getcwd(cwd, sizeof(cwd)))
		return;
	if (cwd_is_private(cwd)) {
		if (!o->chdir)
			message("%s is not shown inside, since it is or contains a home directory; --bind %s shows it", cwd, cwd);
		return;
	}
	if (!shown(v, cwd)) {
		struct view_mount *m;

		add_host(v, cwd, cwd, true, true);
		m = &v->mounts[v->nr - 1];
		m->kind = BOOT_MOUNT_OVERLAY;
	}
	if (!o->chdir) {
		free(v->cwd);
		v->cwd = xstrdup(cwd);
	}
}

/* Where PROGRAM lies inside; one outside of what is shown is granted by itself. */
static void find_program(struct view *v, struct options *o)
{
	const char *name = o->argc ? o->argv[0] : "sh";
	static const char *const dirs[] = { "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin" };
	char *full;

	if (!strchr(name, '/')) {
		for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
			o->program = xasprintf("%s%s/%s", o->root ? o->root : "", dirs[i], name);
			if (!access(o->program, X_OK)) {
				if (o->root) {
					free(o->program);
					o->program = xasprintf("%s/%s", dirs[i], name);
				}
				return;
			}
			free(o->program);
		}
		message("%s: not found in %s", name, "/usr/local/bin, /usr/bin, /bin, …: give its path");
		exit(127);
	}
	if (o->root || access(name, F_OK)) {
		o->program = xstrdup(name);
		return;
	}
	full = realpath(name, NULL);
	if (!full)
		die("%s: %s", name, strerror(errno));
	/* as it was named when that is seen inside, so that argv[0] and links behave; else what it leads to */
	if (name[0] == '/' && shown(v, name)) {
		o->program = xstrdup(name);
		free(full);
		return;
	}
	if (!shown(v, full))
		add_host(v, full, full, true, true);
	o->program = full;
}

int view_build(struct view *v, struct options *o)
{
	if (o->root)
		add_host(v, o->root, "/", true, true);
	add(v, BOOT_MOUNT_TMPFS, NULL, "/tmp", false)->mode = 01777;
	if (!o->root)
		add_system(v);
	add(v, BOOT_MOUNT_PROC, NULL, "/proc", false);
	add(v, BOOT_MOUNT_SYS, NULL, "/sys", true);
	add_cwd(v, o);
	for (size_t i = 0; i < o->nr_binds; i++) {
		char *full = realpath(o->binds[i].src, NULL);

		if (!full)
			die("--bind %s: %s", o->binds[i].src, strerror(errno));
		add_host(v, full, o->binds[i].dst ? o->binds[i].dst : full, o->binds[i].ro, true);
		free(full);
	}
	for (size_t i = 0; i < o->nr_tmpfs; i++)
		add(v, BOOT_MOUNT_TMPFS, NULL, o->tmpfs[i].dst, false)->size = o->tmpfs[i].size;
	find_program(v, o);
	for (size_t i = 0, n = 0; i < v->nr; i++)
		if (v->mounts[i].fd >= 0)
			v->mounts[i].export = (uint32_t)n++;
	return 0;
}

void view_print(const struct view *v, const struct options *o)
{
	static const char *const kinds[] = {
		[BOOT_MOUNT_HOST] = "host", [BOOT_MOUNT_OVERLAY] = "host, changes in memory", [BOOT_MOUNT_TMPFS] = "memory",
		[BOOT_MOUNT_TAR] = "tar", [BOOT_MOUNT_HOST_FILE] = "host file", [BOOT_MOUNT_PROC] = "proc",
		[BOOT_MOUNT_SYS] = "sys", [BOOT_MOUNT_DEV] = "dev", [BOOT_MOUNT_SYMLINK] = "link",
	};

	if (o->json)
		printf("{\"program\":\"%s\",\"cwd\":\"%s\",\"mounts\":[", o->program, v->cwd);
	else
		printf("program %s\nin %s\n", o->program, v->cwd);
	for (size_t i = 0; i < v->nr; i++) {
		const struct view_mount *m = &v->mounts[i];

		if (o->json)
			printf("%s{\"dst\":\"%s\",\"kind\":\"%s\",\"source\":\"%s\",\"ro\":%s}", i ? "," : "", m->dst, kinds[m->kind],
			       m->source ? m->source : "", m->ro ? "true" : "false");
		else
			printf("%-28s %s%s%s%s\n", m->dst, kinds[m->kind], m->source ? " " : "", m->source ? m->source : "",
			       m->ro ? " (ro)" : "");
	}
	if (o->json)
		printf("],\"mem\":%llu,\"cpus\":%u,\"procs\":%u,\"fds\":%u}\n", (unsigned long long)o->mem, o->cpus, o->procs,
		       o->max_fds);
	else
		printf("memory %llu MiB, %u processors, %u tasks, %u files a process\n", (unsigned long long)o->mem >> 20,
		       o->cpus, o->procs, o->max_fds);
}
