/* SPDX-License-Identifier: MIT */
/*
 * The program's memory is touched through these alone: range-checked against the program window, faults (SIGSEGV or SIGBUS of
 * the South, a page fault in a guest) end in -EFAULT by the exception table. None may be called with a spinlock held: a fault may sleep.
 */
#ifndef LIB_MM_UACCESS_H
#define LIB_MM_UACCESS_H

#include "base/types.h"

/* access_ok() - [addr, addr + len) lies in the program window; says nothing of what is mapped there */
bool access_ok(u64 addr, u64 len);

/* Return: 0 or -EFAULT; after -EFAULT an unknown part was copied */
__must_check int copy_from_user(void *dst, u64 src, size_t n);
__must_check int copy_to_user(u64 dst, const void *src, size_t n);
__must_check int clear_user(u64 dst, size_t n);
/* copy_{from,to}_user_partial() - Return: bytes copied before the first fault (page granular or better), 0..n */
size_t copy_from_user_partial(void *dst, u64 src, size_t n);
size_t copy_to_user_partial(u64 dst, const void *src, size_t n);

/* strncpy_from_user() - Return: length without NUL; @n when there was no NUL in @n bytes; -EFAULT */
__must_check ssize_t strncpy_from_user(char *dst, u64 src, size_t n);
/* strnlen_user() - Return: length without NUL, @n when longer, -EFAULT */
__must_check ssize_t strnlen_user(u64 src, size_t n);

#define get_user(x, addr)	copy_from_user(&(x), (addr), sizeof(x))
#define put_user(x, addr)	({ typeof(x) _v = (x); copy_to_user((addr), &_v, sizeof(_v)); })

/* Atomic 32-bit operations on aligned words of the program (futex). Return: 0 or -EFAULT; *@old is what was there. */
__must_check int user_load32(u64 addr, u32 *val);
__must_check int user_cmpxchg32(u64 addr, u32 expect, u32 new, u32 *old);
__must_check int user_xchg32(u64 addr, u32 new, u32 *old);
__must_check int user_add32(u64 addr, u32 val, u32 *old);
__must_check int user_or32(u64 addr, u32 val, u32 *old);
__must_check int user_and32(u64 addr, u32 val, u32 *old);
__must_check int user_xor32(u64 addr, u32 val, u32 *old);

/*
 * A list of ranges to move bytes from or to: the program's or the library kernel's own.
 * The array belongs to whoever made the uio; copying advances it.
 */
struct iov {
	u64 base;		/* address */
	u64 len;		/* bytes */
};

struct uio {
	struct iov *iov;	/* changed while advancing */
	u32 nr;
	bool user;		/* the program's memory, else the library kernel's */
	size_t left;		/* bytes in all that are left */
	u32 flags;		/* UIO_* */
};
#define UIO_APPEND		1u	/* pwritev2(RWF_APPEND): at the end of the file, whatever the position */

#define UIO_MAX_IOV		1024
/* The most that one read or write moves: Linux's MAX_RW_COUNT. */
#define MAX_RW_COUNT		0x7ffff000ul

void uio_init_kernel(struct uio *u, struct iov *iov, void *buf, size_t len);
/* uio_init_user() - one range; Return: -EFAULT when it lies outside the program window; longer than MAX_RW_COUNT is cut */
__must_check int uio_init_user(struct uio *u, struct iov *iov, u64 buf, size_t len);

/* uio_put() - library kernel -> uio (a read); uio_get() - uio -> library kernel (a write).
 * Return: bytes moved (fewer than @n when the uio ends or faults part way), or -EFAULT when the first byte faults. */
ssize_t uio_put(struct uio *u, const void *src, size_t n);
ssize_t uio_get(struct uio *u, void *dst, size_t n);
ssize_t uio_zero(struct uio *u, size_t n);
void uio_advance(struct uio *u, size_t n);

#endif
