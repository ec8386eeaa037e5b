// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The owner's side of /dev/litebox: each refusal, and what is given. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "selftests/uapi/tap.h"

static long create(int fd, struct lbx_create_raw raw) { return box_call(fd, LBX_DEVICE_create, &raw, sizeof(raw)); }

static void test_numbers(void)
{
	uint8_t record[256] = { 0 };
	struct lbx_create_raw good = { .version = LBX_SOUTH_VERSION, .limits = box_limits };
	int fd = box_device();

	tap_ok(ioctl(fd, 0x5401, record) == -1 && errno == ENOTTY, "another type is ENOTTY");
	tap_ok(box_call(fd, 7, record, 8) == -ENOTTY, "number 7 is ENOTTY");
	tap_ok(box_call(fd, 0x7f, record, 8) == -ENOTTY, "number 0x7f is ENOTTY");
	tap_ok(box_call(fd, LBX_DEVICE_create, record, 39) == -EINVAL, "a short record is EINVAL");
	tap_ok(box_call(fd, LBX_DEVICE_create, record, 129) == -E2BIG, "a huge one is E2BIG");
	tap_ok(box_call(fd, LBX_DEVICE_create, (void *)8, 40) == -EFAULT, "one that is not there is EFAULT");
	memcpy(record, &good, sizeof(good));
	record[100] = 1;
	tap_ok(box_call(fd, LBX_DEVICE_create, record, 128) == -E2BIG, "content beyond what is known is E2BIG");
	tap_ok(box_call(fd, LBX_DEVICE_seal, record, 32) == -EINVAL, "nothing goes before create");
	tap_ok(box_call(fd, LBX_IOC_SOUTH + LBX_SOUTH_clock, record, 8) == -EPERM, "a South call by a stranger is EPERM");
	record[100] = 0;
	tap_ok(box_call(fd, LBX_DEVICE_create, record, 128) == LBX_SOUTH_VERSION, "a longer record of zeroes is the same record");
	tap_ok(create(fd, good) == -EBUSY, "a second create is EBUSY");
	close(fd);
}

static void test_create(void)
{
	struct lbx_create_raw raw = { .version = LBX_SOUTH_VERSION + 0x10000, .limits = box_limits };
	int fd = box_device();

	tap_ok(create(fd, raw) == -EINVAL, "another major version is EINVAL");
	raw.version = LBX_SOUTH_VERSION;
	raw.flags = 1;
	tap_ok(create(fd, raw) == -EINVAL, "a flag is EINVAL");
	raw.flags = 0;
	raw.limits.cpus = 0;
	tap_ok(create(fd, raw) == -EINVAL, "no cpus are EINVAL");
	raw.limits.cpus = LBX_CPUS_END + 1;
	tap_ok(create(fd, raw) == -EPERM, "more than the ceiling is EPERM");
	close(fd);
}

