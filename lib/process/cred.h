/* SPDX-License-Identifier: MIT */
/*
 * Credentials, after credentials(7) and capabilities(7). There is one user namespace.
 *
 * A struct cred is never changed once a task has it: cred_prepare() copies the current task's, the caller changes the copy and
 * cred_commit() installs it. So who holds a reference reads without locks. current->cred may be read by the task itself without
 * a reference; everybody else takes task_cred_get().
 */
#ifndef LIB_PROCESS_CRED_H
#define LIB_PROCESS_CRED_H

#include "base/atomic.h"
#include "base/list.h"
#include "base/types.h"

struct task;

#define CAP_CHOWN		0
#define CAP_DAC_OVERRIDE	1
#define CAP_DAC_READ_SEARCH	2
#define CAP_FOWNER		3
#define CAP_FSETID		4
#define CAP_KILL		5
#define CAP_SETGID		6
#define CAP_SETUID		7
#define CAP_SETPCAP		8
#define CAP_LINUX_IMMUTABLE	9
#define CAP_NET_BIND_SERVICE	10
#define CAP_NET_BROADCAST	11
#define CAP_NET_ADMIN		12
#define CAP_NET_RAW		13
#define CAP_IPC_LOCK		14
#define CAP_IPC_OWNER		15
#define CAP_SYS_MODULE		16
#define CAP_SYS_RAWIO		17
#define CAP_SYS_CHROOT		18
#define CAP_SYS_PTRACE		19
#define CAP_SYS_PACCT		20
#define CAP_SYS_ADMIN		21
#define CAP_SYS_BOOT		22
#define CAP_SYS_NICE		23
#define CAP_SYS_RESOURCE	24
#define CAP_SYS_TIME		25
#define CAP_SYS_TTY_CONFIG	26
#define CAP_MKNOD		27
#define CAP_LEASE		28
#define CAP_AUDIT_WRITE		29
#define CAP_AUDIT_CONTROL	30
#define CAP_SETFCAP		31
#define CAP_MAC_OVERRIDE	32
#define CAP_MAC_ADMIN		33
#define CAP_SYSLOG		34
#define CAP_WAKE_ALARM		35
#define CAP_BLOCK_SUSPEND	36
#define CAP_AUDIT_READ		37
#define CAP_PERFMON		38
#define CAP_BPF			39
#define CAP_CHECKPOINT_RESTORE	40
#define CAP_LAST_CAP		40
#define CAP_ALL			((1ull << (CAP_LAST_CAP + 1)) - 1)

/* What root in a container has (the set that Docker gives): nothing that reaches beyond files, users and processes. */
#define CAP_CONTAINER		(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | \
				 BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) | \
				 BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_RAW) | BIT(CAP_SYS_CHROOT) | \
				 BIT(CAP_MKNOD) | BIT(CAP_AUDIT_WRITE) | BIT(CAP_SETFCAP))

/* securebits, prctl(PR_SET_SECUREBITS); each has its lock bit just above it */
#define SECBIT_NOROOT			BIT(0)
#define SECBIT_NO_SETUID_FIXUP		BIT(2)
#define SECBIT_KEEP_CAPS		BIT(4)
#define SECBIT_KEEP_CAPS_LOCKED		BIT(5)
#define SECBIT_NO_CAP_AMBIENT_RAISE	BIT(6)
#define SECURE_ALL_BITS			(BIT(0) | BIT(2) | BIT(4) | BIT(6))
#define SECURE_ALL_LOCKS		(SECURE_ALL_BITS << 1)

#define NGROUPS_MAX		65536

/* What counts against one real user id: RLIMIT_NPROC, RLIMIT_SIGPENDING. Counted; lives as long as a cred names it. */
struct user {
	ref_t ref;
	u32 uid;
	struct list node;	/* in the table of users; guarded by its lock */
	u32 tasks;		/* atomic */
	u32 sigpending;		/* atomic: queued signals */
};

/* Supplementary groups, sorted; shared between creds, never changed. */
struct groups {
	ref_t ref;
	u32 nr;
	u32 gid[];
};

struct cred {
	ref_t ref;
	u32 uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
	u32 securebits;
	u64 cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
	struct user *user;	/* of the real uid; a reference */
	struct groups *groups;	/* a reference; NULL: none */
};

/**
 * cred_create() - credentials for the first program
 * @nr_groups: of @groups, at most NGROUPS_MAX; @groups may be unsorted
 * @caps: permitted and effective and bounding; the bounding set is what no program ever gets beyond
 *
 * Return: one reference, or NULL when memory ran out.
 */
__must_check struct cred *cred_create(u32 uid, u32 gid, const u32 *groups, u32 nr_groups, u64 caps, u64 bset);

static inline void cred_get(struct cred *c) { ref_get(&c->ref); }
void cred_put(struct cred *c);		/* NULL is fine */

/* cred_prepare() - a copy of the current task's credentials to change. NULL: no memory. cred_put() it, or: */
__must_check struct cred *cred_prepare(void);
/* cred_commit() - the current task has @new from now on; takes the reference. Accounts to the new user, adjusts dumpable. */
void cred_commit(struct cred *new);
/* cred_set_user() - @c->uid was changed: find its struct user. Return: 0 or -ENOMEM */
__must_check int cred_set_user(struct cred *c);

/* task_cred_get() - another task's credentials, with a reference */
__must_check struct cred *task_cred_get(struct task *t);
/* task_uid() - the real user id alone */
u32 task_uid(struct task *t);

static inline bool cred_has_cap(const struct cred *c, int cap)
{
	return (c->cap_effective >> cap) & 1;
}
/* capable() - the current task has @cap in effect */
bool capable(int cap);
/* in_group_p() - @gid is the current task's fsgid or one of its groups; in_egroup_p(): its egid or one of its groups */
bool in_group_p(u32 gid);
bool in_egroup_p(u32 gid);
bool cred_in_group(const struct cred *c, u32 gid);	/* supplementary groups only */

__must_check struct groups *groups_alloc(u32 nr);
void groups_sort(struct groups *g);
void groups_put(struct groups *g);	/* NULL is fine */
/* user_put() - NULL is fine */
void user_put(struct user *u);

/* A process may look into another (ptrace_may_access(): /proc/pid/environ, kcmp, pidfd_getfd). Return: 0 or -EPERM. */
__must_check int task_may_access(struct task *t);

/**
 * cred_exec() - the credentials that the current task has after exec of a file
 * @setuid, @setgid: set-id bits of the file that count (no nosuid mount; the caller checked that)
 * @uid, @gid: its owner
 * @secure: out: AT_SECURE
 *
 * Applies capabilities(7)'s rules for exec, without file capabilities; under no_new_privs set-id bits are ignored.
 * Return: a cred to cred_commit() past the point of no return, or ERR_PTR(-ENOMEM).
 */
__must_check struct cred *cred_exec(bool setuid, u32 uid, bool setgid, u32 gid, bool *secure);

/* for boot: credentials of kernel threads; all capabilities */
extern struct cred kernel_cred;

#endif
