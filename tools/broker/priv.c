// SPDX-License-Identifier: MIT
/*
 * What the broker gives up before it serves a client that may be hostile.
 *
 * Capabilities (when root): with none at all, root still owns root's files. An export with
 * B9P_EXPORT_ROOT_RIGHTS needs more, and only while a request on it is served, so these stay in the
 * permitted set and a channel's thread makes them effective per export:
 *
 *	CAP_DAC_READ_SEARCH	read files and search directories that belong to others
 *	CAP_DAC_OVERRIDE	(RW) write to them
 *	CAP_FOWNER		(RW) change mode and times, unlink in sticky directories
 *
 * Never kept: CAP_CHOWN, CAP_FSETID (so a write clears set-id bits), CAP_MKNOD, CAP_SETFCAP,
 * CAP_SYS_ADMIN (trusted.*), CAP_SYS_RESOURCE (quota), CAP_LEASE and the rest.
 *
 * Landlock: a second opinion on "below the exports". Capabilities and Landlock bind threads, not the
 * process, which is why b9p_confine() comes before the channels' threads.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's headers. */
#define FS_TRUNCATE	(1ull << 14)	/* ABI 3 */
#define FS_IOCTL_DEV	(1ull << 15)	/* ABI 5 */

#define FS_RO_FILE	LANDLOCK_ACCESS_FS_READ_FILE
#define FS_RO_DIR	(FS_RO_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_RW_FILE	(FS_RO_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define FS_RW_DIR	(FS_RO_DIR | FS_RW_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
			 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
			 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM | \
			 LANDLOCK_ACCESS_FS_REFER)

static int caps_set(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .permitted = (uint32_t)permitted, .effective = (uint32_t)effective },
		{ .permitted = (uint32_t)(permitted >> 32),
		  .effective = (uint32_t)(effective >> 32) },
	};

	return syscall(SYS_capset, &hdr, data) ? -errno : 0;
}

static int caps_get(uint64_t *permitted)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &hdr, data))
		return -errno;
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

void priv_use(struct channel *ch, const struct export *ex)
{
	struct b9p *b = ch->b;
	uint64_t permitted, want;

	if (!b->confined || ch->caps == ex->caps)
		return;
	/* What was not there to begin with (a container's root) cannot be asked for. On failure the
	 * thread has fewer rights than it could, or keeps those of another export of the same sandbox. */
	if (caps_get(&permitted))
		return;
	want = (ex->caps | b->keep_caps) & permitted;
	if (!caps_set(permitted, want))
		ch->caps = ex->caps;
}

static int caps_drop(struct b9p *b)
{
	uint64_t have, keep = b->keep_caps;
	int ret = caps_get(&have);

	if (ret)
		return ret;
	for (size_t i = 0; i < b->nr_exports; i++)
		keep |= b->exports[i].caps;
	keep &= have;
	/* Bounding and ambient sets: with no_new_privs nothing is gained by exec, but say it anyway
	 * where CAP_SETPCAP allows; a kernel without ambient sets has none to clear. */
	for (unsigned int cap = 0; cap < 64; cap++) {
		if (!(keep & 1ull << cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			break;	/* no CAP_SETPCAP, or past the last capability */
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return caps_set(keep, keep & b->keep_caps);
}

static int landlock_rule(int ruleset, const struct export *ex, uint64_t handled)
{
	bool dir = S_ISDIR(ex->type);
	struct landlock_path_beneath_attr rule = {
		.allowed_access = (ex->writable ? dir ? FS_RW_DIR : FS_RW_FILE :
				   dir ? FS_RO_DIR : FS_RO_FILE) & handled,
		.parent_fd = ex->fd,
	};

	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ?
	       -errno : 0;
}

static int landlock_enter(struct b9p *b, int abi)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	int ruleset, ret = 0;

	if (abi >= 2)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		attr.handled_access_fs |= FS_TRUNCATE;
	if (abi >= 5)
		attr.handled_access_fs |= FS_IOCTL_DEV;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; !ret && i < b->nr_exports; i++)
		ret = landlock_rule(ruleset, &b->exports[i], attr.handled_access_fs);
	if (!ret && syscall(SYS_landlock_restrict_self, ruleset, 0))
		ret = -errno;
	close(ruleset);
	return ret;
}

static void landlock(struct b9p *b)
{
	int ret, abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
				    LANDLOCK_CREATE_RULESET_VERSION);
	bool writable = false;

	if (abi < 0) {
		log_line(b, B9P_LOG_NOTE, "no Landlock on this kernel (%s): the broker relies on its "
			 "own confinement alone", strerror(errno));
		return;
	}
	for (size_t i = 0; i < b->nr_exports; i++)
		writable |= b->exports[i].writable;
	if (abi == 1 && writable) {
		log_line(b, B9P_LOG_NOTE, "Landlock ABI 1 forbids renames between directories: left "
			 "out because an export is writable");
		return;
	}
	ret = landlock_enter(b, abi);
	if (ret)
		log_line(b, B9P_LOG_NOTE, "Landlock refused (%s): the broker relies on its own "
			 "confinement alone", strerror(-ret));
}

int b9p_confine(struct b9p *b, uint32_t flags, uint64_t keep_caps)
{
	bool busy;
	int ret;

	if (flags & ~(B9P_CONFINE_NO_LANDLOCK | B9P_CONFINE_NO_SECCOMP))
		return -EINVAL;
	pthread_mutex_lock(&b->lock);
	busy = b->next_nr != 0;
	pthread_mutex_unlock(&b->lock);
	if (busy)
		return -EBUSY;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	b->keep_caps = keep_caps;
	/* Landlock first: opening the exports for its rules may need what is dropped next. */
	if (!(flags & B9P_CONFINE_NO_LANDLOCK))
		landlock(b);
	ret = caps_drop(b);
	if (ret)
		return ret;
	b->confined = true;
	b->filter = !(flags & B9P_CONFINE_NO_SECCOMP);
	return 0;
}
