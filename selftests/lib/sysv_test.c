// SPDX-License-Identifier: MIT
/* System V semaphores and message queues. */
#include "ipc_env.h"

#include "ipc/sysv.h"

enum { RMID = 0, SET = 1, STAT = 2, GETPID = 11, GETVAL = 12, GETALL = 13, GETNCNT = 14, GETZCNT = 15, SETVAL = 16, SETALL = 17 };

struct op {
	u16 num;
	s16 op, flags;
};

static int ops(int id, int nr, struct op a, struct op b)
{
	struct op both[2] = { a, b };

	return CALL(semop, id, both, nr);
}

static int one(int id, int num, int op, int flags)
{
	return ops(id, 1, (struct op){ num, op, flags }, (struct op){ 0, 0, 0 });
}

static void semaphores_are_found_by_key(void)
{
	int a = CALL(semget, 0x1234, 3, 0600 | SYSV_CREAT), b;

	EXPECT(a >= 0);
	EXPECT_EQ(CALL(semget, 0x1234, 3, 0), a);
	EXPECT_EQ(CALL(semget, 0x1234, 0, 0600), a);
	EXPECT_EQ(CALL(semget, 0x1234, 4, 0600), -EINVAL);
	EXPECT_EQ(CALL(semget, 0x1234, 1, 0600 | SYSV_CREAT | SYSV_EXCL), -EEXIST);
	EXPECT_EQ(CALL(semget, 0x1234, 1, 0700), -EACCES);	/* more than its mode gives its owner */
	EXPECT_EQ(CALL(semget, 0x1235, 1, 0600), -ENOENT);
	EXPECT_EQ(CALL(semget, 0, 0, 0600), -EINVAL);
	EXPECT_EQ(CALL(semget, 0, 32001, 0600), -EINVAL);
	EXPECT_EQ(CALL(semget, 0, -1, 0600), -EINVAL);
	b = CALL(semget, 0, 1, 0600);
	EXPECT(b >= 0 && b != a);
	EXPECT_EQ(CALL(semctl, b, 0, RMID, 0), 0);
	EXPECT_EQ(CALL(semctl, b, 0, RMID, 0), -EINVAL);
	EXPECT_EQ(CALL(semctl, a, 0, RMID, 0), 0);
	EXPECT_EQ(CALL(semget, 0x1234, 3, 0), -ENOENT);
	EXPECT_EQ(CALL(semctl, -1, 0, RMID, 0), -EINVAL);
}

static void operations(void)
{
	int id = CALL(semget, 0, 2, 0600);
	u16 vals[2] = { 9, 9 }, bad[2] = { 0, 40000 };
	struct timespec ts = { 0, 3000000 };
	struct op w = { 0, -5, 0 };

	EXPECT_EQ(CALL(semctl, id, 0, GETALL, vals), 0);
	EXPECT(!vals[0] && !vals[1]);
	EXPECT_EQ(one(id, 0, 3, 0), 0);
	EXPECT_EQ(CALL(semctl, id, 0, GETVAL, 0), 3);
	EXPECT_EQ(CALL(semctl, id, 0, GETPID, 0), current->process->tgid);
	EXPECT_EQ(one(id, 0, -4, SYSV_NOWAIT), -EAGAIN);
	EXPECT_EQ(one(id, 0, 0, SYSV_NOWAIT), -EAGAIN);
	EXPECT_EQ(one(id, 1, 0, SYSV_NOWAIT), 0);
	/* all or nothing */
	EXPECT_EQ(ops(id, 2, (struct op){ 0, -1, 0 }, (struct op){ 1, -1, SYSV_NOWAIT }), -EAGAIN);
	EXPECT_EQ(CALL(semctl, id, 0, GETVAL, 0), 3);
	EXPECT_EQ(ops(id, 2, (struct op){ 0, -1, 0 }, (struct op){ 0, -2, SYSV_NOWAIT }), 0);
	EXPECT_EQ(CALL(semctl, id, 0, GETVAL, 0), 0);
	EXPECT_EQ(one(id, 2, 1, 0), -EFBIG);
	EXPECT_EQ(CALL(semop, id, &w, 0), -EINVAL);
	EXPECT_EQ(CALL(semop, id, &w, 501), -E2BIG);
	EXPECT_EQ(CALL(semop, id, 8, 1), -EFAULT);
	EXPECT_EQ(CALL(semop, id + 1, &w, 1), -EINVAL);
	EXPECT_EQ(CALL(semtimedop, id, &w, 1, &ts), -EAGAIN);
	ts.tv_nsec = -1;
	EXPECT_EQ(CALL(semtimedop, id, &w, 1, &ts), -EINVAL);
	EXPECT_EQ(CALL(semctl, id, 0, SETVAL, 32767), 0);
	EXPECT_EQ(one(id, 0, 1, 0), -ERANGE);
	EXPECT_EQ(CALL(semctl, id, 0, SETVAL, 32768), -ERANGE);
	EXPECT_EQ(CALL(semctl, id, 2, GETVAL, 0), -EINVAL);
	EXPECT_EQ(CALL(semctl, id, 0, SETALL, bad), -ERANGE);
	EXPECT_EQ(CALL(semctl, id, 0, SETALL, vals), 0);
	EXPECT_EQ(CALL(semctl, id, 0, 99, 0), -EINVAL);
	EXPECT_EQ(CALL(semctl, id, 0, RMID, 0), 0);
}

