// SPDX-License-Identifier: MIT
/* System V semaphores and message queues: semop(2), semctl(2), msgop(2), msgctl(2). Shared memory is mm's. */
#include "base/string.h"
#include "ipc/sysv.h"
#include "mm/kmalloc.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/cred.h"

#define CTL_RMID	0
#define CTL_SET		1
#define CTL_STAT	2
#define CTL_INFO	3

#define SEM_GETPID	11
#define SEM_GETVAL	12
#define SEM_GETALL	13
#define SEM_GETNCNT	14
#define SEM_GETZCNT	15
#define SEM_SETVAL	16
#define SEM_SETALL	17
#define SEM_STAT	18
#define SEM_INFO	19
#define SEM_STAT_ANY	20

#define MSG_STAT	11
#define MSG_INFO	12
#define MSG_STAT_ANY	13

struct semid_ds_abi {
	struct sysv_perm_abi perm;
	s64 otime;
	u64 unused1;
	s64 ctime;
	u64 unused2, nsems, unused3, unused4;
};
_Static_assert(sizeof(struct semid_ds_abi) == 104, "struct semid64_ds of x86-64");

struct seminfo_abi {
	s32 map, mni, mns, mnu, msl, opm, ume, usz, vmx, aem;
};

struct msqid_ds_abi {
	struct sysv_perm_abi perm;
	s64 stime, rtime, ctime;
	u64 cbytes, qnum, qbytes;
	s32 lspid, lrpid;
	u64 unused[2];
};
_Static_assert(sizeof(struct msqid_ds_abi) == 120, "struct msqid64_ds of x86-64");

struct msginfo_abi {
	s32 pool, map, max, mnb, mni, ssz, tql;
	u16 seg, pad;
};
_Static_assert(sizeof(struct msginfo_abi) == 32, "struct msginfo");

/* ---- semaphores ---- */

static struct sem_set *sem_of(struct sysv_object *o)
{
	return container_of(o, struct sem_set, o);
}

SYSCALL_DEFINE(semget)
{
	return sem_get((s32)a[0], (u32)a[1], (u32)a[2]);
}

static long do_semop(s32 id, u64 user, u64 nr, s64 deadline)
{
	struct sem_op small[8], *ops = small;
	long ret;

	if (!nr || id < 0)
		return -EINVAL;
	if (nr > SEM_MAX_OPS)
		return -E2BIG;
	if (nr > ARRAY_SIZE(small)) {
		ops = kmalloc(nr * sizeof(*ops));
		if (!ops)
			return -ENOMEM;
	}
	ret = copy_from_user(ops, user, nr * sizeof(*ops));
	if (!ret)
		ret = sem_operate(id, ops, (u32)nr, deadline);
	if (ops != small)
		kfree(ops);
	return ret;
}

SYSCALL_DEFINE(semop)
{
	return do_semop((s32)a[0], a[1], (u32)a[2], FOREVER);
}

SYSCALL_DEFINE(semtimedop)
{
	s64 deadline;
	int ret = deadline_from_user(&deadline, a[3]);

	return ret ? ret : do_semop((s32)a[0], a[1], (u32)a[2], deadline);
}

static long semctl_one(s32 id, s32 num, s32 cmd, s32 val)
{
	struct sysv_object *o = sysv_lookup(&sem_table, id, cmd == SEM_SETVAL ? SYSV_WRITE : SYSV_READ);
	struct sem_set *set;
	long ret = 0;

	if (IS_ERR(o))
		return PTR_ERR(o);
	set = sem_of(o);
	if (num < 0 || (u32)num >= set->nr) {
		ret = -EINVAL;
	} else if (cmd == SEM_GETVAL) {
		ret = set->sem[num].val;
	} else if (cmd == SEM_GETPID) {
		ret = set->sem[num].pid;
	} else if (cmd == SEM_GETNCNT || cmd == SEM_GETZCNT) {
		ret = sem_count_waiters(set, num, cmd == SEM_GETZCNT);
	} else if (val < 0 || val > SEM_MAX_VALUE) {
		ret = -ERANGE;
	} else {
		sem_set_value(set, num, val);
		sem_values_changed(set);
	}
	sysv_unlock(o);
	return ret;
}

