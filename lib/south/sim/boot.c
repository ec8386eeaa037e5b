// SPDX-License-Identifier: MIT
/* From nothing to a first program without a program: lib/boot.c without a broker. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fs/file.h"
#include "fs/fs_state.h"
#include "fs/namei.h"
#include "fs/proc/proc.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "process/cred.h"
#include "process/fork.h"
#include "south/sim/sim.h"
#include "tty/tty.h"

char boot_hostname[65] = "box";

void sim_machine_boot(void __noreturn (*fn)(void));

#define CHECK(cond) do { if (!(cond)) { fprintf(stderr, "sim: boot: %s\n", #cond); abort(); } } while (0)

/* All of RAM is used once, so that what the allocator needs for itself is counted before anybody looks. */
static void touch_all_ram(void)
{
	void *block[64];
	u32 n = 0;

	while (n < ARRAY_SIZE(block) && (block[n] = page_alloc(PAGE_BLOCK_PAGES)))
		n++;
	while (n)
		page_free(block[--n], PAGE_BLOCK_PAGES);
}

static void mount_type(const char *type, const char *at)
{
	struct fs_type *t = fs_type_find(type);
	struct super *sb = t ? t->mount(type, NULL) : NULL;

	CHECK(!IS_ERR_OR_NULL(sb));
	CHECK(!vfs_mount_at(sb, at, 0, type, true));
	super_put(sb);
}

void sim_boot(u64 ram, void __noreturn (*fn)(void))
{
	struct task *t;

	ram_init(mmap(NULL, ram, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), ram);
	touch_all_ram();
	fake_current = kthread_alloc("boot");
	CHECK(fake_current);
	sim_machine_boot(fn);
	CHECK(!vfs_init());
	CHECK(!tty_init());
	CHECK(!proc_init());
	mount_type("proc", "/proc");
	mount_type("sysfs", "/sys");

	t = process_create_first(cred_create(0, 0, NULL, 0, CAP_ALL, CAP_ALL));
	CHECK(t);
	t->mm = mm_create();
	t->files = files_alloc();
	t->fs = fs_state_create();
	CHECK(t->mm && t->files && t->fs);
	t->mm->users = 1;
	fake_current = t;
}

/*
 * The fuzzers count objects themselves, to the last one; a leak checker does not find what fibers' registers hold. Contexts are
 * announced to AddressSanitizer (switch_to()).
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:detect_stack_use_after_return=0";
}
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) { return "print_stacktrace=1"; }
