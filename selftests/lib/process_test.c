// SPDX-License-Identifier: MIT
/* Processes over a fake South: ids, clone, exit, wait, groups, credentials, limits. Random steps: process_model_test. */
#include "tasks.c"
#include "unit.h"

#include "mm/kmalloc.h"
#include "process/internal.h"

#define CAPS	(BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_KILL) | BIT(CAP_SETPCAP))

static long wait_for(s32 pid, u32 *status, u32 options)
{
	return call(61, wait4, (u64)pid, (u64)status, options, 0);
}

static int return_arg(void *arg)
{
	return (int)(long)arg;
}

/* ---- simple ones ---- */

static void exit_status(void)
{
	u32 status = 0;
	long pid = fork_to(return_arg, (void *)42);

	EXPECT(pid > 1);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 42 << 8);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), -ECHILD);
	EXPECT_EQ(wait_for(-1, &status, WAIT_NOHANG), -ECHILD);
}

static int pause_forever(void *arg)
{
	(void)arg;
	return (int)call(34, pause, 0);
}

static void killed(void)
{
	u32 status = 0;
	long pid = fork_to(pause_forever, NULL);

	EXPECT_EQ(wait_for(-1, &status, WAIT_NOHANG), 0);
	EXPECT_EQ(call(62, kill, (u64)pid, SIGTERM), 0);
	EXPECT_EQ(wait_for(-1, &status, 0), pid);
	EXPECT_EQ(status, SIGTERM);
	EXPECT_EQ(call(62, kill, (u64)pid, 0), -ESRCH);
}

static void bad_arguments(void)
{
	u64 args[11] = { 0 };

	EXPECT_EQ(call(61, wait4, (u64)-1, 0, 0x10, 0), -EINVAL);
	EXPECT_EQ(call(61, wait4, (u64)INT32_MIN, 0, 0, 0), -ESRCH);
	EXPECT_EQ(call(247, waitid, 0, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(247, waitid, 1, 0, 0, WAIT_EXITED, 0), -EINVAL);
	EXPECT_EQ(call(247, waitid, 4, 1, 0, WAIT_EXITED, 0), -EINVAL);
	EXPECT_EQ(call(247, waitid, 0, 0, 0, WAIT_EXITED, 0), -ECHILD);
	EXPECT_EQ(call(56, clone, CLONE_THREAD, 0), -EINVAL);
	EXPECT_EQ(call(56, clone, CLONE_SIGHAND, 0), -EINVAL);
	EXPECT_EQ(call(56, clone, CLONE_NEWUSER, 0), -EPERM);
	EXPECT_EQ(call(56, clone, CLONE_NEWNS | CLONE_FS, 0), -EINVAL);
	EXPECT_EQ(call(56, clone, CLONE_PARENT | SIGCHLD, 0), -EINVAL);
	EXPECT_EQ(call(56, clone, CLONE_PIDFD | CLONE_PARENT_SETTID, 0), -EINVAL);
	EXPECT_EQ(call(435, clone3, (u64)args, 63), -EINVAL);
	EXPECT_EQ(call(435, clone3, (u64)args, 5000), -E2BIG);
	EXPECT_EQ(call(435, clone3, 8, 88), -EFAULT);
	args[0] = CLONE_CLEAR_SIGHAND << 2;
	EXPECT_EQ(call(435, clone3, (u64)args, 88), -EINVAL);
	args[0] = 0;
	args[4] = 65;
	EXPECT_EQ(call(435, clone3, (u64)args, 88), -EINVAL);
	args[4] = 0;
	args[5] = 4096;		/* a stack without a size */
	EXPECT_EQ(call(435, clone3, (u64)args, 88), -EINVAL);
	args[5] = 0;
	args[9] = 1;		/* set_tid_size without set_tid */
	EXPECT_EQ(call(435, clone3, (u64)args, 88), -EINVAL);
	args[8] = 1;
	EXPECT_EQ(call(435, clone3, (u64)args, 88), -EPERM);
}

static int exit_soon(void *arg)
{
	pause_ms(20);
	return (int)(long)arg;
}

static void waitid_nowait(void)
{
	struct siginfo info = { 0 };
	s32 pid = (s32)fork_to(exit_soon, (void *)3);

	EXPECT_EQ(call(247, waitid, 1, (u64)pid, (u64)&info, WAIT_EXITED | WAIT_NOWAIT, 0), 0);
	EXPECT_EQ(info.chld.pid, pid);
	EXPECT_EQ(info.code, CLD_EXITED);
	EXPECT_EQ(info.chld.status, 3);
	EXPECT_EQ(info.chld.uid, 1000);
	/* a zombie has nothing to say about stops */
	EXPECT_EQ(call(247, waitid, 1, (u64)pid, (u64)&info, WAIT_UNTRACED | WAIT_NOHANG, 0), -ECHILD);
	EXPECT_EQ(call(247, waitid, 0, 0, (u64)&info, WAIT_EXITED, 0), 0);
	EXPECT_EQ(info.chld.pid, pid);
	EXPECT_EQ(call(247, waitid, 0, 0, (u64)&info, WAIT_EXITED, 0), -ECHILD);
}

/* ---- threads ---- */

static int threads_up;

static int thread_sleeps(void *arg)
{
	__atomic_add_fetch(&threads_up, 1, __ATOMIC_ACQ_REL);
	return pause_forever(arg);
}

static int group_with_threads(void *arg)
{
	threads_up = 0;
	for (int i = 0; i < 3; i++)
		if (thread_to(thread_sleeps, NULL) <= 0)
			return 1;
	(void)eventually(__atomic_load_n(&threads_up, __ATOMIC_ACQUIRE) == 3);
	if (arg)
		call(60, exit, 5);	/* the leader alone */
	return 9;			/* exit_group */
}

static void exit_group_ends_threads(void)
{
	u32 status = 0;
	long pid = fork_to(group_with_threads, NULL);

	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 9 << 8);
}

