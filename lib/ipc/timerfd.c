// SPDX-License-Identifier: MIT
/*
 * How often a timer expired is worked out when somebody looks; nothing runs at each expiry. A reader sleeps until the next one by
 * itself. Only for those who poll does a kernel timer stand behind it, which fires once and is set again by the next read: so an
 * interval of a nanosecond costs nothing.
 */
#include "ipc/timerfd.h"

#include "base/errno.h"
#include "ipc/ipc.h"
#include "mm/kmalloc.h"
#include "sched/time.h"

#define TFD_IOC_SET_TICKS	0x40085400u	/* _IOW('T', 0, u64) */
/* The host may set its clock without a word: a timer on the real time looks again this often. */
#define REALTIME_NAP		(60 * NSEC_PER_SEC)

struct timerfd {
	struct mutex lock;	/* guards all below but wait; the timer's function takes it */
	u32 clock;
	u32 settime_flags;
	s64 expires;		/* of the clock: next expiry, 0: not armed */
	s64 interval;
	u64 ticks;		/* expiries that are not read yet, beside those since @expires */
	bool polled;
	struct timer timer;
	struct wait_queue wait;
};

static bool clock_is_real(const struct timerfd *t)
{
	return t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM;
}

static s64 clock_now(const struct timerfd *t)
{
	return clock_is_real(t) ? clock_realtime() : clock_monotonic();
}

static s64 add_sat(s64 a, s64 b)
{
	s64 sum;

	return __builtin_add_overflow(a, b, &sum) ? FOREVER : sum;
}

/* When to wake up for the next expiry: a monotonic time. */
static s64 next_deadline(const struct timerfd *t)
{
	s64 left;

	if (t->ticks)
		return 0;
	if (!t->expires)
		return FOREVER;
	if (!clock_is_real(t))
		return t->expires;
	if (__builtin_sub_overflow(t->expires, clock_realtime(), &left))
		left = FOREVER;
	return add_sat(clock_monotonic(), min(left, REALTIME_NAP));
}

/* Move the expiries that are past by now into ticks. */
static void timerfd_settle(struct timerfd *t)
{
	s64 now = clock_now(t), n, past;

	if (!t->expires || now < t->expires)
		return;
	if (!t->interval) {
		t->ticks++;
		t->expires = 0;
		return;
	}
	n = (now - t->expires) / t->interval + 1;
	t->ticks += n;
	t->expires = __builtin_mul_overflow(n, t->interval, &past) ? FOREVER : add_sat(t->expires, past);
}

static void timerfd_rearm(struct timerfd *t)
{
	if (!t->polled)
		return;
	if (t->expires && !t->ticks)
		timer_start(&t->timer, next_deadline(t));
	else
		timer_try_stop(&t->timer);
}

static void timerfd_fire(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	bool expired;

	mutex_lock(&t->lock);
	expired = t->ticks || (t->expires && clock_now(t) >= t->expires);
	if (!expired)
		timerfd_rearm(t);
	mutex_unlock(&t->lock);
	if (expired)
		wake_up_key(&t->wait, ~0u, POLLIN | POLLRDNORM);
}

/* Return: ticks taken, 0 with *@deadline to wait for */
static u64 timerfd_take(struct timerfd *t, s64 *deadline)
{
	u64 ticks;

	mutex_lock(&t->lock);
	timerfd_settle(t);
	ticks = t->ticks;
	t->ticks = 0;
	*deadline = next_deadline(t);
	if (ticks)
		timerfd_rearm(t);
	mutex_unlock(&t->lock);
	return ticks;
}

static ssize_t timerfd_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct timerfd *t = f->priv;
	struct wait_entry we;
	s64 deadline;
	u64 ticks;
	int ret = 0;

	if (to->left < sizeof(ticks))
		return -EINVAL;
	ticks = timerfd_take(t, &deadline);
	if (!ticks && (f->flags & O_NONBLOCK))
		return -EAGAIN;
	if (!ticks) {
		wait_entry_init(&we);
		for (;;) {
			prepare_to_wait(&t->wait, &we, TASK_INTERRUPTIBLE);
			ticks = timerfd_take(t, &deadline);
			if (ticks)
				break;
			if (signal_pending()) {
				ret = -ERESTARTSYS;
				break;
			}
			schedule_until(deadline);
		}
		finish_wait(&we);
		if (ret)
			return ret;
	}
	return uio_put(to, &ticks, sizeof(ticks)) == sizeof(ticks) ? (ssize_t)sizeof(ticks) : -EFAULT;
}

