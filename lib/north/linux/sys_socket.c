// SPDX-License-Identifier: MIT
/* Sockets: making, naming, connecting, options. Messages are in sys_sockmsg.c. */
#include "north/linux/sockmsg.h"
#include "north/linux/syscall.h"

#define SOL_SOCKET_ABI	1
#define OPTION_MAX	256u	/* no option of SOL_SOCKET is longer */

/* type and flags of socket(2) and socketpair(2) */
static int split_type(u32 *type, u32 *flags)
{
	*flags = *type & ~LINUX_SOCK_TYPE_MASK;
	*type &= LINUX_SOCK_TYPE_MASK;
	return *flags & ~(O_CLOEXEC | O_NONBLOCK) ? -EINVAL : 0;
}

SYSCALL_DEFINE(socket)
{
	u32 type = (u32)a[1], flags;
	struct socket *s;
	struct file *f;
	int ret = split_type(&type, &flags);

	if (ret)
		return ret;
	s = socket_create((u32)a[0], type, (u32)a[2]);
	if (IS_ERR(s))
		return PTR_ERR(s);
	f = socket_file(s, flags);
	return f ? fd_add(f, flags & O_CLOEXEC) : -ENFILE;
}

static int create_pair(u32 family, u32 type, u32 protocol, u32 flags, struct file *f[2])
{
	struct socket *s[2];
	int ret;

	s[0] = socket_create(family, type, protocol);
	if (IS_ERR(s[0]))
		return PTR_ERR(s[0]);
	s[1] = socket_create(family, type, protocol);
	if (IS_ERR(s[1])) {
		s[0]->ops->release(s[0]);
		return PTR_ERR(s[1]);
	}
	ret = s[0]->ops->pair ? s[0]->ops->pair(s[0], s[1]) : -EOPNOTSUPP;
	if (ret) {
		s[0]->ops->release(s[0]);
		s[1]->ops->release(s[1]);
		return ret;
	}
	f[0] = socket_file(s[0], flags);
	f[1] = socket_file(s[1], flags);
	if (f[0] && f[1])
		return 0;
	if (f[0])
		file_put(f[0]);
	if (f[1])
		file_put(f[1]);
	return -ENFILE;
}

SYSCALL_DEFINE(socketpair)
{
	u32 type = (u32)a[1], flags;
	struct file *f[2] = { NULL, NULL };
	s32 fd[2];
	int ret = split_type(&type, &flags);

	if (!ret)
		ret = create_pair((u32)a[0], type, (u32)a[2], flags, f);
	if (ret)
		return ret;
	ret = fd[0] = fd_reserve(flags & O_CLOEXEC, 0);
	if (ret < 0)
		goto err_put_files;
	ret = fd[1] = fd_reserve(flags & O_CLOEXEC, 0);
	if (ret < 0)
		goto err_unreserve_first;
	if (copy_to_user(a[3], fd, sizeof(fd))) {
		ret = -EFAULT;
		goto err_unreserve_both;
	}
	fd_install(fd[0], f[0]);
	fd_install(fd[1], f[1]);
	return 0;

err_unreserve_both:
	fd_unreserve(fd[1]);
err_unreserve_first:
	fd_unreserve(fd[0]);
err_put_files:
	file_put(f[0]);
	file_put(f[1]);
	return ret;
}