struct waiter {
	int id;
	struct op op;
	int ret;
};

static void operate(void *arg)
{
	struct waiter *w = arg;

	w->ret = CALL(semop, w->id, &w->op, 1);
}

static void until_waiting(int id, int cmd, int n)
{
	for (int i = 0; i < 2000 && CALL(semctl, id, 0, cmd, 0) != n; i++)
		env_sleep_ms(1);
	EXPECT_EQ(CALL(semctl, id, 0, cmd, 0), n);
}

static void sleepers_get_their_turn(void)
{
	int id = CALL(semget, 0, 1, 0600);
	struct waiter zero = { id, { 0, 0, 0 }, 77 }, two = { id, { 0, -2, 0 }, 77 }, big = { id, { 0, -9, 0 }, 77 };
	struct task *tz, *t2, *tb;

	EXPECT_EQ(one(id, 0, 1, 0), 0);
	tz = env_thread(operate, &zero);
	until_waiting(id, GETZCNT, 1);
	t2 = env_thread(operate, &two);
	tb = env_thread(operate, &big);
	until_waiting(id, GETNCNT, 2);
	/* the value is zero for a moment only, between our + 1 and what the sleepers do */
	EXPECT_EQ(one(id, 0, 1, 0), 0);
	env_join(t2);
	EXPECT_EQ(two.ret, 0);
	env_join(tz);
	EXPECT_EQ(zero.ret, 0);
	until_waiting(id, GETNCNT, 1);
	EXPECT_EQ(CALL(semctl, id, 0, RMID, 0), 0);
	env_join(tb);
	EXPECT_EQ(big.ret, -EIDRM);
}

static void a_signal_ends_the_wait(void)
{
	struct waiter w = { CALL(semget, 0, 1, 0600), { 0, -1, 0 }, 77 };
	struct task *t = env_thread(operate, &w);

	until_waiting(w.id, GETNCNT, 1);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(w.ret, -EINTR);
	EXPECT_EQ(CALL(semctl, w.id, 0, GETNCNT, 0), 0);
	EXPECT_EQ(CALL(semctl, w.id, 0, RMID, 0), 0);
}

static int undo_id;

static void take_with_undo(void *arg)
{
	(void)arg;
	if (one(undo_id, 0, -2, SEM_FLAG_UNDO) || one(undo_id, 1, 5, SEM_FLAG_UNDO) || one(undo_id, 0, 1, SEM_FLAG_UNDO))
		unit_bad++;
	sem_exit(current);
}

static void what_a_process_took_comes_back(void)
{
	struct process *p;
	struct task *t = fake_task(NULL);

	undo_id = CALL(semget, 0, 2, 0600);
	EXPECT_EQ(one(undo_id, 0, 3, 0), 0);
	t->cred = current->cred;
	p = t->process;
	fake_run(t, take_with_undo, NULL);
	fake_join(t);
	EXPECT_EQ(CALL(semctl, undo_id, 0, GETVAL, 0), 3);
	EXPECT_EQ(CALL(semctl, undo_id, 1, GETVAL, 0), 0);
	EXPECT_EQ(CALL(semctl, undo_id, 1, GETPID, 0), p->tgid);
	/* what is set afresh is not undone */
	EXPECT_EQ(one(undo_id, 0, -1, SEM_FLAG_UNDO), 0);
	EXPECT_EQ(CALL(semctl, undo_id, 0, SETVAL, 10), 0);
	sem_exit(current);
	EXPECT_EQ(CALL(semctl, undo_id, 0, GETVAL, 0), 10);
	EXPECT_EQ(CALL(semctl, undo_id, 0, RMID, 0), 0);
	free(t->regs), free(t), free(p);
}

