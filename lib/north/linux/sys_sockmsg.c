// SPDX-License-Identifier: MIT
/* Sending and receiving: sendto(2), sendmsg(2), sendmmsg(2), recvfrom(2), recvmsg(2), recvmmsg(2). */
#include "north/linux/sockmsg.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/task.h"

/* A signal that comes while we wait with a timeout set by SO_RCVTIMEO ends the call; all else is the socket's answer. */
static u32 call_flags(const struct file *f, u32 flags)
{
	return f->flags & O_NONBLOCK ? flags | LINUX_MSG_DONTWAIT : flags;
}

SYSCALL_DEFINE(sendto)
{
	struct sockaddr_any addr;
	struct sock_msg m = { 0 };
	struct socket *s;
	struct file *f;
	struct uio uio;
	struct iov iov;
	ssize_t ret;

	if (uio_init_user(&uio, &iov, a[1], a[2]))
		return -EFAULT;
	ret = socket_get((int)a[0], &f, &s);
	if (ret)
		return ret;
	m.uio = &uio;
	m.flags = call_flags(f, (u32)a[3]);
	if (a[4]) {
		ret = sockaddr_from_user(&addr, a[4], (u32)a[5]);
		m.to = &addr;
	}
	if (!ret)
		ret = s->ops->send(s, &m);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(recvfrom)
{
	struct sockaddr_any addr = { 0 };
	struct sock_msg m = { 0 };
	struct socket *s;
	struct file *f;
	struct uio uio;
	struct iov iov;
	ssize_t ret;

	if (uio_init_user(&uio, &iov, a[1], a[2]))
		return -EFAULT;
	ret = socket_get((int)a[0], &f, &s);
	if (ret)
		return ret;
	m.uio = &uio;
	m.flags = call_flags(f, (u32)a[3]);
	m.from = a[4] ? &addr : NULL;
	ret = s->ops->receive(s, &m);
	scm_files_put(m.files);
	if (ret >= 0 && a[4] && sockaddr_to_user(&addr, a[4], a[5]))
		ret = -EFAULT;
	file_put(f);
	return ret;
}

static ssize_t send_one(struct file *f, struct socket *s, const struct msghdr_abi *hdr, u32 flags)
{
	struct sock_msg m = { .flags = call_flags(f, flags) };
	struct sockaddr_any addr;
	struct iov_list iov;
	ssize_t ret;

	if (hdr->name && hdr->namelen) {
		if ((s32)hdr->namelen < 0)
			return -EINVAL;
		ret = sockaddr_from_user(&addr, hdr->name, min_t(u32, hdr->namelen, sizeof(addr.data)));
		if (ret)
			return ret;
		m.to = &addr;
	}
	ret = iov_list_get(&iov, hdr->iov, hdr->iovlen);
	if (ret)
		return ret;
	m.uio = &iov.uio;
	if (hdr->control && hdr->controllen)
		ret = control_from_user(&m, hdr->control, hdr->controllen);
	if (!ret)
		ret = s->ops->send(s, &m);
	scm_files_put(m.files);	/* what was not sent */
	iov_list_put(&iov);
	return ret;
}

/* @hdr is updated as the program will see it. */
static ssize_t receive_one(struct file *f, struct socket *s, struct msghdr_abi *hdr, u64 uhdr, u32 flags)
{
	struct sockaddr_any addr = { 0 };
	struct sock_msg m = { .flags = call_flags(f, flags), .from = hdr->name ? &addr : NULL };
	struct iov_list iov;
	u32 out;
	ssize_t ret;

	if ((s32)hdr->namelen < 0)
		return -EINVAL;
	ret = iov_list_get(&iov, hdr->iov, hdr->iovlen);
	if (ret)
		return ret;
	m.uio = &iov.uio;
	ret = s->ops->receive(s, &m);
	iov_list_put(&iov);
	if (ret < 0) {
		scm_files_put(m.files);
		return ret;
	}
	out = m.out_flags | (flags & LINUX_MSG_CMSG_CLOEXEC);
	if (!hdr->control)
		hdr->controllen = 0;
	control_to_user(&m, hdr, socket_option(s, LINUX_SO_PASSCRED), &out);
	if (hdr->name && sockaddr_to_user(&addr, hdr->name, uhdr + offsetof(struct msghdr_abi, namelen)))
		return -EFAULT;
	if (put_user(out, uhdr + offsetof(struct msghdr_abi, flags)) ||
	    put_user(hdr->controllen, uhdr + offsetof(struct msghdr_abi, controllen)))
		return -EFAULT;
	return ret;
}

SYSCALL_DEFINE(sendmsg)
{
	struct msghdr_abi hdr;
	struct socket *s;
	struct file *f;
	ssize_t ret = socket_get((int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = get_user(hdr, a[1]) ? -EFAULT : send_one(f, s, &hdr, (u32)a[2]);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(recvmsg)
{
	struct msghdr_abi hdr;
	struct socket *s;
	struct file *f;
	ssize_t ret = socket_get((int)a[0], &f, &s);

	if (ret)
		return ret;
	ret = get_user(hdr, a[1]) ? -EFAULT : receive_one(f, s, &hdr, a[1], (u32)a[2]);
	file_put(f);
	return ret;
}

static u64 mmsg_at(u64 user, u32 i)
{
	return user + (u64)i * sizeof(struct mmsghdr_abi);
}

static ssize_t put_mmsg_len(u64 user, u32 len)
{
	return put_user(len, user + offsetof(struct mmsghdr_abi, len));
}

SYSCALL_DEFINE(sendmmsg)
{
	u32 nr = min_t(u32, (u32)a[2], UIO_MAX_IOV), done = 0;
	struct msghdr_abi hdr;
	struct socket *s;
	struct file *f;
	ssize_t ret = socket_get((int)a[0], &f, &s);

	if (ret)
		return ret;
	for (; done < nr; done++) {
		u64 user = mmsg_at(a[1], done);

		ret = get_user(hdr, user) ? -EFAULT : send_one(f, s, &hdr, (u32)a[3]);
		if (ret >= 0)
			ret = put_mmsg_len(user, ret);
		if (ret < 0)
			break;
	}
	file_put(f);
	return done ? done : ret;
}

SYSCALL_DEFINE(recvmmsg)
{
	u32 nr = min_t(u32, (u32)a[2], UIO_MAX_IOV), done = 0, flags = (u32)a[3];
	struct linux_timespec left;
	struct msghdr_abi hdr;
	struct socket *s;
	struct file *f;
	s64 deadline;
	ssize_t ret = deadline_from_user(&deadline, a[4]);

	if (!ret)
		ret = socket_get((int)a[0], &f, &s);
	if (ret)
		return ret;
	ret = socket_error(s);
	while (!ret && done < nr) {
		u64 user = mmsg_at(a[1], done);

		ret = get_user(hdr, user) ? -EFAULT : receive_one(f, s, &hdr, user, flags & ~LINUX_MSG_WAITFORONE);
		if (ret >= 0)
			ret = put_mmsg_len(user, ret);
		if (ret < 0)
			break;
		done++;
		if (flags & LINUX_MSG_WAITFORONE)
			flags |= LINUX_MSG_DONTWAIT;
		/* recvmmsg(2), BUGS: the timeout is looked at after each message only */
		if (a[4] && clock_monotonic() >= deadline)
			break;
	}
	if (a[4] && done) {
		left = ns_to_timespec(max_t(s64, deadline - clock_monotonic(), 0));
		if (copy_to_user(a[4], &left, sizeof(left)))
			done = 0, ret = -EFAULT;
	}
	/* an error after the first message is for the next call */
	if (done && ret < 0 && ret != -EAGAIN && ret != -EFAULT && ret > -ERESTARTSYS)
		socket_set_error(s, -ret);
	file_put(f);
	return done ? done : ret;
}
