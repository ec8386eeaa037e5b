/* SPDX-License-Identifier: MIT */
/* Messages of sockets as programs pass them: sendmsg(2), recvmsg(2), cmsg(3). */
#ifndef LIB_NORTH_LINUX_SOCKMSG_H
#define LIB_NORTH_LINUX_SOCKMSG_H

#include "ipc/scm.h"
#include "ipc/socket.h"

struct msghdr_abi {
	u64 name;
	u32 namelen, pad1;
	u64 iov, iovlen;
	u64 control, controllen;
	u32 flags, pad2;
};
_Static_assert(sizeof(struct msghdr_abi) == 56, "struct msghdr of x86-64");

struct mmsghdr_abi {
	struct msghdr_abi hdr;
	u32 len, pad;
};
_Static_assert(sizeof(struct mmsghdr_abi) == 64, "struct mmsghdr of x86-64");

/* socket_get() - the socket of a descriptor, with a reference to its file. Return: 0, -EBADF, -ENOTSOCK */
__must_check int socket_get(int fd, struct file **f, struct socket **s);

#define IOV_INLINE	8u

/* A list of ranges that was copied in. */
struct iov_list {
	struct uio uio;
	struct iov *iov;
	struct iov small[IOV_INLINE];
};

/* iov_list_get() - Return: 0, -EMSGSIZE (too many), -EINVAL, -EFAULT, -ENOMEM */
__must_check int iov_list_get(struct iov_list *l, u64 user, u64 nr);
void iov_list_put(struct iov_list *l);

/* sockaddr_from_user() - Return: 0, -EINVAL, -EFAULT */
__must_check int sockaddr_from_user(struct sockaddr_any *addr, u64 user, u32 len);
/* sockaddr_to_user() - @ulen: address of the length, in: room, out: what the address has. Return: 0, -EINVAL, -EFAULT */
__must_check int sockaddr_to_user(const struct sockaddr_any *addr, u64 user, u64 ulen);

/* control_from_user() - fills m->files, m->cred. Return: 0, -EINVAL, -EBADF, -EPERM, -ENOBUFS, -EFAULT, -ENOMEM */
__must_check int control_from_user(struct sock_msg *m, u64 control, u64 len);
/*
 * control_to_user() - writes credentials and installs files; m->files is used up
 * @hdr: control and controllen say where; controllen is set to what was used, MSG_CTRUNC may be added to @flags
 */
void control_to_user(struct sock_msg *m, struct msghdr_abi *hdr, bool want_cred, u32 *flags);

#endif