static int pv_id, pv_inside, pv_worst;

static void enter_and_leave(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3000; i++) {
		int n;

		if (one(pv_id, 0, -1, i & 1 ? SEM_FLAG_UNDO : 0))
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
		n = __atomic_add_fetch(&pv_inside, 1, __ATOMIC_SEQ_CST);
		if (n > 2)
			pv_worst = n;
		__atomic_sub_fetch(&pv_inside, 1, __ATOMIC_SEQ_CST);
		if (one(pv_id, 0, 1, i & 1 ? SEM_FLAG_UNDO : 0))
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
	}
}

static void two_at_a_time(void)
{
	struct task *t[4];

	pv_id = CALL(semget, 0, 1, 0600);
	EXPECT_EQ(CALL(semctl, pv_id, 0, SETVAL, 2), 0);
	for (int i = 0; i < 4; i++)
		t[i] = env_thread(enter_and_leave, NULL);
	for (int i = 0; i < 4; i++)
		env_join(t[i]);
	EXPECT_EQ(pv_worst, 0);
	EXPECT_EQ(CALL(semctl, pv_id, 0, GETVAL, 0), 2);
	EXPECT_EQ(CALL(semctl, pv_id, 0, RMID, 0), 0);
	sem_exit(current);
}

/* ---- messages ---- */

struct message {
	s64 type;
	char text[9000];
};

static long put(int id, s64 type, const char *text, int flags)
{
	static __thread struct message m;

	m.type = type;
	strcpy(m.text, text);
	return CALL(msgsnd, id, &m, strlen(text), flags);
}

static struct message got;

static long take(int id, s64 type, size_t room, int flags)
{
	memset(&got, 0, sizeof(got));
	return CALL(msgrcv, id, &got, room, type, flags);
}

static void messages_are_chosen_by_type(void)
{
	int id = CALL(msgget, 0x77, 0600 | SYSV_CREAT);

	EXPECT(id >= 0);
	EXPECT_EQ(CALL(msgget, 0x77, 0600), id);
	EXPECT_EQ(CALL(msgget, 0x77, SYSV_CREAT | SYSV_EXCL), -EEXIST);
	EXPECT_EQ(CALL(msgget, 0x78, 0), -ENOENT);
	EXPECT_EQ(put(id, 0, "x", 0), -EINVAL);
	EXPECT_EQ(CALL(msgsnd, id, 8, 1, 0), -EFAULT);
	EXPECT_EQ(CALL(msgsnd, id, &got, -1, 0), -EINVAL);
	got.type = 1;
	EXPECT_EQ(CALL(msgsnd, id, &got, 8193, 0), -EINVAL);
	EXPECT_EQ(CALL(msgsnd, id + 1, &got, 1, 0), -EINVAL);
	EXPECT_EQ(take(id, 0, 10, SYSV_NOWAIT), -ENOMSG);
	EXPECT_EQ(CALL(msgrcv, id, &got, -1, 0, 0), -EINVAL);
	for (int i = 5; i; i--)
		EXPECT_EQ(put(id, i, (const char *[]){ "", "one", "two", "three", "four", "five" }[i], 0), 0);
	EXPECT_EQ(take(id, 3, 100, 0), 5);
	EXPECT(!strcmp(got.text, "three") && got.type == 3);
	EXPECT_EQ(take(id, 3, 100, SYSV_NOWAIT), -ENOMSG);
	EXPECT_EQ(take(id, -3, 100, 0), 3);	/* the lowest up to 3 */
	EXPECT_EQ(got.type, 1);
	EXPECT_EQ(take(id, 5, 100, MSG_FLAG_EXCEPT), 4);
	EXPECT_EQ(got.type, 4);
	EXPECT_EQ(take(id, 0, 2, 0), -E2BIG);
	EXPECT_EQ(take(id, 0, 2, MSG_FLAG_NOERROR), 2);	/* five, cut */
	EXPECT(!strcmp(got.text, "fi"));
	EXPECT_EQ(CALL(msgrcv, id, 8, 10, 0, 0), -EFAULT);
	EXPECT_EQ(take(id, 0, 10, SYSV_NOWAIT), -ENOMSG);
	EXPECT_EQ(CALL(msgctl, id, RMID, 0), 0);
	EXPECT_EQ(put(id, 1, "x", 0), -EINVAL);
}

