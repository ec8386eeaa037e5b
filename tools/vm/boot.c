// SPDX-License-Identifier: MIT
/*
 * From the initramfs to the root that commands see: the host's files through
 * 9P, read-only, under a writable layer in memory that ends with the machine.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tools/vm/vm.h"

/* The largest message that virtio-9p takes: 128 pages less one for the header. */
#define P9_OPTIONS "trans=virtio,version=9p2000.L,msize=512000,access=any"
#define PORT_WAIT_MS 20000

static void must_mount(const char *what, const char *where, const char *type,
		       unsigned long flags, const char *options)
{
	if (mount(what, where, type, flags, options))
		fail("cannot mount %s (%s) on %s", what, type, where);
}

/* For what a kernel given with --kernel may lack. */
static void may_mount(const char *type, const char *where, const char *options)
{
	mkdir(where, 0755);
	if (mount(type, where, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, options) &&
	    errno != ENODEV && errno != ENOENT)
		fprintf(stderr, "lbx-vm: no %s on %s: %s\n", type, where, strerror(errno));
}

static void write_file(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "lbx-vm: %s: %s\n", path, strerror(errno));
	close(fd);
}

/* A port appears once the host's and the guest's drivers have shaken hands. */
static int open_port(int nr, int *left_ms)
{
	const struct timespec ms = { .tv_nsec = 1000 * 1000 };
	struct pollfd pfd = { .events = POLLIN | POLLOUT };
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/vport0p%d", nr + 1);
	while ((fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0) {
		if ((*left_ms)-- <= 0)
			fail("no %s", path);
		nanosleep(&ms, NULL);
	}
	pfd.fd = fd;
	while (poll(&pfd, 1, 0) < 0 || (pfd.revents & POLLHUP)) {
		if ((*left_ms)-- <= 0)
			fail("%s: the host has not connected", path);
		nanosleep(&ms, NULL);
	}
	return fd;
}

void boot_ports(int ports[PORT_COUNT])
{
	int left_ms = PORT_WAIT_MS;

	mkdir("/dev", 0755);
	must_mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
	for (int i = 0; i < PORT_COUNT; i++)
		ports[i] = open_port(i, &left_ms);
}

void boot_modules(const struct conf *conf)
{
	const char *path = NULL;

	while ((path = conf_next(conf, "load", path))) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			fail("cannot load the module %s", path);
		close(fd);
		unlink(path);
	}
}

/* What is shared for writing is not cached, so that the host sees it at once. */
static void mount_shared(const struct conf *conf)
{
	const char *path = NULL;
	char tag[16];
	int nr = 0;

	while ((path = conf_next(conf, "rw", path))) {
		snprintf(tag, sizeof(tag), "rw%d", nr++);
		must_mount(tag, path, "9p", MS_NOSUID | MS_NODEV, P9_OPTIONS ",cache=mmap");
	}
}

void boot_sync(const struct conf *conf)
{
	const char *path = NULL;

	while ((path = conf_next(conf, "rw", path))) {
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (syncfs(fd))
			fprintf(stderr, "lbx-vm: %s: %s\n", path, strerror(errno));
		close(fd);
	}
}

static void make_root(void)
{
	mkdir("/host", 0755);
	mkdir("/rw", 0755);
	mkdir("/new", 0755);
	/* No attributes beyond Linux's basic ones: each would be a message. */
	must_mount("root", "/host", "9p", MS_RDONLY, P9_OPTIONS ",cache=loose,noxattr");
	must_mount("rw", "/rw", "tmpfs", 0, "mode=0755,size=80%,nr_inodes=0");
	mkdir("/rw/upper", 0755);
	mkdir("/rw/work", 0755);
	must_mount("root", "/new", "overlay", 0,
		   "lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work,index=off,"
		   "redirect_dir=off,metacopy=off,xino=off,volatile");
}

static void enter_root(void)
{
	if (chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		fail("cannot enter the new root");
}

static void mount_kernel_files(void)
{
	must_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	must_mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	must_mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
	must_mount("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
	mkdir("/run/lock", 01777);
	mkdir("/dev/pts", 0755);
	mkdir("/dev/shm", 01777);
	must_mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "gid=5,mode=620,ptmxmode=666");
	must_mount("shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	may_mount("mqueue", "/dev/mqueue", NULL);
	may_mount("cgroup2", "/sys/fs/cgroup", NULL);
	may_mount("bpf", "/sys/fs/bpf", "mode=0700");
	may_mount("securityfs", "/sys/kernel/security", NULL);
	may_mount("debugfs", "/sys/kernel/debug", "mode=0700");
	may_mount("tracefs", "/sys/kernel/tracing", "mode=0700");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", 0, "+cpu +memory +pids +io");
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") || symlink("/proc/self/fd/2", "/dev/stderr"))
		fail("cannot make /dev/fd");
}

/* The host's /lib/modules has another kernel's, if any. */
static void show_modules(const struct conf *conf)
{
	char path[256];

	if (!conf->modules || !conf->release)
		return;
	snprintf(path, sizeof(path), "/lib/modules/%s", conf->release);
	mkdir("/lib/modules", 0755);
	mkdir(path, 0755);
	if (mount(conf->modules, path, NULL, MS_BIND, NULL))
		fprintf(stderr, "lbx-vm: no modules: cannot show %s as %s: %s\n",
			conf->modules, path, strerror(errno));
}

static void start_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		fprintf(stderr, "lbx-vm: no loopback: %s\n", strerror(errno));
	close(fd);
}

void boot_root(const struct conf *conf)
{
	static const char name[] = "lbx-vm";
	/* As a login on Debian has them. */
	const struct rlimit files = { .rlim_cur = 1024, .rlim_max = 1 << 20 };

	make_root();
	enter_root();
	mount_kernel_files();
	mount_shared(conf);
	show_modules(conf);
	start_loopback();
	if (sethostname(name, sizeof(name) - 1) || setrlimit(RLIMIT_NOFILE, &files))
		fprintf(stderr, "lbx-vm: %s\n", strerror(errno));
	write_file("/etc/hosts", O_CREAT | O_APPEND, "127.0.1.1\tlbx-vm\n");
	write_file("/proc/self/oom_score_adj", 0, "-1000");
}