static void test_grant(void)
{
	struct lbx_create_raw raw = { .version = LBX_SOUTH_VERSION, .limits = box_limits };
	char path[] = "/tmp/litebox.XXXXXX";
	int fd = box_device(), file = mkstemp(path), ro = open(path, O_RDONLY), dir = open("/", O_RDONLY), pair[2], ram;

	unlink(path);
	raw.limits.handles = 3;
	raw.limits.mem = 8192;
	ram = memfd_create("ram", 0);
	if (file < 0 || ram < 0 || ftruncate(ram, 16384) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || create(fd, raw) < 0)
		exit(1);
	tap_ok(box_grant(fd, 1, LBX_KIND_FILE, LBX_RIGHT_READ, 0, 999) == -EBADF, "a grant of no descriptor is EBADF");
	tap_ok(box_grant(fd, 1, LBX_KIND_FILE, LBX_RIGHT_READ, 0, -1) == -EBADF, "a negative one too");
	tap_ok(box_grant(fd, 1, LBX_KIND_FILE, LBX_RIGHT_READ, 0, dir) == -ENODEV, "a directory is no FILE");
	tap_ok(box_grant(fd, 1, LBX_KIND_FILE, LBX_RIGHT_READ, 0, fd) == -ENODEV, "nor is a sandbox");
	tap_ok(box_grant(fd, 1, LBX_KIND_SERVER, LBX_RIGHT_READ, 0, fd) == -ENODEV, "which is no SERVER either");
	tap_ok(box_grant(fd, 1, LBX_KIND_SERVER, LBX_RIGHT_READ, 0, file) == -ENODEV, "a file is no SERVER");
	tap_ok(box_grant(fd, 1, LBX_KIND_RAM, LBX_RIGHT_READ, 4096, file) == -ENODEV, "a file is no RAM");
	tap_ok(box_grant(fd, 1, LBX_KIND_RAM, LBX_RIGHT_READ, 32768, ram) == -EINVAL, "RAM larger than its memory is EINVAL");
	tap_ok(box_grant(fd, 1, LBX_KIND_RAM, LBX_RIGHT_READ, 16384, ram) == -ENOMEM, "RAM beyond the limit is ENOMEM");
	tap_ok(box_grant(fd, 1, LBX_KIND_FILE, LBX_RIGHT_WRITE, 0, ro) == -EACCES, "a right that the file lacks is EACCES");
	tap_ok(box_grant(fd, 1, LBX_KIND_FILE, LBX_RIGHT_EXEC, 0, file) == -EINVAL, "EXEC without MAP is EINVAL");
	tap_ok(box_grant(fd, LBX_HANDLES_END, LBX_KIND_FILE, LBX_RIGHT_READ, 0, file) == -EINVAL, "a number beyond all is EINVAL");
	tap_ok(box_grant(fd, 1, LBX_KIND_ENTROPY, LBX_RIGHT_READ, 0, file) == -EINVAL, "ENTROPY has no file");
	tap_ok(box_grant(fd, 1, LBX_KIND_FILE, LBX_RIGHT_READ, 0, ro) == 0, "a file is granted");
	tap_ok(box_grant(fd, 1, LBX_KIND_FILE, LBX_RIGHT_READ, 0, ro) == -EEXIST, "its number is taken");
	tap_ok(box_grant(fd, 65535, LBX_KIND_SERVER, LBX_RIGHT_READ | LBX_RIGHT_WRITE, 0, pair[0]) == 0, "a socket is granted");
	tap_ok(box_grant(fd, 2, LBX_KIND_RAM, LBX_RIGHT_READ, 8192, ram) == 0, "RAM is granted");
	tap_ok(box_grant(fd, 3, LBX_KIND_ENTROPY, LBX_RIGHT_READ, 0, -1) == -EMFILE, "the limit of handles is EMFILE");
	tap_ok(box_call(fd, LBX_DEVICE_revoke, &(struct lbx_revoke_raw){ .handle = 5 }, 8) == -EBADF, "revoke of nothing is EBADF");
	tap_ok(box_call(fd, LBX_DEVICE_revoke, &(struct lbx_revoke_raw){ .handle = LBX_HANDLES_END }, 8) == -EBADF, "and of no number");
	tap_ok(box_call(fd, LBX_DEVICE_revoke, &(struct lbx_revoke_raw){ .handle = 1, .pad = 1 }, 8) == -EINVAL, "pad is 0");
	tap_ok(box_call(fd, LBX_DEVICE_revoke, &(struct lbx_revoke_raw){ .handle = 2 }, 8) == 0, "a handle is revoked");
	tap_ok(box_grant(fd, 3, LBX_KIND_RAM, LBX_RIGHT_READ, 8192, ram) == 0, "what it took is free again");
	close(fd), close(file), close(ro), close(dir), close(pair[0]), close(pair[1]), close(ram);
}

