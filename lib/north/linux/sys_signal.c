// SPDX-License-Identifier: MIT
/* signal(7)'s calls on masks, actions and waiting. Sending is in sys_kill.c. */
#include "mm/uaccess.h"
#include "north/linux/sigframe.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/signal.h"
#include "sched/wait.h"

SYSCALL_DEFINE(rt_sigaction)
{
	int sig = (int)a[0], ret;
	struct ksigaction new, old;

	if (a[3] != sizeof(sigset_t))
		return -EINVAL;
	if (a[1] && get_user(new, a[1]))
		return -EFAULT;
	ret = signal_action(sig, a[1] ? &new : NULL, a[2] ? &old : NULL);
	if (!ret && a[2] && put_user(old, a[2]))
		return -EFAULT;
	return ret;
}

SYSCALL_DEFINE(rt_sigprocmask)
{
	sigset_t old = current->blocked, set;

	if (a[3] != sizeof(sigset_t))
		return -EINVAL;
	if (a[1]) {
		if (get_user(set, a[1]))
			return -EFAULT;
		switch ((int)a[0]) {
		case SIG_BLOCK:
			set |= old;
			break;
		case SIG_UNBLOCK:
			set = old & ~set;
			break;
		case SIG_SETMASK:
			break;
		default:
			return -EINVAL;
		}
		signal_set_blocked(set);
	}
	return a[2] && put_user(old, a[2]) ? -EFAULT : 0;
}

SYSCALL_DEFINE(rt_sigpending)
{
	sigset_t set = signal_pending_set(current) & current->blocked;

	if (a[1] > sizeof(set))
		return -EINVAL;
	return copy_to_user(a[0], &set, a[1]);
}

SYSCALL_DEFINE(rt_sigtimedwait)
{
	struct siginfo info;
	sigset_t set;
	s64 deadline;
	long ret;

	if (a[3] != sizeof(set))
		return -EINVAL;
	if (get_user(set, a[0]))
		return -EFAULT;
	ret = deadline_from_user(&deadline, a[2]);
	if (ret)
		return ret;
	ret = signal_timedwait(set, deadline, &info);
	if (ret > 0 && a[1] && siginfo_to_user(a[1], &info))
		return -EFAULT;
	return ret;
}

SYSCALL_DEFINE(rt_sigsuspend)
{
	sigset_t set;

	if (a[1] != sizeof(set))
		return -EINVAL;
	if (get_user(set, a[0]))
		return -EFAULT;
	return signal_suspend(set);
}

SYSCALL_DEFINE(pause)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending())
			break;
		(void)schedule_until(FOREVER);
	}
	set_current_state(TASK_RUNNING);
	return -ERESTARTNOHAND;
}

SYSCALL_DEFINE(sigaltstack)
{
	struct linux_stack new, old;
	u64 sp = current->regs->rsp;
	int ret = 0;

	if (a[0] && get_user(new, a[0]))
		return -EFAULT;
	sigaltstack_get(&old, sp);
	if (a[0])
		ret = sigaltstack_set(&new, sp);
	if (!ret && a[1] && put_user(old, a[1]))
		return -EFAULT;
	return ret;
}

SYSCALL_DEFINE(rt_sigreturn)
{
	return sigframe_return(current->regs);
}

SYSCALL_DEFINE(restart_syscall)
{
	struct task *t = current;

	return t->restart.func ? t->restart.func(t) : -EINTR;
}
