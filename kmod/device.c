// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * /dev/litebox: ioctl is the one way in. A record is copied once, checked, and only what a check made goes further.
 */
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "litebox.h"

union device_record {
	u8 bytes[LBX_RECORD_MAX];
	struct lbx_create_raw create;
	struct lbx_grant_fd_raw grant;
	struct lbx_revoke_raw revoke;
	struct lbx_seal_raw seal;
	struct lbx_run_raw run;
	struct lbx_end_raw end;
	struct lbx_info_raw info;
};

union south_record {
	u8 bytes[LBX_RECORD_MAX];
	struct lbx_exit_raw exit;
	struct lbx_clock_raw clock;
	struct lbx_io_raw io;
	struct lbx_map_raw map;
	struct lbx_cpu_raw cpu;
	struct lbx_wait_raw wait;
	struct lbx_kick_raw kick;
};

/* ---- the owner's calls ---- */

static long device_create(struct file *file, const struct lbx_create_raw *raw)
{
	static const struct lbx_limits ceiling = LBX_LIMITS_CEILING;
	struct litebox_sandbox *sb;
	struct lbx_limits limits;
	int ret = lbx_check_create(raw);

	if (!ret)
		ret = lbx_check_limits(&raw->limits, &ceiling, &limits);
	if (ret)
		return ret;
	sb = litebox_sandbox_create(&limits);
	if (!sb)
		return -ENOMEM;
	if (cmpxchg(&file->private_data, NULL, sb)) {
		litebox_sandbox_put(sb);
		return -EBUSY;
	}
	return LBX_SOUTH_VERSION;
}

static long device_grant(struct litebox_sandbox *sb, const struct lbx_grant_fd_raw *raw)
{
	struct lbx_grant grant;
	int ret = lbx_check_grant_fd(raw);

	if (!ret)
		ret = lbx_check_grant(&raw->grant, &grant);
	return ret ? ret : litebox_grant(sb, &grant, raw->fd);
}

static long device_seal(struct litebox_sandbox *sb, const struct lbx_seal_raw *raw)
{
	struct lbx_seal seal;
	int ret = lbx_check_seal(raw, &sb->space, &seal);

	if (ret)
		return ret;
	mutex_lock(&sb->lock);
	if (sb->sealed) {
		ret = -EBUSY;
	} else {
		sb->seal = seal;
		sb->sealed = true;
	}
	mutex_unlock(&sb->lock);
	return ret;
}

static long device_run(struct litebox_sandbox *sb, struct file *file, const struct lbx_run_raw *raw)
{
	long ret = lbx_check_run(raw);

	if (ret)
		return ret;
	mutex_lock(&sb->lock);
	if (!sb->sealed)
		ret = -EAGAIN;
	else if (sb->ran)
		ret = -EBUSY;
	else
		ret = litebox_run(sb, file);
	if (ret >= 0)
		sb->ran = true;
	mutex_unlock(&sb->lock);
	return ret;
}