static void leader_exits_first(void)
{
	u32 status = 0;
	long pid = fork_to(group_with_threads, (void *)1);
	struct process *p = process_find_get((s32)pid);

	EXPECT(eventually(p->leader->dead));
	/* no zombie as long as a thread lives */
	EXPECT_EQ(wait_for((s32)pid, &status, WAIT_NOHANG), 0);
	EXPECT_EQ(call(62, kill, (u64)pid, SIGKILL), 0);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, SIGKILL);
	process_put(p);
}

static int last_thread(void *arg)
{
	pause_ms(20);
	return (int)(long)arg;
}

static int leader_then_thread(void *arg)
{
	(void)arg;
	thread_to(last_thread, (void *)77);
	return (int)call(60, exit, 6);
}

static void status_is_the_leaders(void)
{
	u32 status = 0;
	long pid = fork_to(leader_then_thread, NULL);

	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 6 << 8);
}

static s32 exec_tid, exec_old_tid;

static int thread_execs(void *arg)
{
	(void)arg;
	exec_old_tid = current->tid;
	if (process_de_thread())
		return 1;
	exec_tid = current->tid;
	if (current->process->leader != current || current->process->nr_threads != 1)
		return 2;
	task_exit_group(WAIT_STATUS_EXIT(33));
}

static int leader_of_exec(void *arg)
{
	threads_up = 0;
	thread_to(thread_sleeps, NULL);
	(void)eventually(__atomic_load_n(&threads_up, __ATOMIC_ACQUIRE) == 1);
	thread_to(thread_execs, NULL);
	return pause_forever(arg);
}

static void exec_in_a_thread(void)
{
	u32 status = 0;
	long pid = fork_to(leader_of_exec, NULL);

	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 33 << 8);
	EXPECT_EQ(exec_tid, pid);
	EXPECT(exec_old_tid != pid);
	EXPECT_EQ(call(200, tkill, (u64)exec_old_tid, 0), -ESRCH);
}

/* ---- families ---- */

static s32 grandchild, grandchild_ppid;
static bool orphan_go;

static int orphan(void *arg)
{
	(void)arg;
	(void)eventually(__atomic_load_n(&orphan_go, __ATOMIC_ACQUIRE));
	grandchild_ppid = (s32)call(110, getppid, 0);
	return 11;
}

static int makes_orphan(void *arg)
{
	(void)arg;
	grandchild = (s32)fork_to(orphan, NULL);
	return 0;
}