/* The values go through a buffer of their own: nothing of the program's is touched with the set locked. */
static long semctl_all(s32 id, s32 cmd, u64 user)
{
	struct sysv_object *o = sysv_lookup(&sem_table, id, cmd == SEM_SETALL ? SYSV_WRITE : SYSV_READ);
	u16 *vals = NULL;
	long ret = 0;
	u32 nr;

	if (IS_ERR(o))
		return PTR_ERR(o);
	nr = sem_of(o)->nr;
	sysv_unlock(o);
	vals = kcalloc(nr, sizeof(*vals));
	if (!vals)
		return -ENOMEM;
	if (cmd == SEM_SETALL) {
		ret = copy_from_user(vals, user, nr * sizeof(*vals));
		for (u32 i = 0; !ret && i < nr; i++)
			if (vals[i] > SEM_MAX_VALUE)
				ret = -ERANGE;
	}
	if (!ret) {
		o = sysv_lookup(&sem_table, id, 0);
		ret = IS_ERR(o) ? -EIDRM : 0;	/* the id cannot be another set's */
	}
	if (!ret) {
		for (u32 i = 0; i < nr; i++) {
			if (cmd == SEM_SETALL)
				sem_set_value(sem_of(o), i, vals[i]);
			else
				vals[i] = sem_of(o)->sem[i].val;
		}
		if (cmd == SEM_SETALL)
			sem_values_changed(sem_of(o));
		sysv_unlock(o);
	}
	if (!ret && cmd == SEM_GETALL)
		ret = copy_to_user(user, vals, nr * sizeof(*vals));
	kfree(vals);
	return ret;
}

static long semctl_stat(s32 id, s32 cmd, u64 user)
{
	u32 rights = cmd == SEM_STAT_ANY ? 0 : SYSV_READ;
	struct sysv_object *o = cmd == CTL_STAT ? sysv_lookup(&sem_table, id, rights) : sysv_index(&sem_table, id, rights);
	struct semid_ds_abi ds = { .otime = 0 };
	long ret;

	if (IS_ERR(o))
		return PTR_ERR(o);
	sysv_perm(o, &ds.perm);
	ds.otime = sem_of(o)->otime;
	ds.ctime = sem_of(o)->ctime;
	ds.nsems = sem_of(o)->nr;
	ret = cmd == CTL_STAT ? 0 : o->id;
	sysv_unlock(o);
	return copy_to_user(user, &ds, sizeof(ds)) ? -EFAULT : ret;
}

static long semctl_info(s32 cmd, u64 user)
{
	struct seminfo_abi info = {
		.map = SEM_MAX_ALL, .mni = SYSV_MAX, .mns = SEM_MAX_ALL, .mnu = SEM_MAX_ALL, .msl = SEM_MAX_PER_SET,
		.opm = SEM_MAX_OPS, .ume = SEM_MAX_OPS, .usz = 20, .vmx = SEM_MAX_VALUE, .aem = SEM_MAX_VALUE,
	};

	if (cmd == SEM_INFO) {
		info.usz = sem_table.used;
		info.aem = sem_in_use();
	}
	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : max(sysv_highest(&sem_table), 0);
}

static long semctl_change(s32 id, s32 cmd, u64 user)
{
	struct semid_ds_abi ds;
	struct sysv_object *o;
	long ret = 0;

	if (cmd == CTL_SET && get_user(ds, user))
		return -EFAULT;
	o = sysv_lookup(&sem_table, id, 0);
	if (IS_ERR(o))
		return PTR_ERR(o);
	if (cmd == CTL_RMID) {
		ret = sem_remove(sem_of(o));
	} else if (!sysv_may_change(o)) {
		ret = -EPERM;
	} else {
		sysv_set_perm(o, &ds.perm);
		sem_of(o)->ctime = clock_realtime() / NSEC_PER_SEC;
	}
	sysv_unlock(o);
	return ret;
}

SYSCALL_DEFINE(semctl)
{
	s32 id = (s32)a[0], num = (s32)a[1], cmd = (s32)a[2];

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case CTL_RMID:
	case CTL_SET:
		return semctl_change(id, cmd, a[3]);
	case CTL_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return semctl_stat(id, cmd, a[3]);
	case CTL_INFO:
	case SEM_INFO:
		return semctl_info(cmd, a[3]);
	case SEM_GETALL:
	case SEM_SETALL:
		return semctl_all(id, cmd, a[3]);
	case SEM_GETVAL:
	case SEM_GETPID:
	case SEM_GETNCNT:
	case SEM_GETZCNT:
	case SEM_SETVAL:
		return semctl_one(id, num, cmd, (s32)a[3]);
	}
	return -EINVAL;
}

/* ---- message queues ---- */

static struct msg_queue *msg_of(struct sysv_object *o)
{
	return container_of(o, struct msg_queue, o);
}

SYSCALL_DEFINE(msgget)
{
	return msg_get((s32)a[0], (u32)a[1]);
}

