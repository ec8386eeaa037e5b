// SPDX-License-Identifier: MIT OR GPL-2.0-only
#define _GNU_SOURCE
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The gate page and the entry page behind it. gate(nr, a0..a4); an upcall counts itself in RAM, and its SYSCALL instruction answers
 * 0x1000 plus the number.
 */
__asm__(
"	.section .box, \"ax\", @progbits\n"
"	.balign 4096\n"
"	.globl box_gate_page\n"
"box_gate_page:\n"
"	movq	%rdi, %rax\n"
"	movq	%rsi, %rdi\n"
"	movq	%rdx, %rsi\n"
"	movq	%rcx, %rdx\n"
"	movq	%r8, %r10\n"
"	movq	%r9, %r8\n"
"	syscall\n"
"	ret\n"
"	.balign 4096, 0xcc\n"
"	movq	%rax, %rcx\n"
"	shrq	$47, %rax\n"
"	shlq	$17, %rcx\n"
"	shrq	$17, %rcx\n"
"	pushq	%rdx\n"
"	movabsq	$0x600000000000, %rdx\n"
"	lock incq 512(%rdx)\n"
"	movq	%rax, 520(%rdx)\n"
"	movq	%rcx, 528(%rdx)\n"
"	popq	%rdx\n"
"	addq	$0x1000, %rax\n"
"	jmp	*%rcx\n"
"	.balign 4096, 0xcc\n"
"	.text\n");
extern const char box_gate_page[];
_Static_assert(__builtin_offsetof(struct box_ram, upcalls) == 512, "the entry counts there");

static void __attribute__((noreturn)) bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

int box_device(void)
{
	int fd = open(LBX_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		bail(LBX_DEVICE_PATH);
	return fd;
}

long box_call(int fd, uint32_t nr, void *record, uint32_t size)
{
	long ret = ioctl(fd, LBX_IOC(LBX_IOC_DIR_IN, nr, size), record);

	return ret < 0 ? -errno : ret;
}

int box_grant(int fd, uint32_t handle, uint32_t kind, uint32_t rights, uint64_t size, int object)
{
	struct lbx_grant_fd_raw r = {
		.grant = { .handle = handle, .kind = kind, .rights = rights, .size = size }, .fd = object,
	};

	return (int)box_call(fd, LBX_DEVICE_grant, &r, sizeof(r));
}

void box_make(struct box *b, const struct lbx_limits_raw *limits)
{
	struct lbx_create_raw create = { .version = LBX_SOUTH_VERSION, .limits = limits ? *limits : box_limits };
	struct lbx_seal_raw seal = { .gate = BOX_GATE, .shared_start = BOX_RAM, .shared_end = BOX_RAM + BOX_RAM_SIZE };

	b->child = 0;
	b->fd = box_device();
	if (box_call(b->fd, LBX_DEVICE_create, &create, sizeof(create)) < 0)
		bail("create");
	b->ram_fd = memfd_create("box", MFD_CLOEXEC);
	if (b->ram_fd < 0 || ftruncate(b->ram_fd, BOX_RAM_SIZE))
		bail("memfd");
	b->ram = mmap(NULL, BOX_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, b->ram_fd, 0);
	if (b->ram == MAP_FAILED)
		bail("mmap");
	if (box_grant(b->fd, BOX_H_RAM, LBX_KIND_RAM, LBX_RIGHTS_ALL & ~LBX_RIGHT_EXEC, BOX_RAM_SIZE, b->ram_fd) ||
	    box_grant(b->fd, BOX_H_ENTROPY, LBX_KIND_ENTROPY, LBX_RIGHT_READ, 0, -1))
		bail("grant");
	if (box_call(b->fd, LBX_DEVICE_seal, &seal, sizeof(seal)))
		bail("seal");
}

static void map_at(uint64_t addr, size_t size, int prot, int flags, int fd)
{
	if (mmap((void *)addr, size, prot, flags | MAP_FIXED_NOREPLACE, fd, 0) != (void *)addr)
		bail("mmap in the kernel window");
}

long gate(long nr, long a0, long a1, long a2, long a3, long a4)
{
	long (*fn)(long, long, long, long, long, long) = (long (*)(long, long, long, long, long, long))BOX_GATE;

	return fn(nr, a0, a1, a2, a3, a4);
}

long south(uint32_t nr, void *record, uint32_t size)
{
	return gate(SYS_ioctl, LBX_DEVICE_FD, LBX_IOC(LBX_IOC_DIR_IN, LBX_IOC_SOUTH + nr, size), (long)record, 0, 0);
}

long now_is(uint32_t clock)
{
	union { struct lbx_clock_raw record; int64_t now; } u = { .record = { .id = clock } };
	long ret = south(LBX_SOUTH_clock, &u, sizeof(u.record));

	return ret ? ret : u.now;
}

void box_run(struct box *b, int (*fn)(struct box_ram *ram), void (*before)(struct box *b))
{
	struct lbx_run_raw run = { 0 };

	fflush(stdout);
	b->child = fork();
	if (b->child < 0)
		bail("fork");
	if (b->child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	map_at(BOX_RAM, BOX_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, b->ram_fd);
	map_at(BOX_OWN, BOX_OWN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map_at(BOX_GATE, 2 * LBX_GATE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memcpy((void *)BOX_GATE, box_gate_page, 2 * LBX_GATE_SIZE);
	if (before)
		before(b);
	if (dup2(b->fd, LBX_DEVICE_FD) < 0)
		bail("dup2");
	if (ioctl(LBX_DEVICE_FD, LBX_IOC(LBX_IOC_DIR_IN, LBX_DEVICE_run, sizeof(run)), &run) < 0)
		_exit(200 + errno % 50);
	gate(SYS_exit_group, fn((struct box_ram *)BOX_RAM), 0, 0, 0, 0);
	__builtin_unreachable();
}

int box_wait(struct box *b)
{
	int status = -1;

	if (waitpid(b->child, &status, 0) != b->child)
		bail("waitpid");
	return status;
}

int box_do(struct box *b, int (*fn)(struct box_ram *ram))
{
	int status;

	box_make(b, NULL);
	box_run(b, fn, NULL);
	status = box_wait(b);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void box_end(struct box *b)
{
	munmap(b->ram, BOX_RAM_SIZE);
	close(b->ram_fd);
	close(b->fd);
}

void box_info(struct box *b, struct lbx_info_raw *info)
{
	memset(info, 0, sizeof(*info));
	if (box_call(b->fd, LBX_DEVICE_info, info, sizeof(*info)))
		bail("info");
}
