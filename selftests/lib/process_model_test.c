// SPDX-License-Identifier: MIT
/* Processes over a fake South: ten thousand random steps against a model, and processes and threads against each other. */
#include "tasks.c"
#include "unit.h"

#include "process/internal.h"
#include "sched/wait.h"

static long wait_for(s32 pid, u32 *status, u32 options)
{
	return call(61, wait4, (u64)pid, (u64)status, options, 0);
}

static int return_arg(void *arg)
{
	return (int)(long)arg;
}

static int pause_forever(void *arg)
{
	(void)arg;
	return (int)call(34, pause, 0);
}

#define MAX_NODES	24

enum { DO_NOTHING, DO_FORK, DO_EXIT, DO_WAIT, DO_SETPGID, DO_SETSID, DO_GETPPID };

/* A process of the tree that obeys the driver. */
struct node {
	bool used, zombie, stopped, leads_session, adopted;
	s32 pid, pgid, sid;
	struct node *parent;		/* NULL: the first program */
	u32 status;			/* as wait4 shall say */
	/* the command, and its answer; the node sleeps in the kernel on wq meanwhile */
	struct wait_queue wq;
	int command, command_seq, done_seq;
	long arg, result;
	u32 wait_status;
	struct node *child;
};
static struct node nodes[MAX_NODES];
static int hung_up;		/* members of orphaned groups that SIGHUP ended */

static int node_main(void *arg);

static void obey(struct node *n)
{
	switch (n->command) {
	case DO_FORK:
		n->result = fork_to(node_main, n->child);
		break;
	case DO_WAIT:
		n->result = wait_for((s32)n->arg, &n->wait_status, WAIT_NOHANG);
		break;
	case DO_SETPGID:
		n->result = call(109, setpgid, 0, (u64)n->arg);
		break;
	case DO_SETSID:
		n->result = call(112, setsid, 0);
		break;
	case DO_GETPPID:
		n->result = call(110, getppid, 0);
		break;
	}
}

static int node_main(void *arg)
{
	struct node *n = arg;
	int seq = __atomic_load_n(&n->done_seq, __ATOMIC_ACQUIRE);

	for (;;) {
		while (wait_event_interruptible(&n->wq, __atomic_load_n(&n->command_seq, __ATOMIC_ACQUIRE) != seq))
			checkpoint();
		if (n->command == DO_EXIT)
			return (int)n->arg;
		obey(n);
		seq = n->command_seq;
		__atomic_store_n(&n->done_seq, seq, __ATOMIC_RELEASE);
	}
}

static long tell(struct node *n, int command, long arg)
{
	n->command = command;
	n->arg = arg;
	__atomic_add_fetch(&n->command_seq, 1, __ATOMIC_ACQ_REL);
	wake_up_all(&n->wq);
	if (command == DO_EXIT)
		return 0;
	if (!eventually(__atomic_load_n(&n->done_seq, __ATOMIC_ACQUIRE) == n->command_seq)) {
		EXPECT(!"a process obeys");
		return -EIO;
	}
	return n->result;
}

static struct node *node_new(struct node *parent)
{
	for (struct node *n = nodes; n < nodes + MAX_NODES; n++) {
		if (n->used)
			continue;
		memset(n, 0, sizeof(*n));
		n->used = true;
		n->parent = parent;
		n->pgid = parent ? parent->pgid : 1;
		n->sid = parent ? parent->sid : 1;
		return n;
	}
	return NULL;
}

static bool is_gone(s32 pid)
{
	struct process *p = process_find_get(pid);
	bool gone = !p || READ_ONCE(p->zombie);

	process_put(p);
	return gone;
}

/* POSIX: does anybody outside the group, but in its session, have a child in it? The first program's group always has one. */
static bool model_orphaned(s32 pgid)
{
	for (struct node *c = nodes; c < nodes + MAX_NODES; c++) {
		if (!c->used || c->zombie || c->pgid != pgid || c->adopted)
			continue;
		if (c->parent ? c->parent->pgid != pgid && c->parent->sid == c->sid : pgid != 1 && c->sid == 1)
			return false;
	}
	return pgid != 1;
}

static void model_dies(struct node *n, u32 status);

