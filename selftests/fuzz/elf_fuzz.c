// SPDX-License-Identifier: MIT
/*
 * Programs: the input is an ELF image (or a script, or neither) and its interpreter, which a process execs. What comes to life must
 * have an address space that its books describe, stand in it, and find its arguments; and it may neither keep anything
 * nor be more than a dead process when the image was bad.
 */
#include "box.h"

#include "fs/file.h"
#include "fs/namei.h"
#include "mm/mm.h"
#include "process/exec.h"
#include "process/task.h"

#define PROGRAM		"/w/prog"
#define INTERP		"/w/ld"

static const u8 *image, *interp;
static size_t image_len, interp_len;
static bool executed, forked;

static void setup(void)
{
	executed = forked = false;
	box_put_file(PROGRAM, 0755, image, image_len);
	box_put_file(INTERP, 0755, interp, interp_len);
}

static u64 user_string(u64 at, const char *s)
{
	if (copy_to_user(at, s, strlen(s) + 1))
		FATAL("no memory for arguments");
	return at;
}

static void exec(void)
{
	u64 argv[3], at = ARENA + 64;

	argv[0] = user_string(ARENA + 1024, "name");
	argv[1] = user_string(ARENA + 2048, "second");
	argv[2] = 0;
	if (copy_to_user(at, argv, sizeof(argv)))
		FATAL("no memory for arguments");
	box_call(59, (const u64[6]){ user_string(ARENA + 256, PROGRAM), at, at + 16 });
}

static u64 user_word(u64 addr)
{
	u64 v;

	if (get_user(v, addr))
		FATAL("the new stack cannot be read at %llx", (long long)addr);
	return v;
}

/* What the ABI puts on the stack: argc, argv, envp, auxv. */
static void look_at_stack(void)
{
	u64 sp = current->mm->start_stack, argc = user_word(sp), at = sp + 8 * (argc + 2);
	char last[8] = "";

	if (sp % 16 || !argc || argc > 2 + 3 * 5)
		FATAL("a stack at %llx with %llu arguments", (long long)sp, (long long)argc);
	if (strncpy_from_user(last, user_word(sp + 8 * argc), sizeof(last)) < 0 || strcmp(last, "second"))
		FATAL("the last argument is not what was given");
	while (user_word(at))
		at += 8;
	for (at += 8; user_word(at); at += 16)
		;
}

static int touch_vma(const struct vma_view *v, void *arg)
{
	u64 *starts = arg;

	if (starts[0] < 40)
		starts[++starts[0]] = v->start;
	return 0;
}

/* Each mapping's first byte can be read or not; either way the library kernel says so. */
static void touch_all(void)
{
	u64 starts[41] = { 0 };
	u8 byte;

	mm_for_each_vma(current->mm, touch_vma, starts);
	for (u64 i = 1; i <= starts[0]; i++)
		if (copy_from_user(&byte, starts[i], 1))
			byte = 0;
}

static void program(void)
{
	u64 buf = ARENA + 4096, fd;

	if (!current->process->did_exec) {
		exec();
		return;
	}
	/* once for each program that came to life: it may have been put where we keep our arguments */
	if (!executed) {
		executed = true;
		look_at_stack();
		touch_all();
	}
	box_call(12, (const u64[6]){ current->mm->brk + 10000 });
	if (!copy_to_user(ARENA, "/proc/self/smaps", 17)) {
		fd = (u64)box_call(2, (const u64[6]){ ARENA, 0 });
		while (box_call(0, (const u64[6]){ fd, buf, 4096 }) > 0)
			;
	}
	if (!forked) {
		forked = true;
		box_call(57, (const u64[6]){ 0 });
	}
	box_call(11, (const u64[6]){ 0x10000, 0x10000000000 });
}

int LLVMFuzzerInitialize(int *argc __unused, char ***argv __unused)
{
	box_init();
	return 0;
}

/* The first two bytes say where the interpreter begins. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct box box = { .tasks = 1, .setup = setup, .program = program };
	size_t split;

	if (size < 2)
		return 0;
	split = min_t(size_t, (size_t)(data[0] | data[1] << 8), size - 2);
	image = data + 2;
	image_len = split;
	interp = data + 2 + split;
	interp_len = size - 2 - split;
	box_run(&box, data, 0);
	return 0;
}
