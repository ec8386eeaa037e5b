// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Threads and processes of a sandbox: started, woken, interrupted, limited, killed. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "selftests/uapi/tap.h"

#define THREAD_WORD	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID)
#define PROCESS_WORD	(CLONE_PARENT | CLONE_FILES | CLONE_PARENT_SETTID)

/* Stacks and per-cpu areas of new members, in RAM; number 0 is the first member's. */
#define STACK(n)	(BOX_RAM + 0x40000 + ((uint64_t)(n) + 1) * 0x4000)
#define AREA(n)		(BOX_RAM + 0x80000 + (uint64_t)(n) * 64)

static long ready(uint32_t flags, void (*entry)(uint64_t), int n, uint64_t arg)
{
	/* the entry has to lie in the kernel window: a jump there to the test's own code */
	static const uint8_t jump[] = { 0x48, 0x8b, 0x07, 0xff, 0xd0 };	/* mov (%rdi),%rax; call *%rax */
	struct { uint64_t entry, arg; } *slot = (void *)(BOX_RAM + 0x90000 + (uint64_t)n * 16);
	uint8_t *code = (uint8_t *)(BOX_GATE + LBX_GATE_SIZE + 0x800);

	for (unsigned int i = 0; i < sizeof(jump); i++)
		code[i] = jump[i];
	slot->entry = (uint64_t)entry;
	slot->arg = arg;
	return SOUTH(cpu, cpu, .flags = flags, .entry = (uint64_t)code, .stack = STACK(n) - 64, .arg = (uint64_t)slot, .tls = AREA(n));
}

static long clone_it(uint32_t flags, int n)
{
	return gate(SYS_clone, flags == LBX_CPU_THREAD ? THREAD_WORD : PROCESS_WORD, 0, (long)(BOX_RAM + 0xa0000 + 4 * n), 0, 0);
}

