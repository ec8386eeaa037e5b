// SPDX-License-Identifier: MIT
/* Waiting for children: wait4(2), waitid(2). */
#include "base/errno.h"
#include "process/internal.h"
#include "sched/wait.h"

static bool eligible(const struct process *c, const struct wait_request *req)
{
	bool is_clone = c->exit_signal != SIGCHLD;

	if (req->who == WAIT_WHO_PID && c->tgid != req->id)
		return false;
	if (req->who == WAIT_WHO_PGID && c->pgid != req->id)
		return false;
	if ((req->options & WAIT_NOTHREAD) && c->parent_task != current)
		return false;
	return (req->options & WAIT_ALL) || is_clone == !!(req->options & WAIT_CLONE);
}

static void fill(struct wait_request *req, struct process *c, int code, s32 status)
{
	req->info = (struct siginfo){ .signo = SIGCHLD, .code = code };
	req->info.chld.pid = c->tgid;
	req->info.chld.uid = task_uid(c->leader);
	req->info.chld.status = status;
}

static void child_usage(struct process *c, struct rusage_times *u)
{
	*u = (struct rusage_times){
		.utime = c->utime + c->cutime, .stime = c->stime + c->cstime,
		.maxrss_kib = max(c->maxrss, c->cmaxrss),
		.minflt = c->min_flt, .majflt = c->maj_flt, .nvcsw = c->nvcsw, .nivcsw = c->nivcsw,
	};
}

static void report_zombie(struct process *c, struct wait_request *req)
{
	u32 status = c->exit_code;

	req->status = status;
	if (!(status & 0x7f))
		fill(req, c, CLD_EXITED, (s32)(status >> 8 & 0xff));
	else
		fill(req, c, status & WAIT_COREDUMP ? CLD_DUMPED : CLD_KILLED, (s32)(status & 0x7f));
}

static bool report_stop(struct process *c, struct wait_request *req)
{
	bool take = !(req->options & WAIT_NOWAIT), found = false;

	spin_lock(&c->siglock);
	if ((req->options & WAIT_UNTRACED) && c->stopped && c->stop_code) {
		req->status = c->stop_code << 8 | 0x7f;
		found = true;
		fill(req, c, CLD_STOPPED, (s32)c->stop_code);
		if (take)
			c->stop_code = 0;
	} else if ((req->options & WAIT_CONTINUED) && c->continued && !c->stopped) {
		req->status = 0xffff;
		found = true;
		fill(req, c, CLD_CONTINUED, SIGCONT);
		if (take)
			c->continued = false;
	}
	spin_unlock(&c->siglock);
	return found;
}

/* tasklist_lock held. Return: the child that has something to say; *@any: there is one to wait for. */
static struct process *scan(struct wait_request *req, bool *any)
{
	struct process *c;

	list_for_each(c, &current->process->children, sibling) {
		if (!eligible(c, req))
			continue;
		/* it will never stop or continue again */
		if (c->zombie && !(req->options & WAIT_EXITED))
			continue;
		*any = true;
		if (c->zombie) {
			report_zombie(c, req);
			return c;
		}
		if (report_stop(c, req))
			return c;
	}
	return NULL;
}

static long try_wait(struct wait_request *req)
{
	struct process *me = current->process, *c;
	struct task *leader = NULL;
	bool any = false;
	long ret;

	mutex_lock(&tasklist_lock);
	c = scan(req, &any);
	if (!c) {
		mutex_unlock(&tasklist_lock);
		return any ? 0 : -ECHILD;
	}
	ret = c->tgid;
	child_usage(c, &req->usage);
	if (c->zombie && !(req->options & WAIT_NOWAIT)) {
		me->cutime += req->usage.utime;
		me->cstime += req->usage.stime;
		me->cmaxrss = max(me->cmaxrss, req->usage.maxrss_kib);
		leader = c->leader;
		process_detach(c);
	}
	mutex_unlock(&tasklist_lock);
	if (leader)
		process_let_go(c, leader);
	return ret;
}

long process_wait(struct wait_request *req)
{
	struct process *me = current->process;
	struct wait_entry we;
	long ret = try_wait(req);

	if (ret || (req->options & WAIT_NOHANG))
		return ret;
	wait_entry_init(&we);
	for (;;) {
		prepare_to_wait(&me->child_wait, &we, TASK_INTERRUPTIBLE);
		ret = try_wait(req);
		if (ret)
			break;
		if (signal_pending()) {
			ret = -ERESTARTSYS;
			break;
		}
		(void)schedule_until(FOREVER);
	}
	finish_wait(&we);
	return ret;
}
