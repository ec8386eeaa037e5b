/* SPDX-License-Identifier: MIT */
/* Between the files of lib/process only. */
#ifndef LIB_PROCESS_INTERNAL_H
#define LIB_PROCESS_INTERNAL_H

#include "process/fork.h"

extern struct process *first_process;	/* when it ends, the sandbox ends with its status */

__must_check struct process *process_alloc(void);
/* task_publish() - tasklist_lock held: from here on others find @t, and its process when that is new */
void task_publish(struct task *t, bool new_process);

/* process_detach() - tasklist_lock held: @p and its leader go out of all tables; what is freed then goes when process_let_go() */
void process_detach(struct process *p);
void process_let_go(struct process *p, struct task *leader);
bool process_connects(const struct process *p, s32 pgid);
void mm_count_users(struct mm *mm, int n);
/* task_unpublish() - a clone failed after task_publish(): as if it had never been; the caller frees @t */
void task_unpublish(struct task *t);
/* pidfd_install() - makes @fd, reserved, a pidfd of @p. Return: 0 or -ENOMEM */
__must_check int pidfd_install(int fd, struct process *p);
/* signal_thread_exit() - the current task takes no signals any more: hands shared ones on, counts itself out of
 * a group stop. Return: true when no other thread is left */
bool signal_thread_exit(void);
/* signal_join_stop() - siglock held: a new thread of a process that is about to stop */
void signal_join_stop(struct task *new);
/* signal_group_exit_locked() - siglock held: all threads of @p but @except are to die */
void signal_group_exit_locked(struct process *p, struct task *except);
/* signal_notify_parent() - tasklist_lock held: @p died. Return: true when nobody is to wait for it */
bool signal_notify_parent(struct process *p);
/* signal_tell_stop() - the parent hears of a stop or a continue that nobody told it of yet; no locks held */
void signal_tell_stop(struct process *p);
/* signal_stop_self() - siglock held: a stop signal's default action; Return: false when the stop was called off. Drops siglock. */
bool signal_stop_self(int sig);
/* signal_take_part() - WORK_STOP is set: stop with the others; no locks held */
void signal_take_part(void);
/* signal_recalc() - siglock held: set WORK_SIGNAL of @t when something is deliverable; the task itself also clears it */
void signal_recalc(struct task *t);
/* signal_unblocked() - those that may act on @t now */
sigset_t signal_unblocked(const struct task *t);
/* signal_deliverable() - siglock held, or a hint for the task itself */
bool signal_deliverable(struct task *t);

/* sigqueue_alloc() - charged to @t's user. NULL: no memory, or over the limit and not @beyond_limit */
__must_check struct sigqueue *sigqueue_alloc(struct task *t, bool beyond_limit);
void sigqueue_free(struct sigqueue *q);	/* NULL is fine */
/* queue.c: siglock held; take the next signal of @mask out of @t's or its process's queue; 0: none. @done: entries to free */
int sigqueue_take(struct task *t, sigset_t mask, struct siginfo *info, struct list *done);
void sigqueue_free_list(struct list *done);
/* sigpending_remove() - siglock held: drop all of @mask from @p; entries go to @done */
void sigpending_remove(struct sigpending *p, sigset_t mask, struct list *done);


/*
 * Weak, so that unit tests link lib/process without the boot code; an image that is linked far from address 0 cannot call what is not
 * there, so sem_exit() has an empty body in exit.c for a library kernel without System V semaphores.
 */
#define __weak __attribute__((weak))
void sandbox_exit(u32 wait_status) __weak __noreturn;	/* boot: the first program ended */
void sem_exit(struct task *t) __weak;			/* ipc/: SEM_UNDO */

#endif