static void orphans_go_to_the_first(void)
{
	u32 status = 0;
	long pid;

	orphan_go = false;
	pid = fork_to(makes_orphan, NULL);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	__atomic_store_n(&orphan_go, true, __ATOMIC_RELEASE);
	EXPECT_EQ(wait_for(-1, &status, 0), grandchild);
	EXPECT_EQ(status, 11 << 8);
	EXPECT_EQ(grandchild_ppid, 1);
}

static int subreaper(void *arg)
{
	u32 status = 0;
	s32 pid;

	(void)arg;
	call(157, prctl, 36, 1);
	pid = (s32)fork_to(makes_orphan, NULL);
	if (wait_for(pid, &status, 0) != pid)
		return 1;
	__atomic_store_n(&orphan_go, true, __ATOMIC_RELEASE);
	if (wait_for(-1, &status, 0) != grandchild || status != 11 << 8)
		return 2;
	return grandchild_ppid == (s32)call(39, getpid, 0) ? 0 : 3;
}

static void orphans_go_to_the_subreaper(void)
{
	u32 status = 1;
	long pid;

	orphan_go = false;
	pid = fork_to(subreaper, NULL);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static int wants_to_hear_of_death(void *arg)
{
	(void)arg;
	call(157, prctl, 1, SIGUSR2);
	__atomic_store_n(&orphan_go, true, __ATOMIC_RELEASE);
	return pause_forever(NULL);
}

static int parent_dies(void *arg)
{
	grandchild = (s32)fork_to(wants_to_hear_of_death, NULL);
	(void)eventually(__atomic_load_n(&orphan_go, __ATOMIC_ACQUIRE));
	return (int)(long)arg;
}

static void parent_death_signal(void)
{
	u32 status = 0;
	long pid;

	orphan_go = false;
	pid = fork_to(parent_dies, NULL);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(wait_for(grandchild, &status, 0), grandchild);
	EXPECT_EQ(status, SIGUSR2);
}

static void autoreap(void)
{
	struct ksigaction ign = { .handler = SIGACTION_IGN }, dfl = { 0 }, nowait = { .flags = SA_NOCLDWAIT };
	u32 status = 0;
	long pid;

	EXPECT_EQ(signal_action(SIGCHLD, &ign, NULL), 0);
	pid = fork_to(return_arg, NULL);
	/* wait blocks until the last child is gone, then there is none */
	EXPECT_EQ(wait_for((s32)pid, &status, 0), -ECHILD);
	EXPECT_EQ(signal_action(SIGCHLD, &nowait, NULL), 0);
	pid = fork_to(exit_soon, NULL);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), -ECHILD);
	EXPECT_EQ(signal_action(SIGCHLD, &dfl, NULL), 0);
}

static void clone_and_wait_kinds(void)
{
	u32 status = 0;
	long pid = spawn(0, 0, return_arg, (void *)1);	/* no exit signal: a "clone child" */

	EXPECT_EQ(wait_for((s32)pid, &status, 0), -ECHILD);
	EXPECT_EQ(wait_for((s32)pid, &status, WAIT_CLONE), pid);
	pid = spawn(0, SIGUSR1, return_arg, (void *)1);
	EXPECT_EQ(signal_action(SIGUSR1, &(struct ksigaction){ .handler = SIGACTION_IGN }, NULL), 0);
	EXPECT_EQ(wait_for((s32)pid, &status, WAIT_ALL), pid);
	(void)signal_action(SIGUSR1, &(struct ksigaction){ 0 }, NULL);
}

static int vfork_child_done;

static int vfork_child(void *arg)
{
	pause_ms(20);
	vfork_child_done = 1;
	return (int)(long)arg;
}

static void vfork_waits(void)
{
	u32 status = 0;
	long pid;

	vfork_child_done = 0;
	pid = spawn(CLONE_VFORK | CLONE_VM, SIGCHLD, vfork_child, (void *)2);
	EXPECT_EQ(vfork_child_done, 1);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 2 << 8);
}

/* ---- groups and sessions ---- */

