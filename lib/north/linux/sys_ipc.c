// SPDX-License-Identifier: MIT
/* pipe(2), eventfd(2), signalfd(2), timerfd_create(2) and their kin. */
#include "ipc/eventfd.h"
#include "ipc/pipe.h"
#include "ipc/signalfd.h"
#include "ipc/timerfd.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/cred.h"
#include "process/signal.h"

static long do_pipe(u64 user, u32 flags)
{
	struct file *r, *w;
	s32 fd[2];
	long ret;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	ret = pipe_create(&r, &w, flags);
	if (ret)
		return ret;
	ret = fd[0] = fd_reserve(flags & O_CLOEXEC, 0);
	if (ret < 0)
		goto err_put_files;
	ret = fd[1] = fd_reserve(flags & O_CLOEXEC, 0);
	if (ret < 0)
		goto err_unreserve_first;
	if (copy_to_user(user, fd, sizeof(fd))) {
		ret = -EFAULT;
		goto err_unreserve_both;
	}
	fd_install(fd[0], r);
	fd_install(fd[1], w);
	return 0;

err_unreserve_both:
	fd_unreserve(fd[1]);
err_unreserve_first:
	fd_unreserve(fd[0]);
err_put_files:
	file_put(r);
	file_put(w);
	return ret;
}

SYSCALL_DEFINE(pipe)
{
	return do_pipe(a[0], 0);
}

SYSCALL_DEFINE(pipe2)
{
	return do_pipe(a[0], (u32)a[1]);
}

static long add_or_nomem(struct file *f, u32 flags)
{
	return f ? fd_add(f, flags & O_CLOEXEC) : -ENOMEM;
}

SYSCALL_DEFINE(eventfd)
{
	return add_or_nomem(eventfd_create((u32)a[0], 0), 0);
}

SYSCALL_DEFINE(eventfd2)
{
	u32 flags = (u32)a[1];

	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	return add_or_nomem(eventfd_create((u32)a[0], flags), flags);
}

static long do_signalfd(int fd, u64 umask, u64 size, u32 flags)
{
	struct file *f;
	sigset_t mask;
	long ret;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK) || size != sizeof(mask))
		return -EINVAL;
	if (get_user(mask, umask))
		return -EFAULT;
	if (fd == -1)
		return add_or_nomem(signalfd_open(mask, flags), flags);
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	ret = signalfd_set(f, mask);
	file_put(f);
	return ret ? ret : fd;
}

SYSCALL_DEFINE(signalfd)
{
	return do_signalfd((int)a[0], a[1], a[2], 0);
}

SYSCALL_DEFINE(signalfd4)
{
	return do_signalfd((int)a[0], a[1], a[2], (u32)a[3]);
}

SYSCALL_DEFINE(timerfd_create)
{
	u32 clock = (u32)a[0], flags = (u32)a[1];

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	switch (clock) {
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		if (!capable(CAP_WAKE_ALARM))
			return -EPERM;
		break;
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		break;
	default:
		return -EINVAL;
	}
	return add_or_nomem(timerfd_open(clock, flags), flags);
}

static struct linux_itimerspec spec_to_user(const struct timerfd_spec *spec)
{
	return (struct linux_itimerspec){ ns_to_timespec(spec->interval), ns_to_timespec(spec->value) };
}

SYSCALL_DEFINE(timerfd_settime)
{
	struct linux_itimerspec its;
	struct timerfd_spec new, old;
	u32 flags = (u32)a[1];
	struct file *f;
	long ret;

	if (get_user(its, a[2]))
		return -EFAULT;
	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !timespec_valid(&its.value) ||
	    !timespec_valid(&its.interval))
		return -EINVAL;
	new.value = timespec_to_ns(&its.value);
	new.interval = timespec_to_ns(&its.interval);
	f = fd_get((int)a[0]);
	if (!f)
		return -EBADF;
	ret = timerfd_set(f, flags, &new, &old);
	file_put(f);
	if (ret || !a[3])
		return ret;
	its = spec_to_user(&old);
	return copy_to_user(a[3], &its, sizeof(its));
}

SYSCALL_DEFINE(timerfd_gettime)
{
	struct linux_itimerspec its;
	struct timerfd_spec now;
	struct file *f = fd_get((int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = timerfd_get(f, &now);
	file_put(f);
	if (ret)
		return ret;
	its = spec_to_user(&now);
	return copy_to_user(a[1], &its, sizeof(its));
}