/* A tie of @n's group to @parent was cut. If it was the last one and somebody is stopped, all get SIGHUP, and die of it. */
static void model_cut(struct node *n, s32 pgid, s32 sid)
{
	bool stopped = false;

	if (pgid == n->pgid || sid != n->sid || !model_orphaned(n->pgid))
		return;
	for (struct node *c = nodes; c < nodes + MAX_NODES; c++)
		stopped |= c->used && !c->zombie && c->stopped && c->pgid == n->pgid;
	if (!stopped)
		return;
	for (struct node *c = nodes; c < nodes + MAX_NODES; c++)
		if (c->used && !c->zombie && c->pgid == n->pgid)
			c->stopped = false;
	for (struct node *c = nodes; c < nodes + MAX_NODES; c++) {
		if (!c->used || c->zombie || c->pgid != n->pgid)
			continue;
		EXPECT(eventually(is_gone(c->pid)));
		hung_up++;
		model_dies(c, SIGHUP);
	}
}

/* In the model: @n is a zombie now, its children are the first program's. */
static void model_dies(struct node *n, u32 status)
{
	if (n->zombie)
		return;
	n->zombie = true;
	n->stopped = false;
	n->status = status;
	for (struct node *c = nodes; c < nodes + MAX_NODES; c++) {
		if (!c->used || c->parent != n)
			continue;
		c->parent = NULL;
		c->adopted = true;
		model_cut(c, n->pgid, n->sid);
	}
	if (n->parent)
		model_cut(n, n->parent->pgid, n->parent->sid);
	else if (!n->adopted)
		model_cut(n, 1, 1);
}

/* A wait4(-1, WNOHANG) of @n (NULL: of the first program) against the model. */
static void check_wait(struct node *n)
{
	struct node *c, *found = NULL;
	bool any = false, zombies = false;
	u32 status = 0;
	long pid = n ? tell(n, DO_WAIT, -1) : wait_for(-1, &status, WAIT_NOHANG);

	if (n)
		status = n->wait_status;
	for (c = nodes; c < nodes + MAX_NODES; c++) {
		if (!c->used || c->parent != n)
			continue;
		any = true;
		zombies |= c->zombie;
		if (c->pid == pid)
			found = c;
	}
	if (!any) {
		EXPECT_EQ(pid, -ECHILD);
	} else if (!zombies) {
		EXPECT_EQ(pid, 0);
	} else {
		EXPECT(found && found->zombie);
		EXPECT_EQ(status, found ? found->status : 0);
		if (found)
			found->used = false;
	}
}

static bool group_exists(s32 pgid, s32 sid)
{
	for (struct node *c = nodes; c < nodes + MAX_NODES; c++)
		if (c->used && c->pgid == pgid)
			return c->sid == sid;
	return pgid == 1 && sid == 1;
}

static void check_setpgid(struct node *n, struct node *other)
{
	s32 pgid = other ? other->pgid : 0;
	long want = n->leads_session ? -EPERM : !pgid || pgid == n->pid || group_exists(pgid, n->sid) ? 0 : -EPERM;

	EXPECT_EQ(tell(n, DO_SETPGID, pgid), want);
	if (!want)
		n->pgid = pgid ? pgid : n->pid;
}

static void check_setsid(struct node *n)
{
	bool leads_group = false;
	long ret = tell(n, DO_SETSID, 0);

	for (struct node *c = nodes; c < nodes + MAX_NODES; c++)
		leads_group |= c->used && c->pgid == n->pid;
	EXPECT_EQ(ret, leads_group ? -EPERM : n->pid);
	if (ret > 0) {
		n->pgid = n->sid = n->pid;
		n->leads_session = true;
	}
}

static void check_kill(struct node *n)
{
	static const int deadly[] = { SIGKILL, SIGTERM, SIGHUP, 64, SIGABRT };
	int sig = deadly[rand() % 5];

	EXPECT_EQ(call(62, kill, (u64)n->pid, (u64)sig), 0);
	if (n->zombie)
		return;
	if (n->stopped && sig != SIGKILL)
		EXPECT_EQ(call(62, kill, (u64)n->pid, SIGCONT), 0);
	EXPECT(eventually(is_gone(n->pid)));
	model_dies(n, (u32)sig);
}

static void check_stop(struct node *n)
{
	struct process *p = process_find_get(n->pid);

	if (n->zombie || !p) {
		process_put(p);
		return;
	}
	EXPECT_EQ(call(62, kill, (u64)n->pid, n->stopped ? SIGCONT : SIGSTOP), 0);
	n->stopped = !n->stopped;
	EXPECT(eventually(READ_ONCE(p->stopped) == n->stopped));
	process_put(p);
}

static void model_fork(struct node *parent)
{
	struct node *c = node_new(parent);

	if (!c)
		return;
	if (!parent) {
		c->pid = (s32)fork_to(node_main, c);
	} else {
		parent->child = c;
		c->pid = (s32)tell(parent, DO_FORK, 0);
	}
	EXPECT(c->pid > 1);
	if (c->pid <= 1)
		c->used = false;
}