static int session_rules(void *arg)
{
	s32 me = (s32)call(39, getpid, 0);

	(void)arg;
	if (call(112, setsid, 0) != me || call(124, getsid, 0) != me || call(111, getpgrp, 0) != me)
		return 1;
	if (call(112, setsid, 0) != -EPERM)
		return 2;
	if (call(109, setpgid, 0, 0) != -EPERM)		/* a session leader stays where it is */
		return 3;
	return 0;
}

static void groups_and_sessions(void)
{
	u32 status = 1;
	s32 a = (s32)fork_to(pause_forever, NULL), b = (s32)fork_to(pause_forever, NULL);
	s32 c = (s32)fork_to(session_rules, NULL);

	EXPECT_EQ(wait_for(c, &status, 0), c);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(call(121, getpgid, (u64)a), 1);
	EXPECT_EQ(call(109, setpgid, (u64)a, (u64)b), -EPERM);	/* no such group */
	EXPECT_EQ(call(109, setpgid, (u64)b, (u64)b), 0);
	EXPECT_EQ(call(109, setpgid, (u64)a, (u64)b), 0);
	EXPECT_EQ(call(121, getpgid, (u64)a), b);
	EXPECT_EQ(call(109, setpgid, (u64)a, (u64)-1), -EINVAL);
	EXPECT_EQ(call(109, setpgid, 4000000, 0), -ESRCH);
	EXPECT_EQ(call(62, kill, (u64)-b, SIGKILL), 0);
	EXPECT_EQ(wait_for(-b, &status, 0) + wait_for(-b, &status, 0), a + b);
	EXPECT_EQ(wait_for(-b, &status, 0), -ECHILD);
	EXPECT_EQ(call(62, kill, (u64)-b, SIGKILL), -ESRCH);
	EXPECT_EQ(call(121, getpgid, (u64)b), -ESRCH);
}

/* A group keeps its number alive after its leader is gone: the number must not be given out. */
static int lives_in_group(void *arg)
{
	(void)arg;
	return pause_forever(NULL);
}

static void ids_are_not_reused_early(void)
{
	u32 status;
	s32 leader = (s32)fork_to(pause_forever, NULL), member = (s32)fork_to(lives_in_group, NULL), again;

	EXPECT_EQ(call(109, setpgid, (u64)leader, 0), 0);
	EXPECT_EQ(call(109, setpgid, (u64)member, (u64)leader), 0);
	EXPECT_EQ(call(62, kill, (u64)leader, SIGKILL), 0);
	EXPECT_EQ(wait_for(leader, &status, 0), leader);
	last_pid = leader - 1;
	again = (s32)fork_to(return_arg, NULL);
	EXPECT(again != leader && again != member);
	EXPECT_EQ(wait_for(again, &status, 0), again);
	EXPECT_EQ(call(62, kill, (u64)-leader, SIGKILL), 0);
	EXPECT_EQ(wait_for(member, &status, 0), member);
	last_pid = leader - 1;
	again = (s32)fork_to(return_arg, NULL);
	EXPECT_EQ(again, leader);
	EXPECT_EQ(wait_for(again, &status, 0), again);
	last_pid = PID_MAX - 2;
	again = (s32)fork_to(return_arg, NULL);
	EXPECT_EQ(again, PID_MAX - 1);
	EXPECT_EQ(wait_for(again, &status, 0), again);
	again = (s32)fork_to(return_arg, NULL);
	EXPECT_EQ(again, PID_FIRST_AGAIN);
	EXPECT_EQ(wait_for(again, &status, 0), again);
}

/* ---- credentials ---- */

