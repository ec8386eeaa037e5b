// SPDX-License-Identifier: MIT
#include "south/host/calls.h"

#include "boot_config.h"
#include "south/host/host.h"
#include "south/hosted/layout.h"
#include "uapi/window.h"

/* Conditions. The windows are chosen so that the high words decide: uapi/window.h. */
#define EQ(arg, v)		{ arg, 0, WORD_EQ, v, NULL }, { arg, 1, WORD_EQ, 0, NULL }
#define INT_EQ(arg, v)		{ arg, 0, WORD_EQ, v, NULL }		/* the kernel takes an int: the high word is dropped */
#define INT_SET(arg, s)		{ arg, 0, WORD_SET, 0, s }
#define INT_IN(arg, v, end)	{ arg, 0, WORD_FROM, v, NULL }, { arg, 0, WORD_BELOW, end, NULL }
#define INT_BELOW(arg, v)	{ arg, 0, WORD_BELOW, v, NULL }
#define START(arg)		{ arg, 1, WORD_BELOW, LBX_MAP_START_END >> 32, NULL }
#define LENGTH(arg)		{ arg, 1, WORD_BELOW, LBX_MAP_LEN_END >> 32, NULL }
/* A futex in pages of a file would be one with every other sandbox that maps the file: the image's text is such a one. */
#define IN_OURS(arg)		{ arg, 1, WORD_FROM, HOSTED_DATA >> 32, NULL }, \
				{ arg, 1, WORD_BELOW, LBX_KERNEL_END >> 32, NULL }
#define IN_RAM(arg)		{ arg, 1, WORD_FROM, HOSTED_RAM >> 32, NULL }, \
				{ arg, 1, WORD_BELOW, LBX_KERNEL_END >> 32, NULL }
#define SHORT(arg)		{ arg, 1, WORD_EQ, 0, NULL }
#define PROT(arg)		{ arg, 0, WORD_BELOW, 8, NULL }, { arg, 1, WORD_EQ, 0, NULL }

/* MAP_FIXED with: PRIVATE|ANONYMOUS, PRIVATE, SHARED; each also with NORESERVE, POPULATE */
static const u32 map_flags[] = {
	0x32, 0x4032, 0x8032, 0xc032, 0x12, 0x4012, 0x8012, 0x11, 0x8011, WORD_SET_END
};
/* MAYMOVE|FIXED, and with DONTUNMAP */
static const u32 remap_flags[] = { 3, 7, WORD_SET_END };
/*
 * WILLNEED DONTNEED FREE HUGEPAGE NOHUGEPAGE POPULATE_READ POPULATE_WRITE. Not COLD and PAGEOUT: on a mapped file of our own user they
 * evict what all others read too, and what a sandbox can evict it can watch come back.
 */
static const u32 advices[] = { 3, 4, 8, 14, 15, 22, 23, WORD_SET_END };
static const u32 arch_codes[] = { HOST_ARCH_SET_FS, HOST_ARCH_SET_GS, WORD_SET_END };
static const u32 clocks[] = { 0, 1, 3, WORD_SET_END };
static const u32 rseq_flags[] = { 0, 1, WORD_SET_END };
static const u32 signals[] = { 9, HOST_SIGKICK, WORD_SET_END };
static const u32 clone_words[] = { (u32)HOST_CLONE_THREAD, (u32)HOST_CLONE_PROCESS, WORD_SET_END };

/* In the order of how often they come, since the filter looks at them one by one. */
const struct host_rule host_rules[] = {
	{ 202, "futex", "words of the kernel window that are this sandbox's alone; FUTEX_WAIT_BITSET without FUTEX_PRIVATE_FLAG",
		{ IN_OURS(0), INT_EQ(1, 9) } },
	{ 202, "futex", "words of the kernel window that are this sandbox's alone; FUTEX_WAKE_BITSET without FUTEX_PRIVATE_FLAG",
		{ IN_OURS(0), INT_EQ(1, 10) } },
	{ 15, "rt_sigreturn", "", { { 0 } } },
	{ 327, "preadv2", "flags 0; granted descriptors are all there are", { INT_EQ(5, 0) } },
	{ 328, "pwritev2", "flags 0; granted descriptors are all there are", { INT_EQ(5, 0) } },
	{ 9, "mmap", "program window, length below 16 TiB, protection R W X, flags FIXED and one of PRIVATE|ANONYMOUS, PRIVATE, SHARED (also NORESERVE, POPULATE)",
		{ START(0), LENGTH(1), PROT(2), INT_SET(3, map_flags), { 3, 1, WORD_EQ, 0, NULL } } },
	{ 11, "munmap", "program window, length below 16 TiB", { START(0), LENGTH(1) } },
	{ 10, "mprotect", "program window, length below 16 TiB, protection R W X", { START(0), LENGTH(1), PROT(2) } },
	{ 28, "madvise", "program window, length below 16 TiB, advice WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE, POPULATE_READ, POPULATE_WRITE",
		{ START(0), LENGTH(1), INT_SET(2, advices) } },
	{ 28, "madvise", "RAM, length below 4 GiB, MADV_REMOVE", { IN_RAM(0), SHORT(1), INT_EQ(2, 9) } },
	{ 25, "mremap", "program window for both ranges, flags MAYMOVE|FIXED (also DONTUNMAP)",
		{ START(0), LENGTH(1), LENGTH(2), INT_SET(3, remap_flags), { 3, 1, WORD_EQ, 0, NULL }, START(4) } },
	{ 56, "clone", "two exact flag words: a thread, or a process of the same parent and descriptor table; no namespaces",
		{ INT_SET(0, clone_words), { 0, 1, WORD_EQ, 0, NULL } } },
	{ 231, "exit_group", "", { { 0 } } },
	{ 158, "arch_prctl", "ARCH_SET_FS, ARCH_SET_GS", { INT_SET(0, arch_codes) } },
	{ 47, "recvmsg", "the file server's channels only, flags MSG_CMSG_CLOEXEC",
		{ INT_IN(0, BOOT_FD_CHANNELS, BOOT_FD_CHANNELS + BOOT_NR_CHANNELS), INT_EQ(2, 0x40000000) } },
	{ 3, "close", "handles that the broker granted after sealing", { INT_IN(0, HOST_FIRST_GRANT, HOST_GRANTS_END) } },
	{ 228, "clock_gettime", "CLOCK_REALTIME, CLOCK_MONOTONIC (the vDSO's fallback), CLOCK_THREAD_CPUTIME_ID (the caller's own)",
		{ INT_SET(0, clocks) } },
	{ 222, "timer_create", "CLOCK_MONOTONIC; the kernel confines SIGEV_THREAD_ID to the host process", { INT_EQ(0, 1) } },
	{ 223, "timer_settime", "timers of the host process; no flags", { INT_EQ(1, 0) } },
	{ 62, "kill", "own process group; SIGKILL or the kick", { INT_EQ(0, 0), INT_SET(1, signals) } },
	{ 334, "rseq", "area in the program window, shorter than a page; register, unregister",
		{ START(0), INT_BELOW(1, 4096), INT_SET(2, rseq_flags) } },
	{ 219, "restart_syscall", "how a stopped and continued futex wait goes on", { { 0 } } },
};
const u32 host_nr_rules = ARRAY_SIZE(host_rules);
