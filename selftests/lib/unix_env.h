/* SPDX-License-Identifier: MIT */
/* What the tests of AF_UNIX sockets share. */
#ifndef SELFTESTS_LIB_UNIX_ENV_H
#define SELFTESTS_LIB_UNIX_ENV_H

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "ipc_env.h"

#include "ipc/unix.h"
#include "process/limits.h"
#include "sched/time.h"

/* what libc shows to _GNU_SOURCE only, which our own headers do not like */
#ifndef SCM_CREDENTIALS
#define SCM_CREDENTIALS 2
struct mmsghdr {
	struct msghdr msg_hdr;
	unsigned int msg_len;
};
#endif

static char big[300000], back[300000];

static inline int unix_socket(int type)
{
	return CALL(socket, AF_UNIX, type, 0);
}

/* An abstract name. */
static inline socklen_t name_of(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path + 1, name, strlen(name));
	return 2 + 1 + strlen(name);
}

static inline int bind_to(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = name_of(&a, name);

	return CALL(bind, fd, &a, len);
}

static inline int connect_to(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = name_of(&a, name);

	return CALL(connect, fd, &a, len);
}

static inline ssize_t send_to(int fd, const char *name, const void *buf, size_t n, int flags)
{
	struct sockaddr_un a;
	socklen_t len = name ? name_of(&a, name) : 0;

	return CALL(sendto, fd, buf, n, flags, name ? &a : NULL, len);
}

static inline ssize_t receive(int fd, void *buf, size_t n, int flags)
{
	return CALL(recvfrom, fd, buf, n, flags, 0, 0);
}

static inline ssize_t send_fds(int fd, const int *fds, int nr, const void *data, size_t n)
{
	union { char buf[CMSG_SPACE(300 * 4)]; struct cmsghdr h; } c;
	struct iovec v = { (void *)data, n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	memset(&c, 0, sizeof(c));
	c.h.cmsg_len = CMSG_LEN(nr * 4);
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&c.h), fds, nr * 4);
	m.msg_control = &c;
	m.msg_controllen = CMSG_SPACE(nr * 4);
	return CALL(sendmsg, fd, &m, MSG_DONTWAIT);
}

/* Return: how many came, -errno; *flags: msg_flags */
static inline int receive_fds(int fd, int *fds, int room, int flags_in, int *flags)
{
	union { char buf[CMSG_SPACE(300 * 4)]; struct cmsghdr h; } c;
	char data[64];
	struct iovec v = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = CMSG_LEN(room * 4) };
	ssize_t ret = CALL(recvmsg, fd, &m, MSG_DONTWAIT | flags_in);
	int nr;

	if (ret < 0)
		return ret;
	if (flags)
		*flags = m.msg_flags;
	if (m.msg_controllen < sizeof(c.h) || c.h.cmsg_type != SCM_RIGHTS)
		return 0;
	nr = (c.h.cmsg_len - CMSG_LEN(0)) / 4;
	memcpy(fds, CMSG_DATA(&c.h), nr * 4);
	return nr;
}

static inline int set_option(int fd, int name, int val)
{
	return CALL(setsockopt, fd, SOL_SOCKET, name, &val, sizeof(val));
}

static inline void pair(int type, int s[2])
{
	EXPECT_EQ(CALL(socketpair, AF_UNIX, type, 0, s), 0);
}

static long allocs_at_start;
static struct timer never;

static inline void never_fires(struct timer *t)
{
	(void)t;
}

/* The cache gives each name that was used a second chance, and a parent goes after its children. */
static inline void forget_names(void)
{
	for (int i = 0; i < 4; i++)
		dcache_prune(1000);
}

static inline void nothing_is_leaked(void)
{
	forget_names();
	EXPECT_EQ(fake_allocs, allocs_at_start);
}

/* Before the first test: a tree, the timer thread, bytes to send. */
static inline void unix_env_boot(void)
{
	env_boot();
	env_tree();
	timer_init(&never, never_fires);	/* the timer thread is there from the start: no leak later */
	timer_start(&never, clock_monotonic() + 1000 * NSEC_PER_SEC);
	for (u32 i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 13 + i / 257);
	forget_names();
	allocs_at_start = fake_allocs;
}

#endif