static u32 timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->priv;
	u32 events = 0;

	poll_wait(f, &t->wait, pt);
	mutex_lock(&t->lock);
	if (t->ticks || (t->expires && clock_now(t) >= t->expires))
		events = POLLIN | POLLRDNORM;
	if (pt && pt->add && !t->polled) {
		t->polled = true;
		if (!events)	/* else the read that takes the ticks does it */
			timerfd_rearm(t);
	}
	mutex_unlock(&t->lock);
	return events;
}

static long timerfd_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct timerfd *t = f->priv;
	u64 ticks;

	if (cmd != TFD_IOC_SET_TICKS)
		return -ENOTTY;
	if (get_user(ticks, arg))
		return -EFAULT;
	if (!ticks)
		return -EINVAL;
	mutex_lock(&t->lock);
	timerfd_settle(t);
	t->ticks = ticks;
	mutex_unlock(&t->lock);
	wake_up_key(&t->wait, ~0u, POLLIN | POLLRDNORM);
	return 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->priv;

	timer_stop(&t->timer);
	kfree(t);
}

/* t->lock held. An expired interval timer is settled, so that what is left is to the next expiry. */
static void timerfd_spec(struct timerfd *t, struct timerfd_spec *spec)
{
	timerfd_settle(t);
	spec->value = t->expires ? max_t(s64, t->expires - clock_now(t), 1) : 0;
	spec->interval = t->interval;
}

static void timerfd_show(struct file *f, struct seq_buf *out)
{
	struct timerfd *t = f->priv;
	struct timerfd_spec spec;
	unsigned long long ticks;

	mutex_lock(&t->lock);
	timerfd_spec(t, &spec);
	ticks = t->ticks;
	mutex_unlock(&t->lock);
	seq_printf(out, "clockid: %u\nticks: %llu\nsettime flags: 0%o\nit_value: (%lld, %lld)\nit_interval: (%lld, %lld)\n",
		   t->clock, ticks, t->settime_flags,
		   (long long)(spec.value / NSEC_PER_SEC), (long long)(spec.value % NSEC_PER_SEC),
		   (long long)(spec.interval / NSEC_PER_SEC), (long long)(spec.interval % NSEC_PER_SEC));
}

static const struct file_ops timerfd_ops = {
	.name = "timerfd",
	.read = timerfd_read,
	.seek = ipc_noop_seek,
	.poll = timerfd_poll,
	.ioctl = timerfd_ioctl,
	.release = timerfd_release,
	.show_fdinfo = timerfd_show,
};

int timerfd_get(struct file *f, struct timerfd_spec *now)
{
	struct timerfd *t = f->priv;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	mutex_lock(&t->lock);
	timerfd_spec(t, now);	/* the kernel timer stays: it tells pollers of what was settled here */
	mutex_unlock(&t->lock);
	return 0;
}

int timerfd_set(struct file *f, u32 flags, const struct timerfd_spec *new, struct timerfd_spec *old)
{
	struct timerfd *t = f->priv;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	mutex_lock(&t->lock);
	if (old)
		timerfd_spec(t, old);
	t->ticks = 0;
	t->interval = new->interval;
	t->settime_flags = flags;
	if (!new->value)
		t->expires = 0;
	else if (flags & TFD_TIMER_ABSTIME)
		t->expires = new->value;
	else
		t->expires = add_sat(clock_now(t), new->value);
	timerfd_rearm(t);
	mutex_unlock(&t->lock);
	/* readers that sleep work out their deadline anew */
	wake_up_all(&t->wait);
	return 0;
}

struct file *timerfd_open(u32 clock, u32 flags)
{
	struct timerfd *t = kzalloc(sizeof(*t));
	struct file *f;

	if (!t)
		return NULL;
	mutex_init(&t->lock);
	wait_queue_init(&t->wait);
	timer_init(&t->timer, timerfd_fire);
	t->clock = clock;
	f = anon_file(&timerfd_ops, O_RDWR | (flags & O_NONBLOCK), t);
	if (!f)
		kfree(t);
	return f;
}
