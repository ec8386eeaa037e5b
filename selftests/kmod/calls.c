// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The South's calls, made by a member. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "box.h"
#include "selftests/uapi/tap.h"

#define H_FILE		3
#define H_SOCKET	4
#define PROGRAM		0x20000000ul		/* where members map */

static char *text(struct box_ram *ram) { return (char *)ram + 65536; }

static long rw(bool write, uint32_t h, uint64_t off, const void *buf, uint64_t len)
{
	static struct lbx_iov *vec = (struct lbx_iov *)(BOX_RAM + 32768);

	*vec = (struct lbx_iov){ (uint64_t)buf, len };
	return write ? SOUTH(write, io, .handle = h, .nr_iov = 1, .off = off, .iov = (uint64_t)vec) :
		       SOUTH(read, io, .handle = h, .nr_iov = 1, .off = off, .iov = (uint64_t)vec);
}

static int io(struct box_ram *ram)
{
	int64_t *r = ram->result;
	char *t = text(ram);

	r[0] = rw(false, H_FILE, 2, t, 5);
	r[1] = t[0] == 'c' && t[4] == 'g';
	r[2] = rw(false, H_FILE, LBX_OFF_STREAM, t, 3);
	r[3] = rw(false, H_FILE, LBX_OFF_STREAM, t, 3);
	r[4] = t[0] == 'd';
	r[5] = rw(true, H_FILE, 0, t, 1);		/* without WRITE */
	r[6] = rw(false, 99, 0, t, 1);
	r[7] = rw(false, H_SOCKET, 0, t, 1);		/* an offset on a stream */
	r[8] = rw(true, H_SOCKET, LBX_OFF_STREAM, t, 3);
	r[9] = rw(false, H_SOCKET, LBX_OFF_STREAM, t, 100);
	r[10] = rw(false, H_FILE, 0, (void *)0x7fffff000000, 1);	/* in no window */
	r[11] = rw(false, H_FILE, 0, (void *)0x30000000, 1);	/* nothing there */
	r[12] = rw(false, H_FILE, 1000, t, 10);
	r[13] = rw(false, BOX_H_ENTROPY, LBX_OFF_STREAM, t, 64);
	r[14] = 0;
	for (int i = 0; i < 64; i++)
		r[14] |= t[i];
	r[15] = rw(false, BOX_H_RAM, 0x11000, t, 1);
	r[16] = SOUTH(read, io, .handle = H_FILE, .nr_iov = 0, .iov = BOX_RAM);
	r[17] = SOUTH(read, io, .handle = H_FILE, .nr_iov = 65, .iov = BOX_RAM);
	r[18] = SOUTH(read, io, .handle = H_FILE, .nr_iov = 1, .iov = BOX_RAM + 4);
	r[19] = SOUTH(read, io, .handle = H_FILE, .nr_iov = 1, .iov = 0x20000000);
	return 0;
}

/* 64 pieces: more than fit where a few do */
static int pieces(struct box_ram *ram)
{
	struct lbx_iov *vec = (struct lbx_iov *)(BOX_RAM + 32768);

	for (int i = 0; i < 64; i++)
		vec[i] = (struct lbx_iov){ (uint64_t)text(ram) + 2 * (uint64_t)i, 1 };
	ram->result[0] = SOUTH(read, io, .handle = BOX_H_ENTROPY, .nr_iov = 64, .off = LBX_OFF_STREAM, .iov = (uint64_t)vec);
	vec[63].len = LBX_IO_MAX;
	ram->result[1] = SOUTH(read, io, .handle = BOX_H_ENTROPY, .nr_iov = 64, .off = LBX_OFF_STREAM, .iov = (uint64_t)vec);
	return 0;
}

