/* SPDX-License-Identifier: MIT */
/* What the tests of pipes, sockets, epoll and so on share: tasks with descriptors and credentials, calls by name. */
#ifndef SELFTESTS_LIB_IPC_ENV_H
#define SELFTESTS_LIB_IPC_ENV_H

#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "fs/file.h"
#include "fs/fs_state.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/signal.h"
#include "south/fake/fake.h"

/* CALL(pipe2, fds, O_NONBLOCK): a system call with up to six arguments */
#define CALL_ARG(x)	((u64)(x))
#define CALL_N(_1, _2, _3, _4, _5, _6, n, ...) n
#define CALL_A1(a)		CALL_ARG(a)
#define CALL_A2(a, ...)		CALL_ARG(a), CALL_A1(__VA_ARGS__)
#define CALL_A3(a, ...)		CALL_ARG(a), CALL_A2(__VA_ARGS__)
#define CALL_A4(a, ...)		CALL_ARG(a), CALL_A3(__VA_ARGS__)
#define CALL_A5(a, ...)		CALL_ARG(a), CALL_A4(__VA_ARGS__)
#define CALL_A6(a, ...)		CALL_ARG(a), CALL_A5(__VA_ARGS__)
#define CALL(name, ...) \
	sys_##name((const u64[6]){ CALL_N(__VA_ARGS__, CALL_A6, CALL_A5, CALL_A4, CALL_A3, CALL_A2, CALL_A1)(__VA_ARGS__) })

/* All signals are blocked: what is sent stays pending and can be looked at. */
static inline void env_dress(struct task *t, struct files *files)
{
	t->files = files;
	t->cred = cred_create(1000, 1000, NULL, 0, 0, 0);
	t->sighand = sighand_alloc();
	t->blocked = ~0ull;
	spin_init(&t->process->siglock);
}

static inline void env_boot(void)
{
	fake_boot();
	env_dress(current, files_alloc());
	current->process->rlim[11].cur = 1000;	/* RLIMIT_SIGPENDING */
	inode_put(inode_anon(S_IFIFO));		/* makes what all anonymous inodes share: no leak later */
}

/* The tree as boot leaves it; the kernel itself makes it, before there are users. */
static inline void env_tree(void)
{
	struct cred *user = current->cred;

	current->cred = NULL;
	if (vfs_init())
		abort();
	current->fs = fs_state_create();
	current->cred = user;
}

/* A thread of this process: the same descriptors. */
static inline struct task *env_thread(void (*fn)(void *arg), void *arg)
{
	struct task *t = fake_task(current->process);

	files_get(current->files);
	t->files = current->files;
	cred_get(current->cred);
	t->cred = current->cred;
	sighand_get(current->sighand);
	t->sighand = current->sighand;
	t->blocked = ~0ull;
	fake_run(t, fn, arg);
	return t;
}

static inline void env_join(struct task *t)
{
	fake_join(t);
	sigpending_flush(&t->pending);
	files_put(t->files);
	cred_put(t->cred);
	sighand_put(t->sighand);
	list_del(&t->thread_node);
	free(t->regs);
	free(t);
}

/* one read of a file without a descriptor */
static inline ssize_t env_read_file(struct file *f, void *buf, size_t len)
{
	struct uio u;
	struct iov v;

	uio_init_kernel(&u, &v, buf, len);
	return f->ops->read(f, &u, NULL);
}

static inline ssize_t env_read(int fd, void *buf, size_t len)
{
	struct file *f = fd_get(fd);
	struct uio u;
	struct iov v;
	ssize_t ret = -EBADF;

	if (!f)
		return ret;
	if ((f->mode & FMODE_READ) && f->ops->read) {
		ret = uio_init_user(&u, &v, (u64)buf, len);
		if (!ret)
			ret = f->ops->read(f, &u, NULL);
	}
	file_put(f);
	return ret;
}

static inline ssize_t env_write(int fd, const void *buf, size_t len)
{
	struct file *f = fd_get(fd);
	struct uio u;
	struct iov v;
	ssize_t ret = -EBADF;

	if (!f)
		return ret;
	if ((f->mode & FMODE_WRITE) && f->ops->write) {
		ret = uio_init_user(&u, &v, (u64)buf, len);
		if (!ret)
			ret = f->ops->write(f, &u, NULL);
	}
	file_put(f);
	return ret;
}

static inline u32 env_poll(int fd)
{
	struct file *f = fd_get(fd);
	u32 ret = f ? file_poll(f, NULL) : POLLNVAL;

	if (f)
		file_put(f);
	return ret;
}

/* A signal that was sent to us and is blocked; taken off. */
static inline bool env_took_signal(int sig)
{
	struct siginfo info;

	return signal_dequeue(SIGMASK(sig), &info) == sig;
}

static inline void env_sleep_ms(int ms)
{
	usleep(ms * 1000);
}

/* xorshift, so that a failing run can be repeated */
static inline u32 env_random(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (u32)(*seed >> 16);
}

#endif
