// SPDX-License-Identifier: MIT
#include "process/itimer.h"

#include "base/errno.h"
#include "mm/kmalloc.h"
#include "process/fork.h"
#include "process/limits.h"
#include "south/south.h"

/* A program may ask for a signal every nanosecond: it gets one this often, and the count of those it missed. */
#define PERIOD_MIN	(100 * NSEC_PER_USEC)
/* Processor time is looked at no more often than this. */
#define CPU_LOOK_MIN	(1 * NSEC_PER_MSEC)
#define CPU_LOOK_MAX	(10 * NSEC_PER_SEC)

struct ptimer;

/* A time that is counted down: on the clock, or in processor time. */
struct countdown {
	struct timer timer;
	struct spinlock lock;		/* guards deadline, interval, armed */
	enum itimer_clock clock;
	struct process *process;	/* whose timer it is; outlives it */
	struct task *task;		/* ITIMER_CLOCK_THREAD: a reference */
	bool armed;
	s64 deadline;			/* monotonic, or processor time; ns */
	s64 interval;
	int sig;			/* setitimer's three */
	/* @missed: further periods that passed unseen. Runs in the timer thread. */
	void (*fire)(struct countdown *c, s64 missed);
};

struct ptimer {
	struct countdown c;
	struct list node;		/* guarded by process->itimer_lock */
	s32 id;
	u32 notify;
	struct task *target;		/* ITIMER_NOTIFY_THREAD: a reference */
	struct sigqueue *q;
};

struct itimer_state {
	struct countdown real, virt, prof, limit;
	struct list timers;		/* of struct ptimer */
	s32 next_id;
};

/* ---- counting down ---- */

static s64 countdown_now(struct countdown *c)
{
	struct rusage_times u;

	switch (c->clock) {
	case ITIMER_CLOCK_PROCESS:
		process_usage(c->process, &u);
		return u.utime + u.stime;
	case ITIMER_CLOCK_THREAD:
		task_usage(c->task, &u);
		return u.utime + u.stime;
	default:
		return clock_monotonic();
	}
}

static bool is_cpu_clock(const struct countdown *c)
{
	return c->clock == ITIMER_CLOCK_PROCESS || c->clock == ITIMER_CLOCK_THREAD;
}

static s64 sum(s64 a, s64 b)
{
	s64 s;

	return __builtin_add_overflow(a, b, &s) ? INT64_MAX : s;
}

/* When to look: @now and @deadline are of the countdown's clock. */
static void look_later(struct countdown *c, s64 now, s64 deadline)
{
	s64 left = deadline > now ? deadline - now : 0;

	if (!is_cpu_clock(c)) {
		timer_start(&c->timer, deadline);
		return;
	}
	left /= max(c->clock == ITIMER_CLOCK_THREAD ? 1u : READ_ONCE(c->process->nr_threads), 1u);
	left = min(max(left, (s64)CPU_LOOK_MIN), (s64)CPU_LOOK_MAX);
	timer_start(&c->timer, clock_monotonic() + left);
}

static void countdown_timer(struct timer *t)
{
	struct countdown *c = container_of(t, struct countdown, timer);
	s64 now = countdown_now(c), missed = 0, next = 0;
	bool due, again;

	spin_lock(&c->lock);
	due = c->armed && now >= c->deadline;
	if (due && c->interval) {
		missed = (now - c->deadline) / c->interval;
		c->deadline = sum(c->deadline, sum(missed, 1) > INT64_MAX / c->interval ? INT64_MAX : (missed + 1) * c->interval);
		if (c->deadline < now + PERIOD_MIN && !is_cpu_clock(c))
			next = now + PERIOD_MIN;
	} else if (due) {
		c->armed = false;
	}
	again = c->armed;
	if (!next)
		next = c->deadline;
	spin_unlock(&c->lock);
	if (due)
		c->fire(c, missed);
	if (again)
		look_later(c, now, next);
}

static void countdown_init(struct countdown *c, struct process *p, enum itimer_clock clock,
			   void (*fire)(struct countdown *c, s64 missed))
{
	timer_init(&c->timer, countdown_timer);
	c->process = p;
	c->clock = clock;
	c->fire = fire;
}

static void countdown_get(struct countdown *c, struct itimer_spec *spec)
{
	s64 now = countdown_now(c);

	spin_lock(&c->lock);
	spec->interval = c->interval;
	/* one that is due and was not served yet still has a little: 0 would mean disarmed */
	spec->value = !c->armed ? 0 : c->deadline > now ? c->deadline - now : 1;
	spin_unlock(&c->lock);
}

