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

static bool opened;

static void setup(void)
{
	struct path low;

	opened = false;

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

static long call(u32 nr, u64 a, u64 b, u64 c, u64 d) { return box_call(nr, (const u64[6]){ a, b, c, d }); }

static u64 text(const char *s)
{
	if (copy_to_user(ARENA, s, strlen(s) + 1))
		FATAL("no memory for a path");
	return ARENA;
}

/* One of each kind, and memory of each kind, so that most calls have something to work on from the first byte of the input. */
static void open_some(void)
{
	call(80, text("/w"), 0, 0, 0);
	call(2, text("file"), 0102, 0666, 0);			/* 0 */
	call(2, text("."), 0200000, 0, 0);
	call(293, ARENA, 04000, 0, 0);				/* 2, 3: a pipe */
	call(53, 1, 1 | 04000, 0, ARENA);			/* 4, 5: stream sockets */
	call(284, 1, 0, 0, 0);
	call(291, 0, 0, 0, 0);					/* 7: epoll */
	call(283, 1, 04000, 0, 0);
	call(289, (u64)-1, ARENA, 8, 04000);			/* 9: signalfd */
	call(294, 04000, 0, 0, 0);
	call(319, text("memfd"), 2, 0, 0);			/* 11 */
	call(2, text("/dev/ptmx"), 04402, 0, 0);
	call(16, 12, 0x40045431, ARENA + 4096, 0);
	call(16, 12, 0x5441, 04402, 0);				/* 13: its slave */
	call(53, 1, 2 | 04000, 0, ARENA);			/* 14, 15: datagrams */
	call(2, text("/w/o/f"), 2, 0, 0);
	call(233, 7, 1, 2, ARENA + 4096);
	call(77, 0, 5 * PAGE_SIZE + 100, 0, 0);
	call(77, 11, 8 * PAGE_SIZE, 0, 0);
	call(1, 0, ARENA, 3 * PAGE_SIZE, 0);
	box_call(9, (const u64[6]){ WINDOW, 6 * PAGE_SIZE, 3, 0x11, 0, 0 });
	box_call(9, (const u64[6]){ WINDOW + 8 * PAGE_SIZE, 6 * PAGE_SIZE, 3, 0x32, (u64)-1, 0 });
	box_call(9, (const u64[6]){ WINDOW + 16 * PAGE_SIZE, 6 * PAGE_SIZE, 3, 0x12, 11, PAGE_SIZE });
	box_call(9, (const u64[6]){ WINDOW + 24 * PAGE_SIZE, 6 * PAGE_SIZE, 1, 0x11, 11, 0 });
}

static void program(void)
{
	/* not again after an exec, nor in a child */
	if (!opened) {
		opened = true;
		open_some();
	}
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