static long device_info(struct litebox_sandbox *sb, void __user *to)
{
	struct lbx_info_raw info = { 0 };

	mutex_lock(&sb->lock);
	info.flags = (sb->sealed ? LBX_INFO_SEALED : 0) | (sb->ran ? LBX_INFO_RAN : 0);
	info.handles = sb->nr_handles;
	mutex_unlock(&sb->lock);
	spin_lock(&litebox_members_lock);
	info.cpus = sb->nr_cpus;
	info.spaces = sb->nr_spaces;
	spin_unlock(&litebox_members_lock);
	if (smp_load_acquire(&sb->exited)) {
		info.flags |= LBX_INFO_EXITED;
		info.status = sb->status;
	}
	for (int i = 0; i < LBX_SOUTH_NR_CALLS; i++)
		info.calls[i] = atomic64_read(&sb->calls[i]);
	info.host_calls = atomic64_read(&sb->host_calls);
	info.refused = atomic64_read(&sb->refused);
	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long device_call(struct file *file, u32 nr, const union device_record *r, void __user *to)
{
	struct litebox_sandbox *sb = smp_load_acquire(&file->private_data);
	int ret;

	if (nr == LBX_DEVICE_create)
		return device_create(file, &r->create);
	if (!sb)
		return -EINVAL;
	switch (nr) {
	case LBX_DEVICE_grant:
		return device_grant(sb, &r->grant);
	case LBX_DEVICE_revoke:
		ret = lbx_check_revoke(&r->revoke);
		return ret ? ret : litebox_revoke(sb, r->revoke.handle);
	case LBX_DEVICE_seal:
		return device_seal(sb, &r->seal);
	case LBX_DEVICE_run:
		return device_run(sb, file, &r->run);
	case LBX_DEVICE_end:
		ret = lbx_check_end(&r->end);
		return ret ? ret : litebox_sandbox_kill(sb);
	case LBX_DEVICE_info:
		return device_info(sb, to);
	default:
		return -ENOTTY;
	}
}

/* ---- the South's calls ---- */

static long south_exit(struct litebox_sandbox *sb, const struct lbx_exit_raw *raw)
{
	struct lbx_exit exit;
	int ret = lbx_check_exit(raw, &exit);

	if (ret)
		return ret;
	/* the first word counts */
	if (cmpxchg(&sb->status, LITEBOX_NO_STATUS, exit.status) == LITEBOX_NO_STATUS)
		smp_store_release(&sb->exited, 1);
	litebox_sandbox_kill(sb);
	return 0;
}

/* An ioctl answers 32 bits: the time goes where the record was. */
static long south_clock(const struct lbx_clock_raw *raw, u64 __user *to)
{
	struct lbx_clock clock;
	int ret = lbx_check_clock(raw, &clock);

	if (ret)
		return ret;
	return put_user(clock.id == LBX_CLOCK_REALTIME ? ktime_get_real_ns() : ktime_get_ns(), to);
}

static long south_io(struct litebox_sandbox *sb, const struct lbx_io_raw *raw, bool write)
{
	struct lbx_io io;
	int ret = lbx_check_io(raw, &sb->space, &io);

	return ret ? ret : litebox_io(sb, &io, write);
}

static long south_map(struct litebox_sandbox *sb, const struct lbx_map_raw *raw)
{
	struct lbx_map map;
	int ret = lbx_check_map(raw, &sb->space, &map);

	return ret ? ret : litebox_map(sb, &map);
}

static long south_cpu(struct litebox_sandbox *sb, struct litebox_cpu *self, const struct lbx_cpu_raw *raw)
{
	struct lbx_cpu start;
	int ret = lbx_check_cpu(raw, &sb->space, &start);

	return ret ? ret : litebox_cpu_ready(self, &start);
}

static long south_wait(struct litebox_sandbox *sb, const struct lbx_wait_raw *raw)
{
	struct lbx_wait wait;
	int ret = lbx_check_wait(raw, &sb->space, &wait);

	return ret ? ret : litebox_wait(sb, &wait);
}

static long south_kick(struct litebox_sandbox *sb, const struct lbx_kick_raw *raw)
{
	struct lbx_kick kick;
	int ret = lbx_check_kick(raw, &sb->space, &kick);

	return ret ? ret : litebox_kick(sb, &kick);
}

static long south_call(struct litebox_sandbox *sb, struct litebox_cpu *self, u32 nr, const union south_record *r,
		       void __user *to)
{
	atomic64_inc(&sb->calls[nr]);
	switch (nr) {
	case LBX_SOUTH_exit:
		return south_exit(sb, &r->exit);
	case LBX_SOUTH_clock:
		return south_clock(&r->clock, to);
	case LBX_SOUTH_read:
		return south_io(sb, &r->io, false);
	case LBX_SOUTH_write:
		return south_io(sb, &r->io, true);
	case LBX_SOUTH_map:
		return south_map(sb, &r->map);
	case LBX_SOUTH_cpu:
		return south_cpu(sb, self, &r->cpu);
	case LBX_SOUTH_wait:
		return south_wait(sb, &r->wait);
	default:
		return south_kick(sb, &r->kick);
	}
}

/* ---- the file ---- */

/* The record, copied once. @call says its size; what this side does not know of it is zero. */
static int fetch(void *to, const void __user *from, const struct lbx_call *call)
{
	if (copy_from_user(to, from, call->size))
		return -EFAULT;
	return lbx_check_tail(to, call);
}

static long litebox_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct lbx_call_raw raw = { .nr = _IOC_NR(cmd), .size = _IOC_SIZE(cmd) };
	void __user *from = (void __user *)arg;
	struct litebox_cpu *self = litebox_current();
	struct litebox_sandbox *sb;
	union device_record device;
	union south_record south;
	struct lbx_call call;
	int ret;

	if (_IOC_TYPE(cmd) != LBX_IOC_TYPE)
		return -ENOTTY;
	if (raw.nr < LBX_IOC_SOUTH) {
		ret = lbx_check_device(&raw, &call);
		if (ret)
			return ret == -ENOSYS ? -ENOTTY : ret;
		if (self && call.nr != LBX_DEVICE_revoke)
			return -EPERM;
		if (self && self->process->sandbox != smp_load_acquire(&file->private_data))
			return -EPERM;
		ret = fetch(device.bytes, from, &call);
		return ret ? ret : device_call(file, call.nr, &device, from);
	}
	sb = smp_load_acquire(&file->private_data);
	if (!self || self->process->sandbox != sb)
		return -EPERM;
	raw.nr -= LBX_IOC_SOUTH;
	ret = lbx_check_call(&raw, &call);
	if (!ret)
		ret = fetch(south.bytes, from, &call);
	return ret ? ret : south_call(sb, self, call.nr, &south, from);
}

static __poll_t litebox_poll(struct file *file, poll_table *pt)
{
	struct litebox_sandbox *sb = smp_load_acquire(&file->private_data);
	__poll_t ret = 0;

	if (!sb)
		return EPOLLERR;
	poll_wait(file, &sb->ended, pt);
	spin_lock(&litebox_members_lock);
	if (READ_ONCE(sb->ran) && list_empty(&sb->processes))
		ret = EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	spin_unlock(&litebox_members_lock);
	return ret;
}

static int litebox_open(struct inode *inode, struct file *file)
{
	/* misc's own pointer; create() puts the sandbox there */
	file->private_data = NULL;
	return stream_open(inode, file);
}

static int litebox_release(struct inode *inode, struct file *file)
{
	struct litebox_sandbox *sb = file->private_data;

	if (sb)
		litebox_sandbox_put(sb);
	return 0;
}

const struct file_operations litebox_fops = {
	.owner = THIS_MODULE,
	.open = litebox_open,
	.release = litebox_release,
	.unlocked_ioctl = litebox_ioctl,
	.poll = litebox_poll,
};