static int drop_to_user(void *arg)
{
	u32 ids[3];
	u32 groups[4] = { 0 };

	(void)arg;
	if (call(115, getgroups, 0, 0) != 3 || call(115, getgroups, 2, (u64)groups) != -EINVAL)
		return 1;
	if (call(115, getgroups, 4, (u64)groups) != 3 || groups[0] != 3 || groups[1] != 5 || groups[2] != 7)
		return 2;
	if (call(117, setresuid, 0, 0, 0))
		return 3;
	if (!capable(CAP_KILL))
		return 4;
	if (call(105, setuid, 1234))		/* root is left for good: capabilities go */
		return 5;
	if (capable(CAP_SETUID) || current->cred->cap_permitted)
		return 6;
	if (call(118, getresuid, (u64)&ids[0], (u64)&ids[1], (u64)&ids[2]) || ids[0] != 1234 || ids[2] != 1234)
		return 7;
	if (call(105, setuid, 0) != -EPERM || call(113, setreuid, 5, 6) != -EPERM || call(117, setresuid, (u64)-1, 9, (u64)-1) != -EPERM)
		return 8;
	if (call(122, setfsuid, 77) != 1234 || call(122, setfsuid, 1234) != 1234)
		return 9;
	if (call(116, setgroups, 0, 0) != -EPERM || call(105, setuid, (u64)-1) != -EINVAL)
		return 10;
	if (call(62, kill, 1, SIGUSR1) != -EPERM)	/* uid 1000's */
		return 11;
	if (call(62, kill, 1, SIGCONT))			/* the same session */
		return 12;
	return 0;
}

