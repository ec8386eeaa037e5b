// SPDX-License-Identifier: MIT
#include "ipc/scm.h"

#include "ipc/socket.h"
#include "mm/kmalloc.h"

struct scm_files *scm_files_alloc(u32 nr)
{
	struct scm_files *fp = kzalloc(sizeof(*fp) + nr * sizeof(fp->file[0]));

	if (fp) {
		list_init(&fp->node);
		fp->nr = nr;
	}
	return fp;
}

struct scm_files *scm_files_dup(const struct scm_files *fp)
{
	struct scm_files *copy = scm_files_alloc(fp->nr);

	for (u32 i = 0; copy && i < fp->nr; i++) {
		copy->file[i] = fp->file[i];
		file_get(copy->file[i]);
	}
	return copy;
}

static void scm_put(struct file *f)
{
	struct socket *s = file_socket(f);

	/* as a close(2) would: what is left may be in flight and out of reach */
	if (s && s->ops->flush)
		s->ops->flush(s);
	file_put(f);
}

static struct {
	struct spinlock lock;	/* guards both */
	struct list list;	/* of scm_files that are to be put */
	bool busy;		/* somebody works the list off */
} doomed = { .list = LIST_INIT(doomed.list) };

void scm_files_put(struct scm_files *fp)
{
	if (!fp)
		return;
	spin_lock(&doomed.lock);
	list_add_tail(&fp->node, &doomed.list);
	if (doomed.busy) {
		spin_unlock(&doomed.lock);
		return;
	}
	doomed.busy = true;
	while ((fp = list_first_or_null(&doomed.list, struct scm_files, node))) {
		list_del(&fp->node);
		spin_unlock(&doomed.lock);
		for (u32 i = 0; i < fp->nr; i++)
			if (fp->file[i])
				scm_put(fp->file[i]);
		kfree(fp);
		spin_lock(&doomed.lock);
	}
	doomed.busy = false;
	spin_unlock(&doomed.lock);
}