SYSCALL_DEFINE(msgsnd)
{
	s32 id = (s32)a[0];
	struct msg *m;
	s64 type;
	long ret;

	if (get_user(type, a[1]))
		return -EFAULT;
	if (id < 0 || type < 1 || a[2] > MSG_MAX_SIZE)
		return -EINVAL;
	m = msg_alloc(type, (u32)a[2]);
	if (!m)
		return -ENOMEM;
	ret = copy_from_user(m->data, a[1] + sizeof(type), m->len);
	if (!ret)
		ret = msg_send(id, m, (u32)a[3]);
	if (ret)
		msg_free(m);
	return ret;
}

SYSCALL_DEFINE(msgrcv)
{
	s32 id = (s32)a[0];
	u32 flags = (u32)a[4];
	struct msg *m;
	long ret;

	if (id < 0 || (s64)a[2] < 0)
		return -EINVAL;
	if (flags & MSG_FLAG_COPY)
		return -ENOSYS;
	m = msg_receive(id, a[2], (s64)a[3], flags);
	if (IS_ERR(m))
		return PTR_ERR(m);
	ret = min_t(u64, m->len, a[2]);
	if (put_user(m->type, a[1]) || copy_to_user(a[1] + sizeof(m->type), m->data, ret))
		ret = -EFAULT;	/* and the message is gone, as on Linux */
	msg_free(m);
	return ret;
}

static long msgctl_stat(s32 id, s32 cmd, u64 user)
{
	u32 rights = cmd == MSG_STAT_ANY ? 0 : SYSV_READ;
	struct sysv_object *o = cmd == CTL_STAT ? sysv_lookup(&msg_table, id, rights) : sysv_index(&msg_table, id, rights);
	struct msqid_ds_abi ds = { .stime = 0 };
	const struct msg_queue *q;
	long ret;

	if (IS_ERR(o))
		return PTR_ERR(o);
	q = msg_of(o);
	sysv_perm(o, &ds.perm);
	ds.stime = q->stime;
	ds.rtime = q->rtime;
	ds.ctime = q->ctime;
	ds.cbytes = q->bytes;
	ds.qnum = q->nr;
	ds.qbytes = q->max_bytes;
	ds.lspid = q->lspid;
	ds.lrpid = q->lrpid;
	ret = cmd == CTL_STAT ? 0 : o->id;
	sysv_unlock(o);
	return copy_to_user(user, &ds, sizeof(ds)) ? -EFAULT : ret;
}

static long msgctl_info(s32 cmd, u64 user)
{
	struct msginfo_abi info = {
		.pool = SYSV_MAX * (MSG_MAX_QUEUE / 1024), .map = MSG_MAX_QUEUE, .max = MSG_MAX_SIZE, .mnb = MSG_MAX_QUEUE,
		.mni = SYSV_MAX, .ssz = 16, .tql = MSG_MAX_QUEUE, .seg = 0xffff,
	};

	if (cmd == MSG_INFO) {
		info.pool = msg_table.used;
		info.map = 0;
		info.tql = (s32)msg_bytes_in_use();
	}
	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : max(sysv_highest(&msg_table), 0);
}

static long msgctl_change(s32 id, s32 cmd, u64 user)
{
	struct msqid_ds_abi ds;
	struct sysv_object *o;
	long ret = 0;

	if (cmd == CTL_SET && get_user(ds, user))
		return -EFAULT;
	o = sysv_lookup(&msg_table, id, 0);
	if (IS_ERR(o))
		return PTR_ERR(o);
	if (cmd == CTL_RMID) {
		ret = msg_remove(msg_of(o));
	} else if (!sysv_may_change(o) || (ds.qbytes > MSG_MAX_QUEUE && !capable(CAP_SYS_RESOURCE))) {
		ret = -EPERM;
	} else {
		sysv_set_perm(o, &ds.perm);
		msg_of(o)->max_bytes = min_t(u64, ds.qbytes, MSG_MAX_BYTES);
		msg_of(o)->ctime = clock_realtime() / NSEC_PER_SEC;
		wake_up_all(&msg_of(o)->writers);	/* there may be room now, or less right to be here */
		wake_up_all(&msg_of(o)->readers);
	}
	sysv_unlock(o);
	return ret;
}

SYSCALL_DEFINE(msgctl)
{
	s32 id = (s32)a[0], cmd = (s32)a[1];

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case CTL_RMID:
	case CTL_SET:
		return msgctl_change(id, cmd, a[2]);
	case CTL_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return msgctl_stat(id, cmd, a[2]);
	case CTL_INFO:
	case MSG_INFO:
		return msgctl_info(cmd, a[2]);
	}
	return -EINVAL;
}