static int map(struct box_ram *ram)
{
	volatile char *p = (volatile char *)PROGRAM;
	int64_t *r = ram->result;

	r[0] = SOUTH(map, map, .op = LBX_MAP_BACK, .prot = 3, .handle = LBX_HANDLE_NONE, .addr = PROGRAM, .len = 8192);
	p[0] = 1, p[8191] = 2;
	r[1] = p[0] + p[8191];
	r[2] = SOUTH(map, map, .op = LBX_MAP_BACK, .prot = 1, .handle = H_FILE, .addr = PROGRAM, .len = 4096);
	r[3] = p[1] == 'b' && p[4096 + 4095] == 2;
	r[4] = SOUTH(map, map, .op = LBX_MAP_BACK, .prot = 3, .flags = LBX_MAP_SHARED, .handle = H_FILE, .addr = PROGRAM, .len = 4096);
	r[5] = SOUTH(map, map, .op = LBX_MAP_BACK, .prot = 5, .handle = H_FILE, .addr = PROGRAM, .len = 4096);
	r[6] = SOUTH(map, map, .op = LBX_MAP_BACK, .prot = 3, .handle = LBX_HANDLE_NONE, .addr = BOX_GATE, .len = 4096);
	r[7] = SOUTH(map, map, .op = LBX_MAP_RELEASE, .handle = LBX_HANDLE_NONE, .addr = BOX_RAM, .len = 4096);
	r[8] = SOUTH(map, map, .op = LBX_MAP_RELEASE, .handle = LBX_HANDLE_NONE, .addr = PROGRAM, .len = 8192);
	r[9] = SOUTH(map, map, .op = LBX_MAP_BACK, .prot = 3, .flags = LBX_MAP_SHARED, .handle = BOX_H_RAM, .addr = PROGRAM, .len = 4096,
		     .off = 0x20000);
	p[3] = 77;
	r[10] = ((volatile char *)ram)[0x20003];
	r[11] = SOUTH(map, map, .op = LBX_MAP_DISCARD, .handle = LBX_HANDLE_NONE, .addr = BOX_RAM + 0x20000, .len = 4096);
	r[12] = p[3];
	r[13] = SOUTH(map, map, .op = LBX_MAP_DISCARD, .handle = LBX_HANDLE_NONE, .addr = BOX_OWN, .len = 4096);
	r[14] = SOUTH(map, map, .op = LBX_MAP_PROTECT, .prot = 1, .handle = LBX_HANDLE_NONE, .addr = PROGRAM, .len = 4096);
	r[15] = gate(SYS_mprotect, PROGRAM, 4096, 1, 0, 0);
	r[16] = SOUTH(map, map, .op = LBX_MAP_BACK, .prot = 3, .handle = H_SOCKET, .addr = PROGRAM, .len = 4096);
	r[17] = SOUTH(map, map, .op = LBX_MAP_BACK, .prot = 1, .handle = BOX_H_RAM, .addr = PROGRAM, .len = 4096, .off = BOX_RAM_SIZE);
	return 0;
}

static int times(struct box_ram *ram)
{
	int64_t *r = ram->result, now = now_is(LBX_CLOCK_MONOTONIC);

	r[0] = now_is(LBX_CLOCK_REALTIME);
	r[1] = now;
	r[2] = now_is(2);
	r[3] = SOUTH(wait, wait, .deadline = (uint64_t)now + 30000000, .handle = LBX_HANDLE_NONE);
	r[4] = now_is(LBX_CLOCK_MONOTONIC) - now;
	r[5] = SOUTH(wait, wait, .deadline = 0, .handle = LBX_HANDLE_NONE, .word = (uint64_t)&ram->words[0], .value = 5);
	r[6] = SOUTH(wait, wait, .deadline = 0, .handle = LBX_HANDLE_NONE, .word = (uint64_t)&ram->words[0]);
	r[7] = SOUTH(wait, wait, .deadline = 0, .handle = LBX_HANDLE_NONE, .word = BOX_GATE + 0x100000);	/* nothing there */
	r[8] = SOUTH(wait, wait, .deadline = LBX_DEADLINE_NEVER, .handle = H_SOCKET, .events = LBX_WAIT_WRITE);
	r[9] = SOUTH(wait, wait, .deadline = (uint64_t)now + 60000000, .handle = H_SOCKET, .events = LBX_WAIT_READ);
	r[10] = SOUTH(wait, wait, .deadline = LBX_DEADLINE_NEVER, .handle = BOX_H_ENTROPY, .events = LBX_WAIT_READ);
	r[11] = SOUTH(kick, kick, .mode = LBX_KICK_WAKE, .cpu = LBX_CPU_NONE, .word = (uint64_t)&ram->words[0], .count = 1);
	r[12] = SOUTH(kick, kick, .mode = LBX_KICK_INTERRUPT, .cpu = 9);
	r[13] = south(8, &now, 8);
	r[14] = south(LBX_SOUTH_clock, (void *)0x10, 8);
	r[15] = south(LBX_SOUTH_clock, &now, 4);
	return 0;
}

static int exits(struct box_ram *ram)
{
	ram->result[0] = SOUTH(exit, exit, .status = 256);
	SOUTH(exit, exit, .status = 42);
	return 1;
}

static int socket_other;