static int q_id;
static long q_ret;

static void take_one(void *arg)
{
	(void)arg;
	q_ret = take(q_id, 7, 100, 0);
}

static void put_one(void *arg)
{
	static struct message m;

	(void)arg;
	m.type = 7;
	q_ret = CALL(msgsnd, q_id, &m, 8000, 0);
}

static void queues_block_and_wake(void)
{
	static struct message m = { .type = 7 };
	struct task *t;
	u64 ds[15];

	q_id = CALL(msgget, 0, 0600);
	t = env_thread(take_one, NULL);
	env_sleep_ms(2);
	EXPECT_EQ(put(q_id, 6, "no", 0), 0);
	EXPECT_EQ(put(q_id, 7, "yes", 0), 0);
	env_join(t);
	EXPECT_EQ(q_ret, 3);
	EXPECT_EQ(CALL(msgsnd, q_id, &m, 8000, 0), 0);
	EXPECT_EQ(CALL(msgsnd, q_id, &m, 8000, 0), 0);
	EXPECT_EQ(CALL(msgsnd, q_id, &m, 8000, SYSV_NOWAIT), -EAGAIN);
	EXPECT_EQ(CALL(msgctl, q_id, STAT, ds), 0);
	EXPECT_EQ(ds[9], 16002);
	EXPECT_EQ(ds[10], 3);
	EXPECT_EQ(ds[11], 16384);
	t = env_thread(put_one, NULL);
	env_sleep_ms(2);
	EXPECT_EQ(take(q_id, 7, 9000, 0), 8000);
	env_join(t);
	EXPECT_EQ(q_ret, 0);
	t = env_thread(put_one, NULL);
	env_sleep_ms(2);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(q_ret, -ERESTARTNOHAND);
	t = env_thread(put_one, NULL);
	env_sleep_ms(5);
	EXPECT_EQ(CALL(msgctl, q_id, RMID, 0), 0);	/* with messages in it */
	env_join(t);
	EXPECT_EQ(q_ret, -EIDRM);
}

static void objects_are_bounded(void)
{
	static int ids[SYSV_MAX];
	int n = 0, id;

	while (n < (int)SYSV_MAX && (ids[n] = CALL(msgget, 0, 0600)) >= 0)
		n++;
	EXPECT_EQ(n, SYSV_MAX);
	EXPECT_EQ(CALL(msgget, 0, 0600), -ENOSPC);
	EXPECT_EQ(CALL(msgctl, ids[5], RMID, 0), 0);
	id = CALL(msgget, 0, 0600);
	EXPECT(id >= 0 && id != ids[5]);	/* an id does not come back at once */
	EXPECT_EQ(CALL(msgctl, ids[5], RMID, 0), -EINVAL);
	ids[5] = id;
	for (int i = 0; i < n; i++)
		EXPECT_EQ(CALL(msgctl, ids[i], RMID, 0), 0);
	for (n = 0; n < 20 && (ids[n] = CALL(semget, 0, 32000, 0600)) >= 0; n++)
		;
	EXPECT_EQ(n, SEM_MAX_ALL / 32000);
	EXPECT_EQ(ids[n], -ENOSPC);
	for (int i = 0; i < n; i++)
		EXPECT_EQ(CALL(semctl, ids[i], 0, RMID, 0), 0);
}

static long allocs_at_start;

static void nothing_is_leaked(void)
{
	EXPECT_EQ(fake_allocs, allocs_at_start + 2);	/* the two tables stay */
}

int main(void)
{
	env_boot();
	allocs_at_start = fake_allocs;
	RUN(semaphores_are_found_by_key);
	RUN(operations);
	RUN(sleepers_get_their_turn);
	RUN(a_signal_ends_the_wait);
	RUN(what_a_process_took_comes_back);
	RUN(two_at_a_time);
	RUN(messages_are_chosen_by_type);
	RUN(queues_block_and_wake);
	RUN(objects_are_bounded);
	RUN(nothing_is_leaked);
	return unit_done();
}
