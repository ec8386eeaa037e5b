// SPDX-License-Identifier: MIT
/* pthreads as glibc makes them of clone, futex and signals. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "conform.h"

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	REQUIRE(!pthread_create(&t, NULL, fn, arg));
	return t;
}

static void *join(pthread_t t)
{
	void *ret;

	REQUIRE(!pthread_join(t, &ret));
	return ret;
}

static volatile int shared_int;
static __thread int tls = 7;
static pid_t main_pid;

static void *basics(void *arg)
{
	int mine = tls;

	tls = (int)(intptr_t)arg;
	__atomic_fetch_add(&shared_int, 1, __ATOMIC_SEQ_CST);
	return (void *)(intptr_t)(mine * 1000 + tls + (getpid() == main_pid ? 100000 : 0) +
				  (gettid_() != main_pid ? 1000000 : 0));
}

TEST(create_join)
{
	pthread_t t[64];
	long sum = 0;

	main_pid = getpid();
	for (long i = 0; i < 64; i++)
		t[i] = start(basics, (void *)i);
	for (int i = 0; i < 64; i++)
		sum += (long)join(t[i]);
	say("sum", "%ld shared %d tls %d", sum, shared_int, tls);
	shared_int = 0;
	for (int i = 0; i < 300; i++)
		join(start(basics, NULL));
	NUM("one_after_another", shared_int);
	ERR("join_self", pthread_join(pthread_self(), NULL));
}

static void *set_flag(void *arg)
{
	msleep(5);
	*(volatile int *)arg = 1;
	return NULL;
}

TEST(detach)
{
	static volatile int flag;
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 65536);
	ERR("create", pthread_create(&t, &attr, set_flag, (void *)&flag));
	while (!flag)
		sched_yield();
	flag = 0;
	t = start(set_flag, (void *)&flag);
	ERR("detach", pthread_detach(t));
	while (!flag)
		sched_yield();
	NUM("flag", flag);
}

static int main_exits(void *arg)
{
	static volatile int box[2];

	(void)arg;
	start(set_flag, (void *)box);
	pthread_exit(NULL);	/* the process ends with its last thread, with status 0 */
}

static void *exit_7(void *arg)
{
	(void)arg;
	msleep(5);
	_exit(7);
}

static void *exit_call_8(void *arg)
{
	(void)arg;
	exit(8);
}

static int other_exits(void *arg)
{
	start(arg, NULL);
	for (;;)
		pause();
	return 1;
}

static void *raw_exit(void *arg)
{
	(void)arg;
	syscall(SYS_exit, 5);
	return NULL;
}

static int thread_raw_exit(void *arg)
{
	pthread_t t = start(raw_exit, arg);

	pthread_join(t, NULL);
	return 9;
}

static int main_raw_exit(void *arg)
{
	(void)arg;
	start(exit_7, NULL);
	syscall(SYS_exit, 3);
	return 0;
}

static void *crash(void *arg)
{
	(void)arg;
	*(volatile int *)16 = 1;
	return NULL;
}

static void *exec_sh(void *arg)
{
	execl("/bin/sh", "sh", "-c", "test $$ = $0 && exit 12", (char *)arg, NULL);
	return NULL;
}

static int exec_from_thread(void *arg)
{
	char pid[16];

	(void)arg;
	snprintf(pid, sizeof(pid), "%d", getpid());
	for (int i = 0; i < 5; i++)
		start((void *(*)(void *))(void *)pause, NULL);
	start(exec_sh, pid);
	for (;;)
		pause();
	return 1;
}

static int fork_from_thread_body(void *arg);

TEST(endings)
{
	STR("main_pthread_exit", child(main_exits, NULL));
	STR("thread__exit", child(other_exits, (void *)exit_7));
	STR("thread_exit", child(other_exits, (void *)exit_call_8));
	STR("thread_raw_exit", child(thread_raw_exit, NULL));
	STR("main_raw_exit", child(main_raw_exit, NULL));
	STR("thread_crash", child(other_exits, (void *)crash));
	STR("exec_from_thread", child(exec_from_thread, NULL));
	STR("fork_from_thread", child(fork_from_thread_body, NULL));
}

static void *forker(void *arg)
{
	int status;
	pid_t pid = xfork();

	(void)arg;
	if (!pid)
		/* the child has this one thread, and its id is the process's */
		_exit(gettid_() == getpid() ? 21 : 22);
	waitpid(pid, &status, 0);
	return (void *)(intptr_t)WEXITSTATUS(status);
}

