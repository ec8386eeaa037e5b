/* SPDX-License-Identifier: MIT */
/*
 * Sockets: what is the same for every address family. A family fills in struct socket_ops and embeds struct socket in its own object;
 * the file on top of it, the options of SOL_SOCKET and the system calls are common.
 */
#ifndef LIB_IPC_SOCKET_H
#define LIB_IPC_SOCKET_H

#include "fs/file.h"

#ifdef LBX_HAVE_LIBC
#include <sys/socket.h>		/* the same numbers; unit tests need both */
#endif

#define LINUX_AF_UNSPEC	0
#define LINUX_AF_UNIX	1
#define LINUX_AF_MAX	46

#define LINUX_SOCK_STREAM	1u
#define LINUX_SOCK_DGRAM	2u
#define LINUX_SOCK_RAW		3u
#define LINUX_SOCK_SEQPACKET	5u
#define LINUX_SOCK_TYPE_MASK	0xfu
#define LINUX_SOCK_TYPE_MAX	11u

#define LINUX_MSG_OOB		0x1u
#define LINUX_MSG_PEEK		0x2u
#define LINUX_MSG_CTRUNC	0x8u
#define LINUX_MSG_TRUNC		0x20u
#define LINUX_MSG_DONTWAIT	0x40u
#define LINUX_MSG_EOR		0x80u
#define LINUX_MSG_WAITALL	0x100u
#define LINUX_MSG_NOSIGNAL	0x4000u
#define LINUX_MSG_WAITFORONE	0x10000u
#define LINUX_MSG_CMSG_CLOEXEC	0x40000000u

/* shutdown(2), and what is shut */
#define SHUT_RECEIVE	1u
#define SHUT_SEND	2u
#define SHUT_BOTH	3u

#define SOCKBUF_DEFAULT	212992u		/* also the most that SO_SNDBUF and SO_RCVBUF ask for, before doubling */
#define SOCKBUF_MIN_SEND 4608u
#define SOCKBUF_MIN_RECV 2304u
#define SOCKET_BACKLOG_MAX 4096u	/* /proc/sys/net/core/somaxconn */

/* An address as a program passes it; @len bytes count. */
struct sockaddr_any {
	u32 len;
	union {
		u16 family;
		u8 data[128];
	};
};

/* SCM_CREDENTIALS, SO_PEERCRED */
struct ucred_abi {
	s32 pid;
	u32 uid, gid;
};

struct scm_files;

/* One message on its way in or out. */
struct sock_msg {
	struct uio *uio;
	const struct sockaddr_any *to;	/* send: where to, or NULL */
	struct sockaddr_any *from;	/* receive: filled when not NULL */
	u32 flags;			/* MSG_*, of the call */
	u32 out_flags;			/* receive: MSG_TRUNC */
	struct scm_files *files;	/* SCM_RIGHTS; send: taken over on success; receive: the caller's */
	struct ucred_abi cred;		/* send: valid when has_cred; receive: of the sender */
	bool has_cred;
};

struct socket;

/* Nonblocking is MSG_DONTWAIT in flags, or @nonblock. NULL: EOPNOTSUPP. */
struct socket_ops {
	u32 family;
	int (*bind)(struct socket *s, const struct sockaddr_any *addr);
	int (*connect)(struct socket *s, const struct sockaddr_any *addr, bool nonblock);
	int (*listen)(struct socket *s, u32 backlog);
	struct socket *(*accept)(struct socket *s, bool nonblock);	/* the new one without a file, or ERR_PTR */
	int (*pair)(struct socket *a, struct socket *b);
	int (*getname)(struct socket *s, struct sockaddr_any *addr, bool peer);
	int (*shutdown)(struct socket *s, u32 what);
	ssize_t (*send)(struct socket *s, struct sock_msg *m);
	ssize_t (*receive)(struct socket *s, struct sock_msg *m);
	u32 (*poll)(struct socket *s, struct file *f, struct poll_table *pt);
	long (*ioctl)(struct socket *s, u32 cmd, u64 arg);
	/* SOL_SOCKET options that only the family can answer. Return: length, or -ENOPROTOOPT */
	ssize_t (*getopt)(struct socket *s, u32 name, void *buf, size_t size);
	void (*flush)(struct socket *s);	/* a descriptor of it is closed; others may be left */
	void (*release)(struct socket *s);	/* its file is gone */
};

struct socket {
	const struct socket_ops *ops;
	u32 type;			/* SOCK_* */
	u32 protocol;
	struct file *file;		/* no reference; NULL before accept */
	struct wait_queue wait;		/* readers (exclusive), writers, pollers */
	s32 error;			/* positive, for SO_ERROR and the next call; atomic */
	u64 options;			/* BIT(SO_*) of the yes-or-no ones; atomic */
	u32 sndbuf, rcvbuf, rcvlowat;
	s32 priority, mark;
	s64 sndtimeo, rcvtimeo;		/* ns, FOREVER */
	s32 linger_on, linger_time;
};

#define LINUX_SO_PASSCRED	16

void socket_init(struct socket *s, const struct socket_ops *ops, u32 type);
static inline bool socket_option(const struct socket *s, u32 opt) { return load_relaxed(&s->options) & BIT(opt); }

/* socket_create() - without a file yet. Return: a socket, or ERR_PTR(-EAFNOSUPPORT, -ESOCKTNOSUPPORT, …). Source: socket(2) */
__must_check struct socket *socket_create(u32 family, u32 type, u32 protocol);
/* socket_file() - @flags: O_NONBLOCK. The socket is the file's from then on; on failure (NULL) it has been released */
__must_check struct file *socket_file(struct socket *s, u32 flags);
/* file_socket() - NULL: not a socket */
struct socket *file_socket(const struct file *f);

/* socket_error() - take the pending error. Return: 0 or negative */
int socket_error(struct socket *s);
void socket_set_error(struct socket *s, int err);
/* socket_deadline() - until when a call may sleep */
s64 socket_deadline(s64 timeo, bool nonblock);
/* socket_interrupted() - what a call that a signal ended returns */
int socket_interrupted(s64 deadline);

/* Options of SOL_SOCKET. get: Return: length or -ENOPROTOOPT. set: 0, -EINVAL, -EDOM, -EPERM, -ENOPROTOOPT */
ssize_t socket_getopt(struct socket *s, u32 name, void *buf, size_t size);
int socket_setopt(struct socket *s, u32 name, const void *val, size_t len);

#endif
