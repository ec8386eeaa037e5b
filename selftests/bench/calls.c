// SPDX-License-Identifier: MIT
/*
 * Calls that need nobody else: what a system call costs. They are made as libc makes them, but for those that libc would answer
 * itself. Files are in memory: a memfd, and a name in /dev/shm, which is a file system in memory everywhere.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IO_SIZE		4096
#define IO_SPAN		(64 * IO_SIZE)	/* of the file that is read and written: fits the cache */
#define MAP_SIZE	(64 << 10)

static char buf[IO_SIZE] __attribute__((aligned(4096)));
static char shm_path[64];
static int fd, pipe_fd[2];
static unsigned word;

static void close_fd(void)
{
	close(fd);
}

static void run_getpid(unsigned long n)
{
	while (n--)
		getpid();
}

static void open_zero(void)
{
	fd = open("/dev/zero", O_RDONLY);
	need(fd >= 0, "open /dev/zero");
}

static void run_read_zero(unsigned long n)
{
	while (n--)
		need(read(fd, buf, 1) == 1, "read /dev/zero");
}

static void open_memory(void)
{
	fd = memfd_create("bench", 0);
	need(fd >= 0, "memfd_create");
	for (off_t at = 0; at < IO_SPAN; at += IO_SIZE)
		need(pwrite(fd, buf, IO_SIZE, at) == IO_SIZE, "pwrite");
}

static void run_pread(unsigned long n)
{
	while (n--)
		need(pread(fd, buf, IO_SIZE, (off_t)(n * IO_SIZE % IO_SPAN)) == IO_SIZE, "pread");
}

static void run_pwrite(unsigned long n)
{
	while (n--)
		need(pwrite(fd, buf, IO_SIZE, (off_t)(n * IO_SIZE % IO_SPAN)) == IO_SIZE, "pwrite");
}

static void make_name(void)
{
	snprintf(shm_path, sizeof(shm_path), "/dev/shm/bench-%d", (int)getpid());
	fd = open(shm_path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	need(fd >= 0, "file in /dev/shm");
	close(fd);
}

static void remove_name(void)
{
	unlink(shm_path);
}

static void run_stat(unsigned long n)
{
	struct stat st;

	while (n--)
		need(!stat(shm_path, &st), "stat");
}

static void run_open_close(unsigned long n)
{
	while (n--) {
		int f = open(shm_path, O_RDONLY);

		need(f >= 0 && !close(f), "open and close");
	}
}

static void run_stat_host(unsigned long n)
{
	struct stat st;

	while (n--)
		need(!stat(true_path, &st), "stat");
}

static void open_pipe(void)
{
	need(!pipe(pipe_fd), "pipe");
}

static void close_pipe(void)
{
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void run_pipe(unsigned long n)
{
	while (n--)
		need(write(pipe_fd[1], buf, 1) == 1 && read(pipe_fd[0], buf, 1) == 1, "pipe");
}

static void run_futex_wake(unsigned long n)
{
	while (n--)
		need(!syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), "futex");
}

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught += sig == SIGUSR1;
}

static void catch(void)
{
	signal(SIGUSR1, on_signal);
}

static void run_signal(unsigned long n)
{
	sig_atomic_t before = caught;

	for (unsigned long i = 0; i < n; i++)
		raise(SIGUSR1);
	need(caught - before == (sig_atomic_t)n, "signals");
}

static void run_map(unsigned long n)
{
	while (n--) {
		volatile char *p = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		need(p != MAP_FAILED, "mmap");
		for (size_t at = 0; at < MAP_SIZE; at += 4096)
			p[at] = 1;
		munmap((void *)p, MAP_SIZE);
	}
}

const struct item call_items[] = {
	{ "getpid", NULL, run_getpid, NULL },
	{ "read 1 byte of /dev/zero", open_zero, run_read_zero, close_fd },
	{ "pread 4 KiB, file in memory", open_memory, run_pread, close_fd },
	{ "pwrite 4 KiB, file in memory", open_memory, run_pwrite, close_fd },
	{ "stat, file in memory", make_name, run_stat, remove_name },
	{ "open+close, file in memory", make_name, run_open_close, remove_name },
	{ "stat, file of the host", NULL, run_stat_host, NULL },
	{ "pipe write+read", open_pipe, run_pipe, close_pipe },
	{ "futex wake, nobody waits", NULL, run_futex_wake, NULL },
	{ "signal to self", catch, run_signal, NULL },
	{ "mmap+touch+munmap 64 KiB", NULL, run_map, NULL },
	{ 0 },
};