static void open_objects(struct box *b)
{
	char path[] = "/tmp/litebox.XXXXXX";
	int pair[2], file = mkstemp(path), ro = open(path, O_RDONLY);

	unlink(path);
	if (write(file, "abcdefghij", 10) != 10 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		exit(1);
	socket_other = pair[1];
	if (write(pair[1], "hello", 5) != 5)
		exit(1);
	box_grant(b->fd, H_FILE, LBX_KIND_FILE, LBX_RIGHT_READ | LBX_RIGHT_MAP, 0, ro);
	box_grant(b->fd, H_SOCKET, LBX_KIND_SERVER, LBX_RIGHT_READ | LBX_RIGHT_WRITE, 0, pair[0]);
	close(file), close(ro), close(pair[0]);
}

static struct box b;

static const int64_t *do_it(int (*fn)(struct box_ram *ram))
{
	box_make(&b, NULL);
	open_objects(&b);
	box_run(&b, fn, NULL);
	tap_ok(box_wait(&b) == 0, "the member ended well");
	return b.ram->result;
}

static void done(void)
{
	close(socket_other);
	box_end(&b);
}

static void is(const int64_t *r, int i, int64_t want, const char *what)
{
	tap_ok(r[i] == want, "%s%s%.0d", what, r[i] == want ? "" : ": got ", r[i] == want ? 0 : (int)r[i]);
}

int main(void)
{
	struct lbx_info_raw info;
	const int64_t *r;
	char buf[8];
	int st;

	r = do_it(io);
	is(r, 0, 5, "read at an offset");
	is(r, 1, 1, "its bytes");
	is(r, 2, 3, "read at the file's own position");
	is(r, 3, 3, "and on");
	is(r, 4, 1, "from there");
	is(r, 5, -EBADF, "write without the right");
	is(r, 6, -EBADF, "no such handle");
	is(r, 7, -ESPIPE, "an offset on a stream");
	is(r, 8, 3, "write to a socket");
	is(r, 9, 5, "read of a whole message");
	is(r, 10, -EFAULT, "a piece in no window");
	is(r, 11, -EFAULT, "a piece that is not mapped");
	is(r, 12, 0, "the end of a file");
	is(r, 13, 64, "entropy");
	tap_ok(r[14] != 0, "which is not all zero");
	is(r, 15, 1, "RAM reads as a file");
	is(r, 16, -EINVAL, "no pieces");
	is(r, 17, -EINVAL, "too many");
	is(r, 18, -EINVAL, "an odd address");
	is(r, 19, -EFAULT, "pieces in the program window");
	tap_ok(read(socket_other, buf, 8) == 3, "the owner's end has the message");
	done();

	r = do_it(pieces);
	is(r, 0, 64, "64 pieces");
	is(r, 1, -EINVAL, "more bytes than one call moves");
	done();

	r = do_it(map);
	is(r, 0, 0, "fresh memory");
	is(r, 1, 3, "is there");
	is(r, 2, 0, "a file over half of it");
	is(r, 3, 1, "and the other half stays");
	is(r, 4, -EACCES, "shared and writable without WRITE");
	is(r, 5, -EPERM, "executable without EXEC");
	is(r, 6, -EFAULT, "over the gate");
	is(r, 7, -EFAULT, "release of the kernel window");
	is(r, 8, 0, "release");
	is(r, 9, 0, "shared RAM");
	is(r, 10, 77, "is the same memory");
	is(r, 11, 0, "discard");
	is(r, 12, 0, "empties it");
	is(r, 13, -EFAULT, "discard of what is no RAM");
	is(r, 14, -ENOSYS, "protect is a host call here");
	is(r, 15, 0, "which the gate makes");
	is(r, 16, -ENODEV, "a socket cannot be mapped");
	is(r, 17, -EINVAL, "beyond the end of RAM");
	done();

	r = do_it(times);
	tap_ok(r[0] / 1000000000 - time(NULL) < 5, "realtime");
	tap_ok(r[1] > 0, "monotonic");
	is(r, 2, -EINVAL, "no such clock");
	is(r, 3, LBX_WOKEN_DEADLINE, "a deadline");
	tap_ok(r[4] >= 30000000, "is waited for");
	is(r, 5, LBX_WOKEN_VALUE, "another value");
	is(r, 6, LBX_WOKEN_DEADLINE, "a deadline that is over");
	is(r, 7, -EFAULT, "a word that is not there");
	is(r, 8, LBX_WOKEN_READY, "a socket to write to");
	is(r, 9, LBX_WOKEN_READY, "a socket with a message");
	is(r, 10, LBX_WOKEN_READY, "entropy");
	is(r, 11, 0, "a kick nobody waits for");
	is(r, 12, -ESRCH, "no such cpu");
	is(r, 13, -ENOSYS, "a ninth call");
	is(r, 14, -EFAULT, "a record that is not there");
	is(r, 15, -EINVAL, "a record too short");
	box_info(&b, &info);
	tap_ok(info.calls[LBX_SOUTH_wait] == 7 && info.calls[LBX_SOUTH_kick] == 2, "calls are counted");
	done();

	box_make(&b, NULL);
	box_run(&b, exits, NULL);
	st = box_wait(&b);
	tap_ok(b.ram->result[0] == -EINVAL, "a status that is none");
	tap_ok(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL, "exit ends all members");
	box_info(&b, &info);
	tap_ok((info.flags & LBX_INFO_EXITED) && info.status == 42, "and the owner learns its status");
	box_end(&b);
	return tap_end();
}
