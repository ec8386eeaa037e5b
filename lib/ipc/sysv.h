/* SPDX-License-Identifier: MIT */
/*
 * System V semaphores and message queues (sysvipc(7)): what they have in common. An object lives until IPC_RMID, whoever made it;
 * who sleeps on one has a reference and finds it removed.
 *
 * Locks: table.lock > object.lock (a mutex: guards its contents; a removal is made under both). Nothing else is held with them.
 */
#ifndef LIB_IPC_SYSV_H
#define LIB_IPC_SYSV_H

#include "base/atomic.h"
#include "base/list.h"
#include "sched/lock.h"
#include "sched/wait.h"

struct task;

#define SYSV_PRIVATE	0
#define SYSV_CREAT	01000u
#define SYSV_EXCL	02000u
#define SYSV_NOWAIT	04000u
#define SYSV_READ	0444u
#define SYSV_WRITE	0222u

#define SYSV_MAX	4096u		/* objects of a kind; a power of two: SEMMNI, MSGMNI */
#define SYSV_SEQ_MAX	0x7ffffu	/* so that ids stay positive */

struct sysv_object {
	ref_t ref;		/* the table's, and of those who use it now */
	struct mutex lock;
	s32 id, key;
	u32 uid, gid, cuid, cgid;
	u32 mode;		/* permission bits */
	u32 seq;
	bool removed;
	void (*free)(struct sysv_object *o);
};

struct sysv_table {
	struct mutex lock;		/* guards slots, used */
	struct sysv_object **slot;	/* SYSV_MAX of them, allocated with the first object */
	u32 used, next, seq;
};

/* As programs see it: struct ipc64_perm of x86-64. */
struct sysv_perm_abi {
	s32 key;
	u32 uid, gid, cuid, cgid, mode;
	u16 seq, pad[3];
	u64 unused[2];
};
_Static_assert(sizeof(struct sysv_perm_abi) == 48, "struct ipc64_perm");

/* sysv_init() - a fresh object of the current task's, with one reference, which sysv_publish() takes */
void sysv_init(struct sysv_object *o, s32 key, u32 mode, void (*free)(struct sysv_object *o));
void sysv_put(struct sysv_object *o);

/*
 * sysv_lookup() - with a reference and its lock held; sysv_unlock() ends both
 * @flags: permission bits asked for (SYSV_READ, SYSV_WRITE), 0: none needed. Return: the object, ERR_PTR(-EINVAL), ERR_PTR(-EACCES)
 */
__must_check struct sysv_object *sysv_lookup(struct sysv_table *t, s32 id, u32 flags);
void sysv_unlock(struct sysv_object *o);
/* sysv_index() - the object in slot @index, for *_STAT by index */
__must_check struct sysv_object *sysv_index(struct sysv_table *t, s32 index, u32 flags);
/* sysv_highest() - the highest used index, -1: none */
int sysv_highest(struct sysv_table *t);

/**
 * sysv_get() - semget(2), msgget(2)
 * @create: makes the object, ERR_PTR on failure; @check: NULL, or may refuse an existing one (its lock held)
 * Return: id, -ENOENT, -EEXIST, -EACCES, -ENOSPC, -ENOMEM, or what @create and @check say.
 */
long sysv_get(struct sysv_table *t, s32 key, u32 flags, struct sysv_object *(*create)(s32 key, u32 flags, u64 arg),
	      int (*check)(struct sysv_object *o, u64 arg), u64 arg);

/* sysv_may_change() - owner, creator or CAP_SYS_ADMIN: IPC_SET, IPC_RMID */
bool sysv_may_change(const struct sysv_object *o);
/* sysv_remove() - take it out of the table; o->lock is let go and taken again: the caller looks whether another was faster */
bool sysv_remove(struct sysv_table *t, struct sysv_object *o);
void sysv_perm(const struct sysv_object *o, struct sysv_perm_abi *abi);
/* sysv_set_perm() - IPC_SET */
void sysv_set_perm(struct sysv_object *o, const struct sysv_perm_abi *abi);

/* ---- semaphores: sysv_sem.c ---- */

#define SEM_MAX_PER_SET	32000u		/* SEMMSL */
#define SEM_MAX_ALL	256000u		/* SEMMNS */
#define SEM_MAX_OPS	500u		/* SEMOPM */
#define SEM_MAX_VALUE	32767		/* SEMVMX, SEMAEM */
#define SEM_FLAG_UNDO	0x1000

struct sem_op {
	u16 num;
	s16 op, flags;
};

struct sem_value {
	s32 val, pid;
};

struct sem_set {
	struct sysv_object o;
	u32 nr;
	s64 otime, ctime;	/* seconds of real time */
	struct list waiters;	/* of struct sem_waiter, first come first */
	struct list undos;	/* of struct sem_undo */
	struct sem_value sem[];
};

extern struct sysv_table sem_table;
u32 sem_in_use(void);
long sem_get(s32 key, u32 nr, u32 flags);
/* sem_operate() - Return: 0, -EAGAIN, -EFBIG, -ERANGE, -EIDRM, -EINTR, … as semop(2) */
long sem_operate(s32 id, const struct sem_op *ops, u32 nr, s64 deadline);
/* With the set's lock held: */
void sem_set_value(struct sem_set *set, u32 i, s32 val);
/* sem_values_changed() - somebody may be able to go on */
void sem_values_changed(struct sem_set *set);
u32 sem_count_waiters(struct sem_set *set, u32 i, bool zero);
int sem_remove(struct sem_set *set);
/* sem_exit() - the thread ends; with the last of its process, what SEM_UNDO promised is done */
void sem_exit(struct task *t);

/* ---- message queues: sysv_msg.c ---- */

#define MSG_MAX_SIZE	8192u		/* MSGMAX */
#define MSG_MAX_QUEUE	16384u		/* MSGMNB */
#define MSG_MAX_BYTES	(64u << 20)	/* in all queues, with bookkeeping */
#define MSG_FLAG_NOERROR 010000u
#define MSG_FLAG_EXCEPT	020000u
#define MSG_FLAG_COPY	040000u

struct msg {
	struct list node;
	s64 type;
	u32 len;
	u8 data[];
};

struct msg_queue {
	struct sysv_object o;
	struct list messages;
	u64 nr, bytes, max_bytes;
	s64 stime, rtime, ctime;
	s32 lspid, lrpid;
	struct wait_queue readers, writers;
};

extern struct sysv_table msg_table;
u64 msg_bytes_in_use(void);
long msg_get(s32 key, u32 flags);
__must_check struct msg *msg_alloc(s64 type, u32 len);
void msg_free(struct msg *m);
/* msg_send() - takes @m over on success. Return: 0, -EAGAIN, -EIDRM, -EACCES, -ERESTARTNOHAND, … */
long msg_send(s32 id, struct msg *m, u32 flags);
/* msg_receive() - Return: a message for the caller to free, or ERR_PTR(-ENOMSG, -E2BIG, -EIDRM, …) */
__must_check struct msg *msg_receive(s32 id, u64 size, s64 type, u32 flags);
int msg_remove(struct msg_queue *q);

#endif