static uint64_t gs_base(void)
{
	uint64_t base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

static struct box_ram *const ram_at = (struct box_ram *)BOX_RAM;

static void wake(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	SOUTH(kick, kick, .mode = LBX_KICK_WAKE, .cpu = LBX_CPU_NONE, .word = (uint64_t)word, .count = 1);
}

static void await(uint32_t *word, uint32_t value)
{
	uint32_t now;

	while ((now = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != value)
		SOUTH(wait, wait, .deadline = LBX_DEADLINE_NEVER, .handle = LBX_HANDLE_NONE, .word = (uint64_t)word, .value = now);
}

static void sleep_for_ever(void)
{
	for (;;)
		SOUTH(wait, wait, .deadline = LBX_DEADLINE_NEVER, .handle = LBX_HANDLE_NONE);
}

static void thread(uint64_t slot)
{
	struct box_ram *ram = ram_at;
	uint64_t sp;

	__asm__ volatile("movq %%rsp, %0" : "=r"(sp));
	ram->result[0] = sp > STACK(1) - 0x1000 && sp <= STACK(1);
	ram->result[1] = gs_base() == AREA(1);
	ram->result[2] = ((uint64_t *)slot)[1] == 4711;
	ram->result[3] = raw_syscall(SYS_getpid, 0, 0, 0) == 0x1000 + SYS_getpid;
	ram->result[4] = gate(SYS_getpid, 0, 0, 0, 0, 0) == -EPERM;
	*(volatile int *)BOX_OWN = 5;
	wake(&ram->words[0], 1);
	sleep_for_ever();
}

static int one_thread(struct box_ram *ram)
{
	ram->result[8] = ready(LBX_CPU_THREAD, thread, 1, 4711);
	ram->result[9] = clone_it(LBX_CPU_COPY, 1);
	ram->result[10] = clone_it(LBX_CPU_THREAD, 1);
	await(&ram->words[0], 1);
	ram->result[11] = *(volatile int *)BOX_OWN;
	ram->result[12] = clone_it(LBX_CPU_THREAD, 1);	/* cpu() counts once */
	return 0;
}

static void process(uint64_t slot)
{
	struct box_ram *ram = ram_at;

	(void)slot;
	ram->result[0] = *(volatile int *)BOX_OWN;
	*(volatile int *)BOX_OWN = 6;
	ram->result[1] = gs_base() == AREA(2);
	ram->result[2] = raw_syscall(SYS_fork, 0, 0, 0) == 0x1000 + SYS_fork;
	wake(&ram->words[0], 1);
	await(&ram->words[1], 1);
	ram->result[3] = 1;
	wake(&ram->words[0], 2);
	gate(SYS_exit_group, 0, 0, 0, 0, 0);
}

static int one_process(struct box_ram *ram)
{
	*(volatile int *)BOX_OWN = 5;
	ram->result[8] = ready(LBX_CPU_COPY, process, 2, 0);
	ram->result[9] = clone_it(LBX_CPU_COPY, 2);
	await(&ram->words[0], 1);
	ram->result[10] = *(volatile int *)BOX_OWN;
	wake(&ram->words[1], 1);
	await(&ram->words[0], 2);
	return 0;
}

/* A word outside of the shared memory is each process's own, at the same address. */
static void private_sleeper(uint64_t slot)
{
	(void)slot;
	wake(&ram_at->words[0], 1);
	ram_at->result[1] = SOUTH(wait, wait, .deadline = now_is(1) + 300000000ull, .handle = LBX_HANDLE_NONE,
				  .word = BOX_OWN + 64, .value = 0);
	wake(&ram_at->words[0], 2);
	gate(SYS_exit_group, 0, 0, 0, 0, 0);
}

static int private_words(struct box_ram *ram)
{
	*(volatile uint32_t *)(BOX_OWN + 64) = 0;
	ready(LBX_CPU_COPY, private_sleeper, 2, 0);
	clone_it(LBX_CPU_COPY, 2);
	await(&ram->words[0], 1);
	for (int i = 0; i < 10; i++) {
		SOUTH(wait, wait, .deadline = now_is(1) + 10000000ull, .handle = LBX_HANDLE_NONE);
		ram->result[0] += SOUTH(kick, kick, .mode = LBX_KICK_WAKE, .cpu = LBX_CPU_NONE, .word = BOX_OWN + 64, .count = 100);
	}
	await(&ram->words[0], 2);
	return 0;
}

static void on_kick(int sig)
{
	(void)sig;
	ram_at->words[5]++;
}

/* rt_sigreturn by the gate, with rsp as the handler left it */
static __attribute__((naked)) void restorer(void)
{
	__asm__("movl $15, %edi\n\tmovabsq $0x600010000000, %rax\n\tjmp *%rax");
}
_Static_assert(BOX_GATE == 0x600010000000, "restorer() knows it");

static void sleeper(uint64_t slot)
{
	(void)slot;
	wake(&ram_at->words[0], 1);
	ram_at->result[0] = SOUTH(wait, wait, .deadline = LBX_DEADLINE_NEVER, .handle = LBX_HANDLE_NONE);
	wake(&ram_at->words[0], 2);
	sleep_for_ever();
}

static int interrupts(struct box_ram *ram)
{
	long nr = ready(LBX_CPU_THREAD, sleeper, 1, 0);

	clone_it(LBX_CPU_THREAD, 1);
	await(&ram->words[0], 1);
	SOUTH(wait, wait, .deadline = now_is(1) + 20000000ull, .handle = LBX_HANDLE_NONE);
	ram->result[1] = SOUTH(kick, kick, .mode = LBX_KICK_INTERRUPT, .cpu = (uint32_t)nr);
	await(&ram->words[0], 2);
	ram->result[2] = ram->words[5];
	return 0;
}

static void set_handler(struct box *b)
{
	/* the kernel's own record: libc's restorer would come up */
	struct { void (*handler)(int); unsigned long flags; void (*restorer)(void); unsigned long mask; } sa = {
		on_kick, 0x04000000, restorer, 0,
	};

	(void)b;
	syscall(SYS_rt_sigaction, SIGUSR1, &sa, NULL, 8);
}

static int limits(struct box_ram *ram)
{
	long n = 0, copies = 0, last;

	/* 16 cpus: this one, and 15 to come */
	while (n < 20 && (last = ready(LBX_CPU_THREAD, (void (*)(uint64_t))sleep_for_ever, (int)n, 0)) >= 0) {
		if (clone_it(LBX_CPU_THREAD, (int)n) < 0)
			break;
		n++;
	}
	ram->result[0] = n;
	ram->result[1] = last;
	ram->result[2] = copies;
	return 0;
}

static int space_limits(struct box_ram *ram)
{
	long n = 0, last;

	while (n < 10 && (last = ready(LBX_CPU_COPY, (void (*)(uint64_t))sleep_for_ever, (int)n, 0)) >= 0) {
		if (clone_it(LBX_CPU_COPY, (int)n) < 0)
			break;
		n++;
	}
	ram->result[0] = n;
	ram->result[1] = last;
	wake(&ram->words[0], 1);
	sleep_for_ever();
	return 0;
}

static int never_cloned(struct box_ram *ram)
{
	for (int i = 0; i < 100; i++)
		ram->result[0] = ready(i & 1 ? LBX_CPU_COPY : LBX_CPU_THREAD, thread, 1, 0);
	return 0;
}

int main(void)
{
	struct lbx_info_raw info;
	struct box b;
	int st;

	tap_ok(box_do(&b, one_thread) == 0, "a thread");
	tap_ok(b.ram->result[0] && b.ram->result[2], "begins on its stack, with its argument");
	tap_ok(b.ram->result[1], "with its area");
	tap_ok(b.ram->result[3], "in the sandbox");
	tap_ok(b.ram->result[4], "and its rules");
	tap_ok(b.ram->result[8] == 1, "its number was told before");
	tap_ok(b.ram->result[9] == -EPERM, "a clone of the other kind is refused");
	tap_ok(b.ram->result[10] > 0 && b.ram->result[11] == 5, "it shares the memory");
	tap_ok(b.ram->result[12] == -EPERM, "what cpu() made ready is good for one clone");
	box_end(&b);

	tap_ok(box_do(&b, one_process) == 0, "a process");
	tap_ok(b.ram->result[0] == 5 && b.ram->result[10] == 5, "has a copy of the memory");
	tap_ok(b.ram->result[1] && b.ram->result[2], "its area, and is in the sandbox");
	tap_ok(b.ram->result[3] == 1, "wakes and is woken across");
	box_info(&b, &info);
	tap_ok(info.cpus == 0 && info.spaces == 0, "and is gone");
	while (waitpid(-1, NULL, 0) > 0)
		;
	box_end(&b);

	tap_ok(box_do(&b, private_words) == 0 && b.ram->result[0] == 0 && b.ram->result[1] == LBX_WOKEN_DEADLINE,
	       "a word of one's own is woken by nobody else");
	box_end(&b);
	while (waitpid(-1, NULL, 0) > 0)
		;

	box_make(&b, NULL);
	box_run(&b, interrupts, set_handler);
	tap_ok(box_wait(&b) == 0 && b.ram->result[0] == LBX_WOKEN_INTERRUPT && b.ram->result[1] == 0, "a kick interrupts a wait");
	tap_ok(b.ram->result[2] == 1, "by the handler that was set before");
	box_end(&b);

	st = box_do(&b, limits);
	tap_ok(st == 0 && b.ram->result[0] == 15 && b.ram->result[1] == -EAGAIN, "the limit of cpus: %ld started",
	       b.ram->result[0]);
	box_end(&b);

	box_make(&b, NULL);
	box_run(&b, space_limits, NULL);
	while (!*(volatile uint32_t *)&b.ram->words[0])
		usleep(1000);
	tap_ok(b.ram->result[0] == 3 && b.ram->result[1] == -EAGAIN, "the limit of address spaces: %ld started", b.ram->result[0]);
	box_info(&b, &info);
	tap_ok(info.cpus == 4 && info.spaces == 4, "four are there");
	tap_ok(box_call(b.fd, LBX_DEVICE_end, &(struct lbx_end_raw){ 0 }, sizeof(struct lbx_end_raw)) == 4, "end kills four");
	while (waitpid(-1, NULL, 0) > 0)
		;
	box_info(&b, &info);
	tap_ok(info.cpus == 0 && info.spaces == 0, "all are gone");
	box_end(&b);

	tap_ok(box_do(&b, never_cloned) == 0 && b.ram->result[0] >= 1, "what was made ready and not used goes away");
	box_end(&b);
	return tap_end();
}
