// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* A sandbox as a whole: made, killed, freed. */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "litebox.h"

struct litebox_sandbox *litebox_sandbox_create(const struct lbx_limits *limits)
{
	static const struct lbx_space space = LBX_SPACE_HOSTED;
	struct litebox_sandbox *sb = kzalloc(sizeof(*sb), GFP_KERNEL_ACCOUNT);

	if (!sb)
		return NULL;
	kref_init(&sb->ref);
	mutex_init(&sb->lock);
	sb->limits = *limits;
	sb->space = space;
	sb->status = LITEBOX_NO_STATUS;
	xa_init_flags(&sb->handles, XA_FLAGS_ACCOUNT);
	xa_init_flags(&sb->cpus, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&sb->processes);
	init_waitqueue_head(&sb->ended);
	for (int i = 0; i < LITEBOX_BUCKETS; i++) {
		spin_lock_init(&sb->buckets[i].lock);
		INIT_LIST_HEAD(&sb->buckets[i].sleepers);
	}
	atomic_inc(&litebox_counters.sandboxes);
	return sb;
}

static void sandbox_free(struct work_struct *work)
{
	struct litebox_sandbox *sb = container_of(work, struct litebox_sandbox, free_work);

	litebox_handles_free(sb);
	xa_destroy(&sb->handles);
	xa_destroy(&sb->cpus);
	kfree(sb);
	/* last: who sees zero may unload the module, whose exit waits for this worker to return */
	atomic_dec(&litebox_counters.sandboxes);
}

static void sandbox_release(struct kref *ref)
{
	struct litebox_sandbox *sb = container_of(ref, struct litebox_sandbox, ref);

	INIT_WORK(&sb->free_work, sandbox_free);
	queue_work(litebox_wq, &sb->free_work);
}

void litebox_sandbox_put(struct litebox_sandbox *sb)
{
	kref_put(&sb->ref, sandbox_release);
}

/* litebox_sandbox_kill() - SIGKILL for every process. Return: how many there were */
u32 litebox_sandbox_kill(struct litebox_sandbox *sb)
{
	struct litebox_process *p;
	u32 n = 0;

	spin_lock(&litebox_members_lock);
	sb->dying = true;
	list_for_each_entry(p, &sb->processes, node) {
		kill_pid(p->pid, SIGKILL, 1);
		n++;
	}
	spin_unlock(&litebox_members_lock);
	return n;
}
