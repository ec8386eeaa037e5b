// SPDX-License-Identifier: MIT
/* epoll_create(2), epoll_ctl(2), epoll_wait(2) and their kin. */
#include "ipc/epoll.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/signal.h"

static long do_epoll_create(u32 flags)
{
	struct file *f = epoll_open();

	return f ? fd_add(f, flags) : -ENOMEM;
}

SYSCALL_DEFINE(epoll_create)
{
	return (int)a[0] <= 0 ? -EINVAL : do_epoll_create(0);
}

SYSCALL_DEFINE(epoll_create1)
{
	return (u32)a[0] & ~O_CLOEXEC ? -EINVAL : do_epoll_create((u32)a[0]);
}

SYSCALL_DEFINE(epoll_ctl)
{
	int op = (int)a[1], fd = (int)a[2];
	struct epoll_event_abi ev = { 0, 0 };
	struct file *epf, *target;
	long ret = -EBADF;

	if (op != EPOLL_CTL_DEL && get_user(ev, a[3]))
		return -EFAULT;
	epf = fd_get((int)a[0]);
	if (!epf)
		return ret;
	target = fd_get(fd);
	if (target) {
		ret = epoll_ctl(epf, op, target, fd, &ev);
		file_put(target);
	}
	file_put(epf);
	return ret;
}

static long do_epoll_wait(const u64 *a, s64 deadline)
{
	int max = (int)a[2];
	struct file *epf;
	long ret;

	if (max <= 0 || max > (int)(INT32_MAX / sizeof(struct epoll_event_abi)))
		return -EINVAL;
	if (!access_ok(a[1], max * sizeof(struct epoll_event_abi)))
		return -EFAULT;
	epf = fd_get((int)a[0]);
	if (!epf)
		return -EBADF;
	ret = file_is_epoll(epf) ? epoll_collect(epf, a[1], max, deadline) : -EINVAL;
	file_put(epf);
	return ret;
}

static s64 deadline_from_ms(int timeout)
{
	return timeout < 0 ? FOREVER : deadline_after(timeout * NSEC_PER_MSEC);
}

SYSCALL_DEFINE(epoll_wait)
{
	return do_epoll_wait(a, deadline_from_ms((int)a[3]));
}

static long epoll_wait_masked(const u64 *a, s64 deadline)
{
	long ret = signal_set_user_mask(a[4], a[5]);

	if (ret)
		return ret;
	ret = do_epoll_wait(a, deadline);
	signal_restore_mask(ret == -EINTR);
	return ret;
}

SYSCALL_DEFINE(epoll_pwait)
{
	return epoll_wait_masked(a, deadline_from_ms((int)a[3]));
}

SYSCALL_DEFINE(epoll_pwait2)
{
	s64 deadline;
	int ret = deadline_from_user(&deadline, a[3]);

	return ret ? ret : epoll_wait_masked(a, deadline);
}