/* process->itimer_lock held, which the timer's function does not take. @value is relative unless @absolute, on c's own clock. */
static void countdown_set(struct countdown *c, const struct itimer_spec *spec, bool absolute)
{
	s64 now, deadline;

	(void)timer_stop(&c->timer);
	now = countdown_now(c);
	deadline = absolute ? spec->value : sum(now, spec->value);
	spin_lock(&c->lock);
	c->armed = spec->value != 0;
	c->deadline = deadline;
	c->interval = spec->interval;
	spin_unlock(&c->lock);
	if (spec->value)
		look_later(c, now, deadline);
}

/* ---- setitimer ---- */

static void fire_signal(struct countdown *c, s64 missed __unused)
{
	(void)send_signal_process(c->process, c->sig, SIGINFO_KERNEL);
}

/* RLIMIT_CPU: SIGXCPU at the soft limit and every second after it, SIGKILL at the hard one. */
static void fire_limit(struct countdown *c, s64 missed __unused)
{
	u64 max = load_relaxed(&c->process->rlim[RLIM_CPU].max);
	bool end = max != RLIM64_INFINITY && (u64)(countdown_now(c) / NSEC_PER_SEC) >= max;

	(void)send_signal_process(c->process, end ? SIGKILL : SIGXCPU, SIGINFO_KERNEL);
}

/* process->itimer_lock held. Return: NULL: no memory */
static struct itimer_state *state_of(struct process *p)
{
	struct itimer_state *s = p->itimers;

	if (s)
		return s;
	s = kzalloc(sizeof(*s));
	if (!s)
		return NULL;
	countdown_init(&s->real, p, ITIMER_CLOCK_MONOTONIC, fire_signal);
	countdown_init(&s->virt, p, ITIMER_CLOCK_PROCESS, fire_signal);
	countdown_init(&s->prof, p, ITIMER_CLOCK_PROCESS, fire_signal);
	countdown_init(&s->limit, p, ITIMER_CLOCK_PROCESS, fire_limit);
	s->real.sig = SIGALRM;
	s->virt.sig = SIGVTALRM;
	s->prof.sig = SIGPROF;
	list_init(&s->timers);
	p->itimers = s;
	return s;
}

int itimer_set(enum itimer_which which, const struct itimer_spec *new, struct itimer_spec *old)
{
	struct process *p = current->process;
	struct itimer_state *s;
	struct countdown *c;
	int ret = 0;

	mutex_lock(&p->itimer_lock);
	s = p->itimers;
	if (old)
		*old = (struct itimer_spec){ 0, 0 };
	if (!s && new && new->value) {
		s = state_of(p);
		ret = s ? 0 : -ENOMEM;
	}
	if (s) {
		c = which == ITIMER_REAL_ ? &s->real : which == ITIMER_VIRTUAL_ ? &s->virt : &s->prof;
		if (old)
			countdown_get(c, old);
		if (new)
			countdown_set(c, new, false);
	}
	mutex_unlock(&p->itimer_lock);
	return ret;
}

void itimers_cpu_limit(struct process *p)
{
	struct itimer_spec spec = { 0, NSEC_PER_SEC };
	struct itimer_state *s;
	u64 soft;

	mutex_lock(&p->itimer_lock);
	soft = min(p->rlim[RLIM_CPU].cur, p->rlim[RLIM_CPU].max);
	/* whose last thread went has no use for one */
	s = soft == RLIM64_INFINITY || !READ_ONCE(p->nr_threads) ? p->itimers : state_of(p);
	if (s) {
		/* no limit at all is no countdown; 0 is a second, as Linux has it */
		if (soft != RLIM64_INFINITY)
			spec.value = soft > INT64_MAX / NSEC_PER_SEC ? INT64_MAX : (s64)max(soft, 1ull) * NSEC_PER_SEC;
		countdown_set(&s->limit, &spec, true);
	}
	mutex_unlock(&p->itimer_lock);
}

/* ---- POSIX timers ---- */

static void fire_posix(struct countdown *c, s64 missed)
{
	struct ptimer *t = container_of(c, struct ptimer, c);

	if (t->notify == ITIMER_NOTIFY_NONE)
		return;
	t->q->expirations = (s32)min(missed, (s64)INT32_MAX - 1) + 1;
	if (t->notify == ITIMER_NOTIFY_THREAD)
		(void)send_sigqueue_task(t->q, t->target);
	else
		(void)send_sigqueue_process(t->q, c->process);
}

static void ptimer_free(struct ptimer *t)
{
	(void)timer_stop(&t->c.timer);
	sigqueue_free_timer(t->q);
	task_put(t->target);
	task_put(t->c.task);
	kfree(t);
}

/* process->itimer_lock held */
static struct ptimer *ptimer_find(struct process *p, s32 id)
{
	struct ptimer *t;

	if (p->itimers)
		list_for_each(t, &p->itimers->timers, node)
			if (t->id == id)
				return t;
	return NULL;
}

