// SPDX-License-Identifier: MIT
/*
 * A program that attacks from inside of a sandbox: it does what a taken-over library kernel could, since hosted it shares an address
 * space with it. Static, so that it is one file.
 *
 *	enemy GATE ATTACK [ARGUMENT]
 *
 * GATE is the address of gate_call() in lbx-host (nm). What an attack does to its own sandbox is its own affair; the test looks at
 * what happens outside, and that the sandbox comes to an end.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef long (*gate_fn)(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
static gate_fn gate;
static uint64_t seed = 88172645463325252ull;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static const char outside_path[] = "/tmp/lbx-enemy-was-here";

/* Every number with words that would do harm if they came through; those that merely end us are left for "end". */
static void attack_calls(const char *victim)
{
	static char text[] = "harm";
	struct iovec iov = { text, sizeof(text) };
	uint64_t pid = strtoull(victim, NULL, 10);
	const uint64_t sets[][6] = {
		{ 0, 0, 0, 0, 0, 0 }, { pid, SIGKILL, SIGKILL, 0, 0, 0 }, { pid, pid, SIGKILL, 0, 0, 0 },
		{ (uint64_t)outside_path, O_RDWR | O_CREAT, 0666, 0, 0, 0 },
		{ (uint64_t)AT_FDCWD, (uint64_t)outside_path, O_RDWR | O_CREAT, 0666, 0, 0 },
		{ pid, (uint64_t)&iov, 1, (uint64_t)&iov, 1, 0 }, { (uint64_t)-1, SIGKILL, 0, 0, 0, 0 },
		{ ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul },
	};

	for (uint64_t nr = 0; nr < 600; nr++) {
		/*
		 * exit, exit_group, sigreturn; those that block for ever: futex, recvmsg, restart_syscall; uretprobe and uprobe, which
		 * no filter sees and which are SIGILL for all but the trampoline of a probe
		 */
		if (nr == 335 || nr == 336 || nr == 60 || nr == 231 || nr == 15 || nr == 202 || nr == 47 || nr == 219 || nr == 56 || nr == 11 || nr == 0 || nr == 327)
			continue;
		for (size_t k = 0; k < sizeof(sets) / sizeof(*sets); k++) {
			const uint64_t *a = sets[k];

			if (nr == 62 && (uint32_t)a[0] == 0)
				continue;
			gate(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
			gate(nr | 0x40000000, a[0], a[1], a[2], a[3], a[4], a[5]);
		}
	}
	puts("tried all");
	fflush(stdout);
	_exit(0);
}

static int __attribute__((noinline)) int80(int nr, uint64_t a, uint64_t b, uint64_t c)
{
	int ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* 32-bit numbers, among them open (5), kill (37), unlink (10): whatever they do, it is not to us that they do it */
static void attack_int80(const char *victim)
{
	static char *low;
	uint64_t pid = strtoull(victim, NULL, 10);

	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low != MAP_FAILED)
		strcpy(low, outside_path);
	int80(37, pid, SIGKILL, 0);
	int80(5, (uint64_t)low, O_RDWR | O_CREAT, 0666);
	int80(8, (uint64_t)low, 0666, 0);
	_exit(0);
}

/* Random words over the library kernel's memory: RAM, and image data. Never comes to an end by itself. */
static void attack_scribble(void)
{
	volatile uint64_t *ram = (volatile uint64_t *)0x608000000000ul;

	for (uint64_t i = 0; ; i++)
		ram[rnd() % ((32ul << 20) / 8)] = rnd() % 3 ? rnd() : 0;
}

static void attack_scribble_slots(void)
{
	volatile uint64_t *slots = (volatile uint64_t *)0x602000000000ul;

	for (uint64_t i = 0; i < 10000000; i++)
		slots[rnd() % ((4096ul << 15) / 8)] = rnd();
	_exit(0);
}

/* Bytes that are no 9P, and some that are but say nonsense, to every descriptor; then to those that may be closed. */
static void attack_handles(void)
{
	static unsigned char buf[65536];
	struct iovec iov = { buf, 0 };

	for (int round = 0; round < 200; round++) {
		for (uint64_t fd = 6; fd < 80; fd++) {
			size_t len = rnd() % 3 ? rnd() % 64 : rnd() % sizeof(buf);

			for (size_t i = 0; i < len; i++)
				buf[i] = (unsigned char)rnd();
			if (rnd() % 2 && len >= 7) {
				uint32_t size = (uint32_t)len;

				memcpy(buf, &size, 4);
				buf[4] = (unsigned char)(rnd() % 2 ? 100 + rnd() % 27 : rnd());
			}
			iov.iov_len = len;
			/* standard streams lie among them, which is why the test reads them as bytes only */
			if (fd > 8)
				gate(SYS_pwritev2, fd, (uint64_t)&iov, 1, ~0ul, 0, 0);
		}
	}
	for (uint64_t fd = 0; fd < 100000; fd++)
		gate(SYS_close, fd, 0, 0, 0, 0, 0);
	_exit(0);
}

static struct rseq *volatile areas[6];

static void *rseq_thread(void *arg)
{
	char byte[64];
	int p[2];

	areas[(uintptr_t)arg] = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	if (pipe(p))
		return NULL;
	for (;;)
		if (write(p[1], byte, sizeof(byte)) != sizeof(byte) || read(p[0], byte, sizeof(byte)) < 0)
			return NULL;
}

/*
 * What the host's kernel looks at whenever it takes a thread's processor away, broken while the threads are in the library kernel: the
 * host answers with signals that cannot be handled well. One process after the other; the last ends the sandbox if none has before.
 */
static void attack_rseq(void)
{
	for (int round = 0; round < 60; round++) {
		pid_t child = fork();
		pthread_t t;

		if (child > 0) {
			waitpid(child, NULL, 0);
			continue;
		}
		if (child < 0)
			_exit(1);
		alarm(5);
		for (uintptr_t i = 0; i < 6; i++)
			if (pthread_create(&t, NULL, rseq_thread, (void *)i))
				_exit(1);
		usleep(3000);
		for (;;) {
			struct rseq *area = areas[rnd() % 6];

			if (!area)
				continue;
			if (round % 3)
				area->rseq_cs = round % 3 == 1 ? 8 : rnd();
			else
				munmap((void *)((uintptr_t)area & ~0xffful), 4096);
			sched_yield();
		}
	}
	_exit(0);
}

/* Host processes and threads without end, as many as there may be: all of them have to be found. */
static void attack_fork(void)
{
	for (int i = 0; i < 300; i++) {
		/* a process with a stack of its own copy of ours: it goes on behind the call, like us */
		long ret = gate(SYS_clone, 0x8000ul | 0x400 | 0x100000, 0, 0, 0, 0, 0);

		if (ret <= 0)
			break;
	}
	for (;;)
		__asm__ volatile("pause");
}

static void attack_unmap(void)
{
	gate(SYS_munmap, 0x10000, 0xffffffff000ul, 0, 0, 0, 0);
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "", *arg = argc > 3 ? argv[3] : "1";

	if (argc < 3)
		return 2;
	gate = (gate_fn)strtoull(argv[1], NULL, 16);
	setvbuf(stdout, NULL, _IONBF, 0);
	puts("begin");
	if (!strcmp(what, "calls"))
		attack_calls(arg);
	if (!strcmp(what, "int80"))
		attack_int80(arg);
	if (!strcmp(what, "scribble"))
		attack_scribble();
	if (!strcmp(what, "slots"))
		attack_scribble_slots();
	if (!strcmp(what, "handles"))
		attack_handles();
	if (!strcmp(what, "rseq"))
		attack_rseq();
	if (!strcmp(what, "fork"))
		attack_fork();
	if (!strcmp(what, "unmap"))
		attack_unmap();
	if (!strcmp(what, "killgroup"))
		gate(SYS_kill, 0, SIGKILL, 0, 0, 0, 0);
	if (!strcmp(what, "exit"))
		gate(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	if (!strcmp(what, "sigreturn"))
		gate(SYS_rt_sigreturn, 0, 0, 0, 0, 0, 0);
	if (!strcmp(what, "gate"))
		((void (*)(void))((uint64_t)gate + strtoull(arg, NULL, 0)))();
	return 3;
}