SYSCALL_DEFINE(bind)
{
	struct sockaddr_any addr;
	struct socket *s;
	struct file *f;
	int ret = socket_get((int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = sockaddr_from_user(&addr, a[1], (u32)a[2]);
	if (!ret)
		ret = s->ops->bind ? s->ops->bind(s, &addr) : -EOPNOTSUPP;
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(connect)
{
	struct sockaddr_any addr;
	struct socket *s;
	struct file *f;
	int ret = socket_get((int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = sockaddr_from_user(&addr, a[1], (u32)a[2]);
	if (!ret)
		ret = s->ops->connect ? s->ops->connect(s, &addr, f->flags & O_NONBLOCK) : -EOPNOTSUPP;
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(listen)
{
	struct socket *s;
	struct file *f;
	int ret = socket_get((int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = s->ops->listen ? s->ops->listen(s, (u32)a[1]) : -EOPNOTSUPP;
	file_put(f);
	return ret;
}

/* Return: a number, or -errno; then the connection is closed */
static long install_accepted(struct socket *child, const u64 *a, u32 flags)
{
	struct file *f = socket_file(child, flags);
	struct sockaddr_any addr = { 0 };
	int fd, ret = 0;

	if (!f)
		return -ENFILE;
	fd = fd_reserve(flags & O_CLOEXEC, 0);
	if (fd < 0) {
		file_put(f);
		return fd;
	}
	if (a[1]) {
		ret = child->ops->getname(child, &addr, true);
		ret = ret ? -ECONNABORTED : sockaddr_to_user(&addr, a[1], a[2]);
	}
	if (ret) {
		fd_unreserve(fd);
		file_put(f);
		return ret;
	}
	fd_install(fd, f);
	return fd;
}

static long do_accept(const u64 *a, u32 flags)
{
	struct socket *s, *child;
	struct file *f;
	long ret;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	ret = socket_get((int)a[0], &f, &s);
	if (ret)
		return ret;
	child = s->ops->accept ? s->ops->accept(s, f->flags & O_NONBLOCK) : ERR_PTR(-EOPNOTSUPP);
	ret = IS_ERR(child) ? PTR_ERR(child) : install_accepted(child, a, flags);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(accept)
{
	return do_accept(a, 0);
}

SYSCALL_DEFINE(accept4)
{
	return do_accept(a, (u32)a[3]);
}

static long do_getname(const u64 *a, bool peer)
{
	struct sockaddr_any addr = { 0 };
	struct socket *s;
	struct file *f;
	int ret = socket_get((int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = s->ops->getname(s, &addr, peer);
	if (!ret)
		ret = sockaddr_to_user(&addr, a[1], a[2]);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(getsockname)
{
	return do_getname(a, false);
}

SYSCALL_DEFINE(getpeername)
{
	return do_getname(a, true);
}

SYSCALL_DEFINE(shutdown)
{
	static const u32 what[] = { SHUT_RECEIVE, SHUT_SEND, SHUT_BOTH };
	u32 how = (u32)a[1];
	struct socket *s;
	struct file *f;
	int ret = socket_get((int)a[0], &f, &s);

	if (ret)
		return ret;
	if (how >= ARRAY_SIZE(what))
		ret = -EINVAL;
	else
		ret = s->ops->shutdown ? s->ops->shutdown(s, what[how]) : -EOPNOTSUPP;
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(setsockopt)
{
	s32 len = (s32)a[4];
	u8 buf[OPTION_MAX];
	struct socket *s;
	struct file *f;
	int ret;

	if (len < 0)
		return -EINVAL;
	ret = socket_get((int)a[0], &f, &s);
	if (ret)
		return ret;
	len = min_t(u32, len, sizeof(buf));
	if ((u32)a[1] != SOL_SOCKET_ABI)
		ret = -EOPNOTSUPP;
	else if (copy_from_user(buf, a[3], len))
		ret = -EFAULT;
	else
		ret = socket_setopt(s, (u32)a[2], buf, len);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(getsockopt)
{
	u8 buf[OPTION_MAX];
	struct socket *s;
	struct file *f;
	ssize_t ret;
	s32 len;

	ret = socket_get((int)a[0], &f, &s);
	if (ret)
		return ret;
	if ((u32)a[1] != SOL_SOCKET_ABI)
		ret = -EOPNOTSUPP;
	else if (get_user(len, a[4]))
		ret = -EFAULT;
	else if (len < 0)
		ret = -EINVAL;
	else
		ret = socket_getopt(s, (u32)a[2], buf, min_t(u32, len, sizeof(buf)));
	file_put(f);
	if (ret < 0)
		return ret;
	len = ret;
	return copy_to_user(a[3], buf, len) || put_user(len, a[4]) ? -EFAULT : 0;
}
