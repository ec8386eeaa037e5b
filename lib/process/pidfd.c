// SPDX-License-Identifier: MIT
/* Descriptors that stand for a process: pidfd_open(2). One becomes readable when all threads of the process are gone. */
#include "base/errno.h"
#include "fs/file.h"
#include "fs/seq_buf.h"
#include "process/internal.h"

static u32 pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct process *p = f->priv;

	poll_wait(f, &p->pidfd_wait, pt);
	if (READ_ONCE(p->reaped))
		return POLLIN | POLLRDNORM | POLLHUP;
	return READ_ONCE(p->zombie) ? POLLIN | POLLRDNORM : 0;
}

static void pidfd_release(struct file *f)
{
	process_put(f->priv);
}

static void pidfd_show_fdinfo(struct file *f, struct seq_buf *out)
{
	struct process *p = f->priv;
	s32 nr = READ_ONCE(p->reaped) ? -1 : p->tgid;

	seq_printf(out, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static const struct file_ops pidfd_ops = {
	.name = "pidfd",
	.poll = pidfd_poll,
	.release = pidfd_release,
	.show_fdinfo = pidfd_show_fdinfo,
};

static struct file *pidfd_file(struct process *p, u32 flags)
{
	struct file *f = anon_file(&pidfd_ops, O_RDWR | (flags & O_NONBLOCK), p);

	if (f)
		process_get(p);
	return f;
}

int pidfd_install(int fd, struct process *p)
{
	struct file *f = pidfd_file(p, 0);

	if (!f)
		return -ENOMEM;
	fd_install(fd, f);
	return 0;
}

long pidfd_create(struct process *p, u32 flags)
{
	struct file *f = pidfd_file(p, flags);

	return f ? fd_add(f, O_CLOEXEC) : -ENOMEM;
}

struct process *pidfd_process(int fd, u32 *file_flags)
{
	struct file *f = fd_get(fd);
	struct process *p = NULL;

	if (!f)
		return ERR_PTR(-EBADF);
	if (f->ops == &pidfd_ops) {
		p = f->priv;
		process_get(p);
		if (file_flags)
			*file_flags = f->flags;
	}
	file_put(f);
	return p ? p : ERR_PTR(-EBADF);
}