/* Ids go up and wrap around; one that is in use is passed over. */
static void ptimer_publish(struct process *p, struct itimer_state *s, struct ptimer *t)
{
	do {
		t->id = s->next_id;
		s->next_id = s->next_id == INT32_MAX ? 0 : s->next_id + 1;
	} while (ptimer_find(p, t->id));
	list_add_tail(&t->node, &s->timers);
}

long posix_timer_create(const struct posix_timer_args *args)
{
	struct process *p = current->process;
	struct ptimer *t = kzalloc(sizeof(*t));
	struct itimer_state *s;
	long ret = -EAGAIN;

	if (!t)
		return -ENOMEM;
	countdown_init(&t->c, p, args->clock, fire_posix);
	list_init(&t->node);
	t->notify = args->notify;
	if (args->clock == ITIMER_CLOCK_THREAD) {
		task_get(current);
		t->c.task = current;
	}
	/* counts against RLIMIT_SIGPENDING, so there are never too many */
	t->q = sigqueue_alloc_timer();
	if (!t->q)
		goto err;
	t->q->info = (struct siginfo){ .signo = args->sig, .code = SI_TIMER };
	t->q->info.timer.value = args->value;
	if (args->notify == ITIMER_NOTIFY_THREAD) {
		ret = -EINVAL;
		t->target = task_find_get(args->tid);
		if (!t->target || t->target->process != p)
			goto err;
	}
	ret = -ENOMEM;
	mutex_lock(&p->itimer_lock);
	s = state_of(p);
	if (s) {
		ptimer_publish(p, s, t);
		t->q->info.timer.timerid = t->id;
		if (args->value_is_id)
			t->q->info.timer.value = (u64)t->id;
		ret = t->id;
	}
	mutex_unlock(&p->itimer_lock);
	if (s)
		return ret;
err:
	ptimer_free(t);
	return ret;
}

long posix_timer_set(s32 id, bool absolute, const struct itimer_spec *new, struct itimer_spec *old)
{
	struct process *p = current->process;
	struct itimer_spec spec = *new;
	struct ptimer *t;

	mutex_lock(&p->itimer_lock);
	t = ptimer_find(p, id);
	if (t) {
		countdown_get(&t->c, old);
		if (absolute && spec.value && t->c.clock == ITIMER_CLOCK_REALTIME)
			spec.value = max(spec.value - (clock_realtime() - clock_monotonic()), (s64)1);
		countdown_set(&t->c, &spec, absolute);
	}
	mutex_unlock(&p->itimer_lock);
	return t ? 0 : -EINVAL;
}

long posix_timer_get(s32 id, struct itimer_spec *cur)
{
	struct process *p = current->process;
	struct ptimer *t;

	mutex_lock(&p->itimer_lock);
	t = ptimer_find(p, id);
	if (t)
		countdown_get(&t->c, cur);
	mutex_unlock(&p->itimer_lock);
	return t ? 0 : -EINVAL;
}

long posix_timer_overrun(s32 id)
{
	struct process *p = current->process;
	struct ptimer *t;
	long ret = -EINVAL;

	mutex_lock(&p->itimer_lock);
	t = ptimer_find(p, id);
	if (t)
		ret = t->q->last_overrun;
	mutex_unlock(&p->itimer_lock);
	return ret;
}

long posix_timer_delete(s32 id)
{
	struct process *p = current->process;
	struct ptimer *t;

	mutex_lock(&p->itimer_lock);
	t = ptimer_find(p, id);
	if (t)
		list_del(&t->node);
	mutex_unlock(&p->itimer_lock);
	if (!t)
		return -EINVAL;
	ptimer_free(t);
	return 0;
}

/* ---- the end ---- */

static void delete_all(struct process *p, struct list *timers)
{
	struct ptimer *t, *tmp;
	LIST_HEAD(all);

	mutex_lock(&p->itimer_lock);
	list_splice_tail(timers, &all);
	mutex_unlock(&p->itimer_lock);
	list_for_each_safe(t, tmp, &all, node) {
		list_del(&t->node);
		ptimer_free(t);
	}
}

void itimers_exec(void)
{
	struct process *p = current->process;

	if (p->itimers)
		delete_all(p, &p->itimers->timers);
}

void itimers_exit(struct process *p)
{
	struct itimer_state *s;

	mutex_lock(&p->itimer_lock);
	s = p->itimers;
	p->itimers = NULL;
	mutex_unlock(&p->itimer_lock);
	if (!s)
		return;
	delete_all(p, &s->timers);
	(void)timer_stop(&s->real.timer);
	(void)timer_stop(&s->virt.timer);
	(void)timer_stop(&s->prof.timer);
	(void)timer_stop(&s->limit.timer);
	kfree(s);
}
