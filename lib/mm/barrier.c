/* SPDX-License-Identifier: MIT */
/*
 * membarrier(2): whoever runs program code is kicked, and answers by clearing WORK_MM on its way through the library kernel. A
 * task that sleeps has passed barriers on its way to sleep and passes more on its way back.
 */
#include "base/errno.h"
#include "mm/maps.h"
#include "mm/vma.h"
#include "process/pid.h"
#include "sched/time.h"

#define POLL_NS		(200 * NSEC_PER_USEC)	/* how often to look for those who fell asleep instead of answering */

static bool wanted(struct task *t, struct mm *mm)
{
	struct mm *its = READ_ONCE(t->mm);

	return t != current && its && !t->exiting && (!mm || its == mm);
}

static bool answered(struct task *t)
{
	return !(load_acquire(&t->work) & WORK_MM) || load_acquire(&t->state) != TASK_RUNNING || READ_ONCE(t->exiting);
}

static u32 count(struct mm *mm)
{
	struct process *p;
	struct task *t;
	u32 n = 0;

	list_for_each(p, &process_list, pid_node)
		for_each_thread(p, t)
			n += wanted(t, mm);
	return n;
}

static u32 kick_all(struct mm *mm, struct task **tasks, u32 max)
{
	struct process *p;
	struct task *t;
	u32 n = 0;

	list_for_each(p, &process_list, pid_node) {
		for_each_thread(p, t) {
			if (n == max || !wanted(t, mm) || load_acquire(&t->state) != TASK_RUNNING)
				continue;
			task_get(t);
			tasks[n++] = t;
			task_set_work(t, WORK_MM);
		}
	}
	return n;
}

long mm_barrier(struct mm *mm)
{
	struct task **tasks = NULL;
	u32 n, i;
	long ret = 0;

	smp_mb();
	mutex_lock(&tasklist_lock);
	n = count(mm);
	if (n) {
		tasks = kmalloc(n * sizeof(*tasks));
		n = tasks ? kick_all(mm, tasks, n) : 0;
		ret = tasks ? 0 : -ENOMEM;
	}
	mutex_unlock(&tasklist_lock);
	for (i = 0; i < n; i++) {
		while (!ret && !answered(tasks[i])) {
			set_current_state(TASK_KILLABLE);
			if (fatal_signal_pending())
				ret = -ERESTARTSYS;
			if (answered(tasks[i]) || ret)
				set_current_state(TASK_RUNNING);
			else
				schedule_until(clock_monotonic() + POLL_NS);
		}
		task_put(tasks[i]);
	}
	kfree(tasks);
	smp_mb();
	return ret;
}