static void test_seal_and_run(void)
{
	struct lbx_create_raw raw = { .version = LBX_SOUTH_VERSION, .limits = box_limits };
	struct lbx_seal_raw seal = { .gate = BOX_GATE, .shared_start = BOX_RAM, .shared_end = BOX_RAM + 4096 };
	struct lbx_run_raw run = { 0 };
	struct pollfd pfd;
	int fd = box_device();

	create(fd, raw);
	tap_ok(box_call(fd, LBX_DEVICE_run, &run, sizeof(run)) == -EAGAIN, "run before seal is EAGAIN");
	seal.gate++;
	tap_ok(box_call(fd, LBX_DEVICE_seal, &seal, sizeof(seal)) == -EINVAL, "a gate that is no page is EINVAL");
	seal.gate = LBX_KERNEL_END - 4096;
	tap_ok(box_call(fd, LBX_DEVICE_seal, &seal, sizeof(seal)) == -EFAULT, "a gate without room for the entry is EFAULT");
	seal.gate = 0x400000;
	tap_ok(box_call(fd, LBX_DEVICE_seal, &seal, sizeof(seal)) == -EFAULT, "a gate in the program window is EFAULT");
	seal.gate = BOX_GATE;
	seal.flags = 1;
	tap_ok(box_call(fd, LBX_DEVICE_seal, &seal, sizeof(seal)) == -EINVAL, "a flag is EINVAL");
	seal.flags = 0;
	tap_ok(box_call(fd, LBX_DEVICE_seal, &seal, sizeof(seal)) == 0, "sealed");
	tap_ok(box_call(fd, LBX_DEVICE_seal, &seal, sizeof(seal)) == -EBUSY, "once");
	run.flags = 1;
	tap_ok(box_call(fd, LBX_DEVICE_run, &run, sizeof(run)) == -EINVAL, "run with a flag is EINVAL");
	run.flags = 0;
	if (fd != LBX_DEVICE_FD)
		tap_ok(box_call(fd, LBX_DEVICE_run, &run, sizeof(run)) == -EINVAL, "run by another descriptor is EINVAL");
	pfd = (struct pollfd){ .fd = fd, .events = POLLIN };
	tap_ok(poll(&pfd, 1, 0) == 0, "one that did not run is not at its end");
	tap_ok(read(fd, &run, 1) == -1 && write(fd, &run, 1) == -1, "there is nothing to read or write");
	close(fd);
}

static int at_once(struct box_ram *ram) { (void)ram; return 3; }

static int device_calls(struct box_ram *ram)
{
	struct lbx_end_raw end = { 0 };
	struct lbx_info_raw info = { 0 };
	struct lbx_revoke_raw revoke = { .handle = BOX_H_ENTROPY };

	ram->result[0] = gate(16, LBX_DEVICE_FD, LBX_IOC(LBX_IOC_DIR_IN, LBX_DEVICE_end, sizeof(end)), (long)&end, 0, 0);
	ram->result[1] = gate(16, LBX_DEVICE_FD, LBX_IOC(LBX_IOC_DIR_IN, LBX_DEVICE_info, sizeof(info)), (long)&info, 0, 0);
	ram->result[2] = gate(16, LBX_DEVICE_FD, LBX_IOC(LBX_IOC_DIR_IN, LBX_DEVICE_revoke, sizeof(revoke)), (long)&revoke, 0, 0);
	ram->result[3] = gate(16, LBX_DEVICE_FD, 0x5401, (long)ram->words, 0, 0);
	return 0;
}

static void test_end(void)
{
	struct lbx_run_raw run = { 0 };
	struct pollfd pfd;
	struct box b;
	int st;

	box_make(&b, NULL);
	box_run(&b, at_once, NULL);
	pfd = (struct pollfd){ .fd = b.fd, .events = POLLIN };
	tap_ok(poll(&pfd, 1, 5000) == 1 && (pfd.revents & POLLHUP), "the file tells of the end");
	st = box_wait(&b);
	tap_ok(WIFEXITED(st) && WEXITSTATUS(st) == 3, "a member's status is its own");
	tap_ok(box_call(b.fd, LBX_DEVICE_run, &run, sizeof(run)) == -EBUSY, "a sandbox runs once");
	box_end(&b);

	tap_ok(box_do(&b, device_calls) == 0 && b.ram->result[0] == -EPERM && b.ram->result[1] == -EPERM, "a member is no owner");
	tap_ok(b.ram->result[2] == 0, "but may give a handle back");
	tap_ok(b.ram->result[3] == -ENOTTY, "other numbers are ENOTTY to it");
	box_end(&b);
}

int main(void)
{
	test_numbers();
	test_create();
	test_grant();
	test_seal_and_run();
	test_end();
	return tap_end();
}
