/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The errors that cross the boundary, positive; a call answers with the
 * negative. The numbers are those of Linux (asm-generic), whatever the host.
 * selftests/uapi compares them with the C library's.
 */
#ifndef LBX_UAPI_ERRNO_H
#define LBX_UAPI_ERRNO_H

#define LBX_EPERM	1	/* a right that the handle lacks: EXEC */
#define LBX_ESRCH	3	/* no such cpu */
#define LBX_EINTR	4
#define LBX_EIO		5
#define LBX_E2BIG	7	/* the record's tail has content unknown here */
#define LBX_EBADF	9	/* no such handle, or without READ or WRITE */
#define LBX_EAGAIN	11	/* a limit of the sandbox, or would block */
#define LBX_ENOMEM	12
#define LBX_EACCES	13	/* mapping: a right that the handle lacks */
#define LBX_EFAULT	14	/* an address outside of its window */
#define LBX_EBUSY	16
#define LBX_EEXIST	17	/* the handle is taken */
#define LBX_ENODEV	19	/* this kind of handle cannot be mapped */
#define LBX_EINVAL	22	/* a malformed word */
#define LBX_EMFILE	24	/* no room for one more handle */
#define LBX_ENOSPC	28
#define LBX_ESPIPE	29	/* an offset on a stream */
#define LBX_EPIPE	32
#define LBX_ENOSYS	38	/* no such call */
#define LBX_EMSGSIZE	90
#define LBX_ETIMEDOUT	110

#endif /* LBX_UAPI_ERRNO_H */