static void credentials(void)
{
	u32 status = 1;
	long pid = fork_to(drop_to_user, NULL);

	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static int capability_calls(void *arg)
{
	u32 hdr[2] = { 0x20080522, 0 }, data[6];

	(void)arg;
	if (call(125, capget, (u64)hdr, (u64)data) || data[0] != (u32)CAPS || data[1] != (u32)CAPS)
		return 1;
	hdr[0] = 1;
	if (call(125, capget, (u64)hdr, (u64)data) != -EINVAL || hdr[0] != 0x20080522)
		return 2;
	data[1] |= BIT(CAP_SYS_ADMIN);
	if (call(126, capset, (u64)hdr, (u64)data) != -EPERM)
		return 3;
	data[0] = 0;
	data[1] = BIT(CAP_KILL);
	data[2] = BIT(CAP_KILL);
	data[3] = data[4] = data[5] = 0;
	if (call(126, capset, (u64)hdr, (u64)data))
		return 4;
	if (capable(CAP_KILL) || call(157, prctl, 24, CAP_KILL) != -EPERM)
		return 5;
	if (call(157, prctl, 47, 2, CAP_KILL, 0, 0) || call(157, prctl, 47, 1, CAP_KILL, 0, 0) != 1)
		return 6;
	if (call(157, prctl, 47, 2, CAP_CHOWN, 0, 0) != -EPERM || call(157, prctl, 47, 2, 99, 0, 0) != -EINVAL)
		return 7;
	if (call(157, prctl, 38, 1, 0, 0, 0) || call(157, prctl, 39, 0, 0, 0, 0) != 1 || call(157, prctl, 38, 0, 0, 0, 0) != -EINVAL)
		return 8;
	return 0;
}

static void capabilities(void)
{
	u32 status = 1;
	long pid = fork_to(capability_calls, NULL);

	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static void exec_credentials(void)
{
	bool secure;
	struct cred *c = cred_exec(true, 0, false, 0, &secure);

	EXPECT_EQ(c->euid, 0);
	EXPECT_EQ(c->uid, 1000);
	EXPECT(secure);
	EXPECT_EQ(c->cap_effective, CAP_CONTAINER);
	cred_put(c);
	current->no_new_privs = true;
	c = cred_exec(true, 0, true, 0, &secure);
	EXPECT_EQ(c->euid, 1000);
	EXPECT_EQ(c->egid, 100);
	EXPECT(!secure);
	cred_put(c);
	current->no_new_privs = false;
}

static int over_nproc(void *arg)
{
	struct rlimit64 lim = { 2, 2 }, old;
	u32 status;
	long pid;

	(void)arg;
	if (call(302, prlimit64, 0, RLIM_NPROC, (u64)&lim, (u64)&old) || old.cur < 1000)
		return 1;
	if (call(160, setrlimit, RLIM_NPROC, (u64)&(struct rlimit64){ 3, 3 }) != -EPERM)
		return 2;
	if (call(160, setrlimit, RLIM_NPROC, (u64)&(struct rlimit64){ 2, 1 }) != -EINVAL)
		return 3;
	if (call(97, getrlimit, 16, (u64)&lim) != -EINVAL)
		return 4;
	/* the first program and we are two: a third is too many */
	pid = fork_to(return_arg, NULL);
	if (pid != -EAGAIN)
		return 5;
	if (wait_for(-1, &status, WAIT_NOHANG) != -ECHILD)
		return 6;
	return 0;
}

static void process_limit(void)
{
	u32 status = 1, max = tasks_max;
	long pid = fork_to(over_nproc, NULL);

	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT(tasks_settle());
	tasks_max = nr_tasks;
	EXPECT_EQ(fork_to(return_arg, NULL), -EAGAIN);
	tasks_max = max;
}

static void start_fails(void)
{
	static struct machine_ops broken;
	const struct machine_ops *good = machine;
	u32 status, tasks = nr_tasks;
	long allocs = fake_allocs;
	extern int broken_start(struct task *t);

	broken = *machine;
	broken.start_fork = broken_start;
	machine = &broken;
	EXPECT_EQ(fork_to(return_arg, NULL), -ENOMEM);
	machine = good;
	EXPECT_EQ(nr_tasks, tasks);
	EXPECT_EQ(fake_allocs, allocs);
	EXPECT_EQ(wait_for(-1, &status, WAIT_NOHANG), -ECHILD);
}
int broken_start(struct task *t);
int broken_start(struct task *t)
{
	(void)t;
	return -ENOMEM;
}

/* Every allocation of a fork fails once. */
static void no_memory(void)
{
	long allocs = fake_allocs, pid = -1;
	u32 status;
	int n;

	for (n = 1; n < 100 && pid < 0; n++) {
		fake_fail_alloc = n;
		pid = fork_to(exit_soon, NULL);
		fake_fail_alloc = 0;
		if (pid < 0) {
			EXPECT(pid == -ENOMEM || pid == -EAGAIN);
			EXPECT_EQ(fake_allocs, allocs);
		}
	}
	EXPECT(n > 4 && pid > 0);
	EXPECT_EQ(wait_for((s32)pid, &status, 0), pid);
}

static void usage(void)
{
	struct linux_rusage r;
	s64 t[4];

	EXPECT_EQ(call(98, getrusage, 0, (u64)&r), 0);
	EXPECT_EQ(call(98, getrusage, 7, (u64)&r), -EINVAL);
	EXPECT_EQ(call(98, getrusage, 0, 16), -EFAULT);
	EXPECT(call(100, times, (u64)t) > 0);
	EXPECT_EQ(call(140, getpriority, 0, 0), 20);
	EXPECT_EQ(call(141, setpriority, 0, 0, 30), 0);
	EXPECT_EQ(call(140, getpriority, 0, 0), 1);
	EXPECT_EQ(call(141, setpriority, 0, 0, 0), -EACCES);
	EXPECT_EQ(call(140, getpriority, 3, 0), -EINVAL);
	EXPECT_EQ(call(140, getpriority, 0, 4000000), -ESRCH);
	current->nice = 0;
}

static long allocs_at_start;
static u32 tasks_at_start;

static void nothing_is_left(void)
{
	EXPECT(tasks_settle());
	EXPECT_EQ(nr_tasks, tasks_at_start);
	EXPECT_EQ(nr_processes, 1);
	EXPECT_EQ(current->cred->user->tasks, 1);
	EXPECT_EQ(current->cred->user->sigpending, 0);
	EXPECT_EQ(fake_allocs, allocs_at_start);
}

int main(void)
{
	tasks_boot(CAPS);
	allocs_at_start = fake_allocs;
	tasks_at_start = nr_tasks;
	RUN(exit_status);
	RUN(killed);
	RUN(bad_arguments);
	RUN(waitid_nowait);
	RUN(exit_group_ends_threads);
	RUN(leader_exits_first);
	RUN(status_is_the_leaders);
	RUN(exec_in_a_thread);
	RUN(orphans_go_to_the_first);
	RUN(orphans_go_to_the_subreaper);
	RUN(parent_death_signal);
	RUN(autoreap);
	RUN(clone_and_wait_kinds);
	RUN(vfork_waits);
	RUN(groups_and_sessions);
	RUN(ids_are_not_reused_early);
	RUN(credentials);
	RUN(capabilities);
	RUN(exec_credentials);
	RUN(process_limit);
	RUN(usage);
	RUN(nothing_is_left);
	RUN(start_fails);
	RUN(no_memory);
	RUN(nothing_is_left);
	return unit_done();
}