static int fork_from_thread_body(void *arg)
{
	for (int i = 0; i < 3; i++)
		start((void *(*)(void *))(void *)pause, NULL);
	return (int)(intptr_t)join(start(forker, arg));
}

TEST(leader_is_zombie)
{
	/* the leader has exited, another thread lives on: wait must not return yet */
	pid_t pid = xfork();
	int status;

	if (!pid) {
		start(exit_7, NULL);
		syscall(SYS_exit, 0);
	}
	MUST(waitpid(pid, &status, 0));
	STR("status", status_name(status));
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter;

static void *count_up(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(arg);
		counter++;
		pthread_mutex_unlock(arg);
	}
	return NULL;
}

static struct timespec soon(clockid_t clock, int ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000L;
	t.tv_nsec %= 1000000000L;
	return t;
}

static void *try_lock(void *arg)
{
	struct timespec t = soon(CLOCK_REALTIME, 10);
	long a = pthread_mutex_trylock(arg), b = pthread_mutex_timedlock(arg, &t);

	return (void *)(a * 1000 + b);
}

static void contend(const char *name, pthread_mutex_t *m)
{
	pthread_t t[4];

	counter = 0;
	for (int i = 0; i < 4; i++)
		t[i] = start(count_up, m);
	for (int i = 0; i < 4; i++)
		join(t[i]);
	NUM(N("%s.count", name), counter);
	pthread_mutex_lock(m);
	long r = (long)join(start(try_lock, m));

	say(N("%s.held", name), "%s %s", errno_name((int)(r / 1000)), errno_name((int)(r % 1000)));
	ERR(N("%s.unlock", name), pthread_mutex_unlock(m));
}

