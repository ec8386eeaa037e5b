// SPDX-License-Identifier: MIT
/*
 * The system-call surface. The input is a program: calls of the whole table, or of one theme, with arguments that are plausible,
 * hostile or both, which one or two processes, and all that they fork, take from one queue in turns that the input decides as well.
 */
#include "box.h"

#include "fs/namei.h"
#include "fs/overlay.h"
#include "process/cred.h"

/* The smallest program: one page, mapped to where its header says. */
static void put_programs(void)
{
	static u8 elf[4096];
	static const u8 ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	u64 *p = (u64 *)(elf + 64);

	memcpy(elf, ident, sizeof(ident));
	elf[16] = 3;			/* ET_DYN */
	elf[18] = 62;
	elf[20] = 1;
	*(u64 *)(elf + 24) = 0x100;
	*(u64 *)(elf + 32) = 64;
	elf[52] = 64;
	elf[54] = 56;
	elf[56] = 1;
	p[0] = 1 | 7ull << 32;		/* PT_LOAD, rwx */
	p[4] = sizeof(elf);
	p[5] = sizeof(elf) + 12345;
	p[6] = 4096;
	box_put_file("/w/elf", 0755, elf, sizeof(elf));
	box_put_file("/w/script", 0755, "#!/w/elf -x\n", 12);
	box_put_file("/w/self", 0755, "#!/w/self", 9);
}

static void setup(void)
{
	struct path low;

	put_programs();
	if (vfs_mkdirs("/w/low", 0777) || vfs_mkdirs("/w/o", 0777))
		FATAL("mkdir");
	box_put_file("/w/low/f", 0666, "lower", 5);
	if (path_lookup(AT_FDCWD, "/w/low", 0, &low))
		FATAL("/w/low");
	box_put_mount(overlay_super(low.dentry->inode), "/w/o");
	path_put(&low);
}

static void clean_up(void)
{
	box_take_mount("/w/o");
}

static void program(void)
{
	while (fuzz_input.at < fuzz_input.end)
		box_random_call(&fuzz_input);
}

int LLVMFuzzerInitialize(int *argc __unused, char ***argv __unused)
{
	box_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	u32 how = fuzz_byte(&in);
	struct box box = {
		.seed = fuzz_byte(&in), .preempt = how & 2 ? 4 + (how >> 4) : 0, .tasks = 1 + (how >> 2 & 1),
		.caps = how & 1 ? BIT(CAP_SYS_CHROOT) | BIT(CAP_SETPCAP) | BIT(CAP_FSETID) : 0,
		.setup = setup, .clean_up = clean_up, .program = program,
	};

	args_theme(fuzz_byte(&in));
	box_run(&box, in.at, (size_t)(in.end - in.at));
	return 0;
}
