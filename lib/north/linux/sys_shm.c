// SPDX-License-Identifier: MIT
/* System V shared memory. */
#include "mm/shm.h"
#include "base/string.h"
#include "mm/uaccess.h"
#include "north/linux/syscall.h"

#define IPC_RMID	0
#define IPC_SET		1
#define IPC_STAT	2
#define IPC_INFO	3
#define SHM_LOCK	11
#define SHM_UNLOCK	12
#define SHM_STAT	13
#define SHM_INFO	14
#define SHM_STAT_ANY	15
#define IPC_64		0x100

struct linux_shmid_ds {
	s32 key;
	u32 uid, gid, cuid, cgid, mode;
	u16 seq, pad;
	u32 pad2;
	u64 unused[2];
	u64 segsz;
	s64 atime, dtime, ctime;
	s32 cpid, lpid;
	u64 nattch;
	u64 unused2[2];
};
_Static_assert(sizeof(struct linux_shmid_ds) == 112, "struct shmid64_ds of x86-64");

SYSCALL_DEFINE(shmget) { return shm_get((s32)a[0], a[1], (u32)a[2]); }
SYSCALL_DEFINE(shmat) { return shm_attach((s32)a[0], a[1], (u32)a[2]); }
SYSCALL_DEFINE(shmdt) { return shm_detach(a[0]); }

static long ctl_stat(s32 id, u32 cmd, u64 buf)
{
	struct shm_status st;
	long ret = shm_stat(id, cmd != IPC_STAT, cmd == SHM_STAT_ANY, &st);
	struct linux_shmid_ds ds;

	if (ret < 0)
		return ret;
	ds = (struct linux_shmid_ds){
		.key = st.key, .uid = st.uid, .gid = st.gid, .cuid = st.cuid, .cgid = st.cgid, .mode = st.mode,
		.seq = st.seq, .segsz = st.size, .atime = st.atime, .dtime = st.dtime, .ctime = st.ctime,
		.cpid = st.cpid, .lpid = st.lpid, .nattch = st.nattch,
	};
	return copy_to_user(buf, &ds, sizeof(ds)) ? -EFAULT : ret;
}

static long ctl_info(u32 cmd, u64 buf)
{
	u64 limits[9] = { SHM_MAX, 1, SHM_MNI, SHM_MNI, SHM_ALL };
	u64 usage[6] = { 0 };
	u32 used;
	long last = shm_usage(&used, &usage[1], &usage[2]);

	usage[0] = used;
	if (cmd == IPC_INFO)
		return copy_to_user(buf, limits, sizeof(limits)) ? -EFAULT : last;
	return copy_to_user(buf, usage, sizeof(usage)) ? -EFAULT : last;
}

SYSCALL_DEFINE(shmctl)
{
	u32 cmd = (u32)a[1] & ~IPC_64;
	s32 id = (s32)a[0];
	struct linux_shmid_ds ds;

	if ((s32)a[1] < 0 || id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SHM_INFO:
		return ctl_info(cmd, a[2]);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return ctl_stat(id, cmd, a[2]);
	case IPC_SET:
		if (copy_from_user(&ds, a[2], sizeof(ds)))
			return -EFAULT;
		return shm_set(id, ds.uid, ds.gid, ds.mode);
	case IPC_RMID:
		return shm_remove(id);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(id, cmd == SHM_LOCK);
	default:
		return -EINVAL;
	}
}
