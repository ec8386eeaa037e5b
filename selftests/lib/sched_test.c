// SPDX-License-Identifier: MIT
/* Locks, wait queues and timers between threads. */
#include "unit.h"

#include <sched.h>

#include "process/task.h"
#include "sched/lock.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "south/fake/fake.h"

#define NR_TASKS 8
#define TURNS 20000

static struct mutex mutex = MUTEX_INIT;
static struct spinlock spin = SPINLOCK_INIT;
static struct rwsem sem = RWSEM_INIT;
static long counted, counted_spin, written;
static int readers_inside;

static void lock_worker(void *arg)
{
	(void)arg;
	for (int i = 0; i < TURNS; i++) {
		mutex_lock(&mutex);
		counted++;
		mutex_unlock(&mutex);
		spin_lock(&spin);
		counted_spin++;
		spin_unlock(&spin);
		if (i % 16 == 0) {
			down_write(&sem);
			if (__atomic_load_n(&readers_inside, __ATOMIC_SEQ_CST))
				unit_bad++;
			written++;
			up_write(&sem);
		} else if (i % 4 == 0) {
			down_read(&sem);
			__atomic_add_fetch(&readers_inside, 1, __ATOMIC_SEQ_CST);
			__atomic_sub_fetch(&readers_inside, 1, __ATOMIC_SEQ_CST);
			up_read(&sem);
		}
	}
}

static void locks_exclude(void)
{
	struct task *t[NR_TASKS];

	for (int i = 0; i < NR_TASKS; i++) {
		t[i] = fake_task(NULL);
		fake_run(t[i], lock_worker, NULL);
	}
	for (int i = 0; i < NR_TASKS; i++)
		fake_join(t[i]);
	EXPECT_EQ(counted, (long)NR_TASKS * TURNS);
	EXPECT_EQ(counted_spin, (long)NR_TASKS * TURNS);
	EXPECT_EQ(written, (long)NR_TASKS * TURNS / 16);
	EXPECT(!mutex_is_locked(&mutex));
}

static struct wait_queue ping = WAIT_QUEUE_INIT, pong = WAIT_QUEUE_INIT;
static u32 ball;

static void ponger(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < TURNS; i++) {
		wait_event(&ping, READ_ONCE(ball) == 2 * i + 1);
		WRITE_ONCE(ball, 2 * i + 2);
		wake_up(&pong);
	}
}

static void no_wakeup_is_lost(void)
{
	struct task *t = fake_task(NULL);

	fake_run(t, ponger, NULL);
	for (u32 i = 0; i < TURNS; i++) {
		WRITE_ONCE(ball, 2 * i + 1);
		wake_up(&ping);
		wait_event(&pong, READ_ONCE(ball) == 2 * i + 2);
	}
	fake_join(t);
	EXPECT_EQ(ball, 2 * TURNS);
}

static void deadline_ends_a_wait(void)
{
	struct wait_queue q = WAIT_QUEUE_INIT;
	s64 start = clock_monotonic();

	EXPECT_EQ(wait_event_interruptible_until(&q, false, start + 5 * NSEC_PER_MSEC), -ETIMEDOUT);
	EXPECT(clock_monotonic() - start >= 5 * NSEC_PER_MSEC);
	EXPECT_EQ(wait_event_interruptible_until(&q, false, 0), -ETIMEDOUT);
}

static struct wait_queue never = WAIT_QUEUE_INIT;
static int interrupted_with;

static void sleeper(void *arg)
{
	(void)arg;
	interrupted_with = wait_event_interruptible(&never, false);
}

static void signal_ends_an_interruptible_wait(void)
{
	for (int i = 0; i < 200; i++) {
		struct task *t = fake_task(NULL);

		interrupted_with = 0;
		fake_run(t, sleeper, NULL);
		task_set_work(t, WORK_SIGNAL);
		fake_join(t);
		EXPECT_EQ(interrupted_with, -ERESTARTSYS);
	}
}

/* A waker that holds its wake-ups back must not wait for who was not woken, and holds back no more than there is room for. */
static void batched_wakes_come_before_a_sleep(void)
{
	struct wake_batch batch, inner;
	struct task *t;

	ball = 0;
	t = fake_task(NULL);
	fake_run(t, ponger, NULL);
	for (u32 i = 0; i < TURNS; i++) {
		wake_batch_begin(&batch);
		wake_batch_begin(&inner);
		WRITE_ONCE(ball, 2 * i + 1);
		wake_up(&ping);
		wake_batch_end(&inner);
		if (i % 2)
			wake_batch_end(&batch);
		wait_event(&pong, READ_ONCE(ball) == 2 * i + 2);
		if (!(i % 2))
			wake_batch_end(&batch);
	}
	fake_join(t);
	EXPECT_EQ(ball, 2 * TURNS);
	EXPECT(!current->wakes);
}

static struct wait_queue crowd = WAIT_QUEUE_INIT;
static u32 crowd_asleep, crowd_go;

static void one_of_a_crowd(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&crowd_asleep, 1, __ATOMIC_SEQ_CST);
	wait_event(&crowd, READ_ONCE(crowd_go));
	__atomic_sub_fetch(&crowd_asleep, 1, __ATOMIC_SEQ_CST);
}

static void batch_of_many(void)
{
	struct task *t[3 * WAKE_BATCH_MAX];
	struct wake_batch batch;

	for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
		t[i] = fake_task(NULL);
		fake_run(t[i], one_of_a_crowd, NULL);
	}
	while (__atomic_load_n(&crowd_asleep, __ATOMIC_SEQ_CST) != ARRAY_SIZE(t))
		sched_yield();
	wake_batch_begin(&batch);
	WRITE_ONCE(crowd_go, 1u);
	wake_up_all(&crowd);
	EXPECT(batch.nr <= WAKE_BATCH_MAX);
	wake_batch_end(&batch);
	for (u32 i = 0; i < ARRAY_SIZE(t); i++)
		fake_join(t[i]);
	EXPECT_EQ(crowd_asleep, 0);
}

static int woken_exclusive;

static void exclusive_sleeper(void *arg)
{
	struct wait_entry we;

	(void)arg;
	wait_entry_init(&we);
	prepare_to_wait_exclusive(&never, &we, TASK_UNINTERRUPTIBLE);
	schedule_until(FOREVER);
	finish_wait(&we);
	__atomic_add_fetch(&woken_exclusive, 1, __ATOMIC_SEQ_CST);
}

static void exclusive_waiters_wake_one_by_one(void)
{
	struct task *t[4];

	for (int i = 0; i < 4; i++) {
		t[i] = fake_task(NULL);
		fake_run(t[i], exclusive_sleeper, NULL);
	}
	for (int i = 0; i < 4; i++)
		while (!wake_up(&never))
			cpu_relax();
	for (int i = 0; i < 4; i++)
		fake_join(t[i]);
	EXPECT_EQ(woken_exclusive, 4);
}

/* The fake South's tasks live as long as the test. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int main(void)
{
	fake_boot();
	RUN(locks_exclude);
	RUN(no_wakeup_is_lost);
	RUN(deadline_ends_a_wait);
	RUN(signal_ends_an_interruptible_wait);
	RUN(batched_wakes_come_before_a_sleep);
	RUN(batch_of_many);
	RUN(exclusive_waiters_wake_one_by_one);
	return unit_done();
}