static struct node *pick(bool obedient)
{
	struct node *n = &nodes[rand() % MAX_NODES];

	return n->used && (!obedient || (!n->zombie && !n->stopped)) ? n : NULL;
}

static void step(void)
{
	struct node *n, *other;
	s32 pid;

	switch (rand() % 11) {
	case 0:
		model_fork(NULL);
		break;
	case 1:
	case 2:
		n = pick(true);
		if (n)
			model_fork(n);
		break;
	case 3:
		n = pick(true);
		if (!n)
			break;
		pid = n->pid;
		tell(n, DO_EXIT, rand() & 0xff);
		EXPECT(eventually(is_gone(pid)));
		model_dies(n, (u32)n->arg << 8);
		break;
	case 4:
		check_wait(NULL);
		break;
	case 5:
		n = pick(true);
		if (n)
			check_wait(n);
		break;
	case 6:
		n = pick(true);
		other = pick(false);
		if (n)
			check_setpgid(n, other);
		break;
	case 7:
		n = pick(true);
		if (n && rand() % 32 == 0)
			check_setsid(n);
		else if (n)
			EXPECT_EQ(tell(n, DO_GETPPID, 0), n->parent ? n->parent->pid : 1);
		break;
	case 8:
		n = pick(false);
		if (n)
			check_kill(n);
		break;
	case 9:
		n = pick(false);
		if (n)
			check_stop(n);
		break;
	case 10:	/* a stopped job in a group of its own whose shell goes */
		n = pick(true);
		if (!n || !n->parent || n->parent->zombie || n->parent->stopped || n->leads_session)
			break;
		check_setpgid(n, NULL);
		check_stop(n);
		if (rand() % 2)
			check_kill(n->parent);
		break;
	}
}

static void check_ids(void)
{
	for (struct node *n = nodes; n < nodes + MAX_NODES; n++) {
		if (!n->used)
			continue;
		EXPECT_EQ(call(121, getpgid, (u64)n->pid), n->pgid);
		EXPECT_EQ(call(124, getsid, (u64)n->pid), n->sid);
	}
}

static void random_steps(void)
{
	u32 status;

	srand(7);	/* the same steps every time */
	for (int i = 0; i < 10000 && !unit_bad; i++) {
		step();
		if (i % 16 == 0)
			check_ids();
	}
	printf("# %d members of orphaned groups were hung up\n", hung_up);
	EXPECT(hung_up > 10);
	EXPECT(process_kill_all(clock_monotonic() + 10 * NSEC_PER_SEC));
	while (wait_for(-1, &status, 0) > 0)
		;
	memset(nodes, 0, sizeof(nodes));
}

/* ---- threads against each other ---- */

static int storm_child(void *arg)
{
	u32 status;

	for (int i = 0; i < 30; i++) {
		long pid = fork_to(return_arg, (void *)(long)i);

		if (pid > 0 && (long)arg % 2 && wait_for((s32)pid, &status, 0) == pid && status != (u32)i << 8)
			return 1;
	}
	while (wait_for(-1, &status, 0) > 0)
		;
	return 0;
}

static void fork_storm(void)
{
	u32 status;

	for (long i = 0; i < 8; i++)
		EXPECT(fork_to(storm_child, (void *)i) > 0);
	for (int i = 0; i < 8; i++) {
		EXPECT(wait_for(-1, &status, 0) > 0);
		EXPECT_EQ(status, 0);
	}
}

static int clones_threads(void *arg)
{
	for (int i = 0; i < 50; i++)
		if (thread_to(return_arg, arg) <= 0)
			break;		/* the kill came */
	return pause_forever(NULL);
}

/* A kill comes while the process is busy making threads: none survives. */
static void kill_while_cloning(void)
{
	u32 status;

	for (int i = 0; i < 60; i++) {
		s32 pid = (s32)fork_to(clones_threads, NULL);

		if (i % 4)
			sched_yield();
		EXPECT_EQ(call(62, kill, (u64)pid, SIGKILL), 0);
		EXPECT_EQ(wait_for(pid, &status, 0), pid);
		EXPECT_EQ(status, SIGKILL);
	}
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
	tasks_boot(0);
	allocs_at_start = fake_allocs;
	tasks_at_start = nr_tasks;
	RUN(random_steps);
	RUN(fork_storm);
	RUN(kill_while_cloning);
	RUN(nothing_is_left);
	return unit_done();
}