TEST(mutexes)
{
	static const struct { const char *name; int type, proto; } kinds[] = {
		{ "normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE },
		{ "recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE },
		{ "errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE },
		{ "adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE },
		{ "pi", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT },
		{ "pi_errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		pthread_mutexattr_t a;
		pthread_mutex_t m;

		pthread_mutexattr_init(&a);
		pthread_mutexattr_settype(&a, kinds[i].type);
		pthread_mutexattr_setprotocol(&a, kinds[i].proto);
		ERR(N("%s.init", kinds[i].name), pthread_mutex_init(&m, &a));
		contend(kinds[i].name, &m);
		if (kinds[i].type == PTHREAD_MUTEX_ERRORCHECK) {
			ERR(N("%s.unlock_free", kinds[i].name), pthread_mutex_unlock(&m));
			pthread_mutex_lock(&m);
			ERR(N("%s.relock", kinds[i].name), pthread_mutex_lock(&m));
			pthread_mutex_unlock(&m);
		}
		ERR(N("%s.destroy", kinds[i].name), pthread_mutex_destroy(&m));
	}
}

static void *lock_and_die(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

static void robust(const char *name, int proto)
{
	pthread_mutexattr_t a;
	pthread_mutex_t *m = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&a, proto);
	pthread_mutex_init(m, &a);
	join(start(lock_and_die, m));
	ERR(N("%s.thread_died", name), pthread_mutex_lock(m));
	ERR(N("%s.consistent", name), pthread_mutex_consistent(m));
	ERR(N("%s.unlock", name), pthread_mutex_unlock(m));
	ERR(N("%s.lock_again", name), pthread_mutex_lock(m));
	pthread_mutex_unlock(m);
	pid_t pid = xfork();

	if (!pid) {
		pthread_mutex_lock(m);
		kill(getpid(), SIGKILL);
	}
	xwait(pid);
	ERR(N("%s.process_killed", name), pthread_mutex_lock(m));
	ERR(N("%s.unlock_inconsistent", name), pthread_mutex_unlock(m));
	ERR(N("%s.not_recoverable", name), pthread_mutex_lock(m));
	/* someone who already sleeps on it is woken by the death */
	pthread_mutex_init(m, &a);
	int p[2];
	char c;

	MUST(pipe(p));
	pid = xfork();
	if (!pid) {
		pthread_mutex_lock(m);
		MUST(write(p[1], "x", 1));
		wait_asleep(getppid());
		_exit(0);
	}
	MUST(read(p[0], &c, 1));
	ERR(N("%s.sleeper", name), pthread_mutex_lock(m));
	xwait(pid);
	/* exec gives the locks up too */
	pthread_mutex_init(m, &a);
	pid = xfork();
	if (!pid) {
		pthread_mutex_lock(m);
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	xwait(pid);
	ERR(N("%s.exec", name), pthread_mutex_trylock(m));
}

TEST(robust) { robust("plain", PTHREAD_PRIO_NONE); }
TEST(robust_pi) { robust("pi", PTHREAD_PRIO_INHERIT); }

static volatile int stage;

static void *wait_stage(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (stage < (int)(intptr_t)arg)
		pthread_cond_wait(&cond, &mutex);
	stage++;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

TEST(condvar)
{
	pthread_condattr_t ca;
	pthread_cond_t c2;
	pthread_t t[10];
	struct timespec ts = soon(CLOCK_REALTIME, 10);

	for (intptr_t i = 9; i >= 0; i--)
		t[i] = start(wait_stage, (void *)(i + 1));
	pthread_mutex_lock(&mutex);
	stage = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 10; i++)
		join(t[i]);
	NUM("stages", stage);
	pthread_mutex_lock(&mutex);
	ERR("timeout", pthread_cond_timedwait(&cond, &mutex, &ts));
	ERR("past", pthread_cond_timedwait(&cond, &mutex, &(struct timespec){ 0, 0 }));
	ERR("bad", pthread_cond_timedwait(&cond, &mutex, &(struct timespec){ 0, -1 }));
	pthread_condattr_init(&ca);
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	pthread_cond_init(&c2, &ca);
	ts = soon(CLOCK_MONOTONIC, 10);
	ERR("monotonic", pthread_cond_timedwait(&c2, &mutex, &ts));
	pthread_mutex_unlock(&mutex);
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;

static void *meet(void *arg)
{
	long serial = 0;

	(void)arg;
	for (int i = 0; i < 50; i++)
		serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
	return (void *)serial;
}

static void *reader_writer(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 500; i++) {
		if ((intptr_t)arg) {
			pthread_rwlock_wrlock(&rw);
			counter++;
			bad += counter % 2 != 1;
			counter++;
			pthread_rwlock_unlock(&rw);
		} else {
			pthread_rwlock_rdlock(&rw);
			bad += counter % 2;
			pthread_rwlock_unlock(&rw);
		}
	}
	return (void *)bad;
}

static void *try_rw(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)(pthread_rwlock_tryrdlock(&rw) * 1000 + pthread_rwlock_trywrlock(&rw));
}

static void *post(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		sem_post(&sem);
	return NULL;
}

TEST(others)
{
	pthread_t t[6];
	long sum = 0;

	pthread_barrier_init(&barrier, NULL, 6);
	for (int i = 0; i < 6; i++)
		t[i] = start(meet, NULL);
	for (int i = 0; i < 6; i++)
		sum += (long)join(t[i]);
	NUM("barrier.serials", sum);
	counter = sum = 0;
	for (intptr_t i = 0; i < 6; i++)
		t[i] = start(reader_writer, (void *)(i % 2));
	for (int i = 0; i < 6; i++)
		sum += (long)join(t[i]);
	say("rwlock", "bad %ld count %ld", sum, counter);
	pthread_rwlock_rdlock(&rw);
	long r = (long)join(start(try_rw, NULL));

	say("rwlock.read_held", "%ld %s", r / 1000, errno_name((int)(r % 1000)));
	sem_init(&sem, 0, 0);
	pthread_t p = start(post, NULL);

	for (int i = 0; i < 100; i++)
		sem_wait(&sem);
	join(p);
	RET("sem.try", sem_trywait(&sem));
	struct timespec ts = soon(CLOCK_REALTIME, 10);

	RET("sem.timed", sem_timedwait(&sem, &ts));
	sem_t *shared_sem = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

	sem_init(shared_sem, 1, 0);
	pid_t pid = xfork();

	if (!pid) {
		sem_wait(shared_sem);
		_exit(33);
	}
	wait_asleep(pid);
	sem_post(shared_sem);
	STR("sem.shared", xwait(pid));
}

static void cleanup(void *arg)
{
	*(volatile int *)arg += 1;
}

static volatile int cleaned, ready, sent;

static void *cancel_in_read(void *arg)
{
	int *p = arg;
	char c;

	pthread_cleanup_push(cleanup, (void *)&cleaned);
	ready = 1;
	read(p[0], &c, 1);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *cancel_async(void *arg)
{
	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cleanup_push(cleanup, (void *)&cleaned);
	ready = 1;
	for (;;)
		asm volatile("" : : : "memory");
	pthread_cleanup_pop(0);
	return NULL;
}

static void *cancel_disabled(void *arg)
{
	(void)arg;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	ready = 1;
	while (!sent)
		sched_yield();
	pthread_testcancel();
	cleaned += 100;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	return (void *)1;
}

static void *cancel_cond(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push((void (*)(void *))(void *)pthread_mutex_unlock, &mutex);
	ready = 1;
	for (;;)
		pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(1);
	return NULL;
}

static void cancel(const char *name, void *(*fn)(void *), void *arg)
{
	pthread_t t;

	ready = cleaned = sent = 0;
	t = start(fn, arg);
	while (!ready)
		sched_yield();
	msleep(2);
	ERR(N("%s.cancel", name), pthread_cancel(t));
	sent = 1;
	bool canceled = join(t) == PTHREAD_CANCELED;

	say(name, "%s cleaned %d", canceled ? "canceled" : "returned", cleaned);
}

TEST(cancellation)
{
	int p[2];

	MUST(pipe(p));
	cancel("read", cancel_in_read, p);
	cancel("async", cancel_async, NULL);
	cancel("disabled", cancel_disabled, NULL);
	cancel("cond", cancel_cond, NULL);
	ERR("mutex_after", pthread_mutex_trylock(&mutex));
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 50; i++) {	/* at every moment of a thread's life */
		pthread_t t = start(cancel_in_read, p);

		for (int k = 0; k < i * 200; k++)
			asm volatile("");
		pthread_cancel(t);
		if (join(t) != PTHREAD_CANCELED)
			STR(N("early %d", i), "not canceled");
	}
	STR("early", "done");
}

static volatile pid_t signalled;
static volatile int handled;

static void handler(int sig)
{
	(void)sig;
	signalled = gettid_();
	handled++;
}

static void *unblocked(void *arg)
{
	sigset_t s;

	sigemptyset(&s);
	pthread_sigmask(SIG_SETMASK, &s, NULL);
	*(volatile pid_t *)arg = gettid_();
	while (!handled)
		msleep(1);
	return NULL;
}

TEST(signals)
{
	static volatile pid_t tid;
	sigset_t s;
	pthread_t t;

	signal(SIGUSR1, handler);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	t = start(unblocked, (void *)&tid);
	while (!tid)
		sched_yield();
	kill(getpid(), SIGUSR1);
	join(t);
	YES("to_the_one_that_can", signalled == tid);
	handled = 0, tid = 0;
	t = start(unblocked, (void *)&tid);
	while (!tid)
		sched_yield();
	ERR("pthread_kill", pthread_kill(t, SIGUSR1));
	join(t);
	YES("to_the_named", signalled == tid);
	ERR("kill.bad", pthread_kill(pthread_self(), 99));
	RET("tgkill.other_process", syscall(SYS_tgkill, getppid(), tid, 0) && errno == ESRCH);
	/* a mask is inherited by a new thread, pending signals are not */
	pthread_kill(pthread_self(), SIGUSR1);
	sigset_t pend;

	sigpending(&pend);
	NUM("pending", sigismember(&pend, SIGUSR1));
}

static void *tid_of(void *arg)
{
	(void)arg;
	return (void *)syscall(SYS_gettid);
}

TEST(ids)
{
	char name[16] = "";
	int n = 0;

	YES("set_tid_address", syscall(SYS_set_tid_address, &n) == gettid_());
	long tid = (long)join(start(tid_of, NULL));

	YES("distinct", tid != getpid() && tid > 0);
	msleep(2);
	RET("gone", syscall(SYS_tgkill, getpid(), tid, 0));
	ERR("setname", pthread_setname_np(pthread_self(), "a-name"));
	pthread_getname_np(pthread_self(), name, sizeof(name));
	STR("name", name);
	ERR("setname.long", pthread_setname_np(pthread_self(), "0123456789abcdef"));
}

/* CLONE_CHILD_CLEARTID: the word is zeroed and its futex woken when the thread is gone. */
static char stack[65536] __attribute__((aligned(16)));

static int clear_fn(void *arg)
{
	(void)arg;
	msleep(5);
	return 0;
}

TEST(clear_tid)
{
	static volatile pid_t word = 1;
	pid_t ptid = 0;
	int tid = clone(clear_fn, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
			NULL, &ptid, NULL, &word);

	YES("clone", tid > 0 && ptid == tid);
	while (word)
		syscall(SYS_futex, &word, FUTEX_WAIT, tid, NULL, NULL, 0);
	NUM("word", word);
}
