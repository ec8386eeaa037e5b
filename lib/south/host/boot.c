// SPDX-License-Identifier: MIT
/*
 * From the host's exec to the sealed sandbox.
 *
 * The broker has made the descriptors (boot_config.h), the session, the limits and the namespaces. Here: data becomes memory
 * that all host processes share, signal dispositions are set for ever, the filter is installed. Until then host calls are made by
 * host_call(), from anywhere; after sealing only the gate works.
 */
#include "south/host/header.h"

#include "base/errno.h"
#include "base/printf.h"
#include "base/random.h"
#include "base/string.h"
#include "boot.h"
#include "mm/page.h"
#include "process/fork.h"
#include "south/host/calls.h"
#include "south/host/host.h"
#include "south/host/vdso.h"
#include "south/hosted/cpu.h"
#include "south/hosted/gate.h"
#include "south/hosted/pager.h"
#include "south/hosted/patch.h"
#include "south/south.h"

struct host_header *host_header;
u64 host_vdso;

extern char image_data[], image_data_end[];

#define AT_HWCAP2		26
#define AT_SYSINFO_EHDR		33
#define HWCAP2_FSGSBASE		2

static long host_call(long nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	register u64 r10 __asm__("r10") = a3;
	register u64 r8 __asm__("r8") = a4;
	register u64 r9 __asm__("r9") = a5;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define NR_mmap			9
#define NR_rt_sigaction		13
#define NR_sigaltstack		131
#define NR_gettid		186
#define NR_prctl		157
#define NR_exit_group		231
#define NR_pwritev2		328
#define NR_fstat		5
#define NR_dup2			33
#define NR_seccomp		317

static void __noreturn fail(const char *what, long err)
{
	char line[160];
	struct iov iov = { (u64)line, 0 };

	iov.len = (u64)scnprintf(line, sizeof(line), "litebox: South host: %s: error %ld\n", what, -err);
	host_call(NR_pwritev2, HOST_FD_LOG, (u64)&iov, 1, SOUTH_STREAM, 0, 0);
	host_call(NR_exit_group, 125, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}

static void *must_map(const char *what, u64 addr, u64 len, u32 prot, u32 flags, u32 fd, u64 off)
{
	long ret = host_call(NR_mmap, addr, len, prot, flags, fd, off);

	if (IS_ERR_VALUE(ret) || (addr && (u64)ret != addr))
		fail(what, ret);
	return (void *)ret;
}

#define MAP_NEW		0x100000u	/* FIXED_NOREPLACE */

/* Data and bss move to shared memory behind RAM: what every host process writes there, every other sees. */
static void share_data(const struct boot_config *config)
{
	u64 len = (u64)(image_data_end - image_data);
	u8 *copy;

	if (len + PAGE_SIZE > HOST_EXTRA)
		fail("image's data", -ENOMEM);
	must_map("RAM", HOSTED_RAM, config->mem + HOST_EXTRA, 3, 0x4001 | MAP_NEW, BOOT_FD_RAM, 0);
	copy = (u8 *)HOSTED_RAM + config->mem + PAGE_SIZE;
	/* only what is not zero, so that pages of bss nobody uses stay untouched */
	for (u64 off = 0; off < len; off += PAGE_SIZE) {
		const u64 *page = (const u64 *)(image_data + off);

		for (u32 i = 0; i < PAGE_SIZE / 8; i++) {
			if (page[i]) {
				memcpy(copy + off, page, PAGE_SIZE);
				break;
			}
		}
	}
	must_map("shared data", (u64)image_data, len, 3, 0x4011, BOOT_FD_RAM, config->mem + PAGE_SIZE);
}

static void set_signals(void)
{
	struct { void (*handler)(int, void *, void *); u64 flags; void (*restorer)(void); u64 mask; } sa = { 0 };
	static const u8 handled[] = { 4, 5, 7, 8, 11, 31, HOST_SIGKICK, HOST_SIGORPHAN };

	sa.restorer = gate_sigreturn;
	/* SA_SIGINFO ONSTACK RESTORER for ours, all others ignored: nobody outside is to end us but by SIGKILL */
	for (u64 sig = 1; sig <= 64; sig++) {
		bool ours = memchr(handled, (int)sig, sizeof(handled));
		long ret;

		if (sig == 9 || sig == 19)
			continue;
		sa.handler = ours ? host_signal_handler : (void (*)(int, void *, void *))1;
		sa.flags = ours ? 0x0c000004 : 0x04000000;
		/* a SIGSEGV that finds itself blocked kills; and the host may find an rseq area broken on its way to any handler */
		sa.mask = sig == 11 ? ~0ull : ~BIT(11 - 1);
		ret = host_call(NR_rt_sigaction, sig, (u64)&sa, 0, 8, 0, 0);
		if (ret)
			fail("rt_sigaction", ret);
	}
}

static void seal(void)
{
	static struct bpf_insn_classic insns[HOST_FILTER_MAX];
	struct { u16 len; struct bpf_insn_classic *insns; } prog = { 0, insns };
	long ret;

	prog.len = (u16)host_filter_build(insns, (u64)gate_start);
	ret = host_call(NR_prctl, 4 /* PR_SET_DUMPABLE */, 0, 0, 0, 0, 0);
	if (!ret)
		ret = host_call(NR_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0, 0);
	if (!ret)
		ret = host_call(NR_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, (u64)&prog, 0, 0, 0);
	if (ret)
		fail("seccomp (is it built into this kernel?)", ret);
	memset(insns, 0, sizeof(insns));
}

/* On the boot task's own kernel stack: everything from here on is ordinary library kernel. */
static void __noreturn boot_main(void *arg)
{
	const struct boot_config *config = arg;

	kernel_boot(config);
	supervisor_run();
}

static void read_auxv(const u64 *sp)
{
	const u64 *p = sp + 1 + sp[0] + 1;
	u32 n = 0;

	while (*p)
		p++;
	for (p++; p[0] && n + 3 < ARRAY_SIZE(hosted_auxv); p += 2, n += 2) {
		hosted_auxv[n] = p[0];
		hosted_auxv[n + 1] = p[1];
		if (p[0] == AT_HWCAP2)
			hosted_fsgsbase = p[1] & HWCAP2_FSGSBASE;
		if (p[0] == AT_SYSINFO_EHDR)
			host_vdso = p[1];
	}
}

void __noreturn host_start(const u64 *sp);
void __noreturn host_start(const u64 *sp)
{
	struct { u64 sp; s32 flags; u64 size; } altstack;
	const struct boot_config *config;
	struct host_process *hp;
	struct task *task;
	struct cpu *cpu;
	long ret;

	read_auxv(sp);
	config = must_map("configuration", 0, sizeof(*config), 1, 2, BOOT_FD_CONFIG, 0);
	if (config->magic != BOOT_MAGIC)
		fail("lbx-exec and lbx-host are of different builds", -EINVAL);
	config = must_map("configuration", 0, config->size, 1, 1, BOOT_FD_CONFIG, 0);
	share_data(config);
	must_map("signal stacks", HOSTED_SLOTS, (u64)HOSTED_NR_SLOTS << HOSTED_SLOT_SHIFT, 3, 0x4022 | MAP_NEW, ~0u, 0);
	host_header = (struct host_header *)(HOSTED_RAM + config->mem);

	host_clock_init(vdso_find(host_vdso, "__vdso_clock_gettime"));
	random_seed(config->seed, sizeof(config->seed));
	ram_init((void *)HOSTED_RAM, config->mem);
	hosted_ram_handle = BOOT_FD_RAM;
	hosted_init(config->cpus);
	patch_init(!(config->flags & BOOT_NO_PATCH));

	hp = host_process_alloc();
	cpu = hp ? cpu_alloc(hp, 0) : NULL;
	task = cpu ? task_boot() : NULL;
	if (!task || machine->prepare(task))
		fail("memory for the first task", -ENOMEM);
	hp->nr_tasks = 1;
	cpu->host_tid = (s32)host_call(NR_gettid, 0, 0, 0, 0, 0, 0);
	cpu_set_gs(cpu);
	slot_at(0)->cpu = cpu;
	altstack.sp = (u64)slot_at(0) + PAGE_SIZE;
	altstack.flags = 0;
	altstack.size = HOSTED_SLOT_SIZE - PAGE_SIZE;
	ret = host_call(NR_sigaltstack, (u64)&altstack, 0, 0, 0, 0, 0);
	if (ret)
		fail("sigaltstack", ret);
	supervisor_init(cpu);
	set_signals();
	host_call(NR_prctl, 1 /* PR_SET_PDEATHSIG */, HOST_SIGORPHAN, 0, 0, 0, 0);
	/* its number stays taken: grants come above HOST_FIRST_GRANT */
	ret = host_call(NR_dup2, 0, BOOT_FD_CONFIG, 0, 0, 0, 0);
	if (ret != BOOT_FD_CONFIG)
		fail("dup2", ret);
	seal();
	cpu_take_task(cpu, task);
	stack_call(task->regs, boot_main, (void *)config);
}
