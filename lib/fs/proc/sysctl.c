// SPDX-License-Identifier: MIT
/*
 * /proc/sys: what programs ask for, with the values that hold here. Nothing can be set but the names of the system, by who may
 * (CAP_SYS_ADMIN); other writes answer EPERM.
 */
#include "base/random.h"
#include "base/string.h"
#include "boot_parts.h"
#include "fs/fdtable.h"
#include "fs/proc/internal.h"
#include "ipc/epoll.h"
#include "ipc/pipe.h"
#include "ipc/sysv.h"
#include "ipc/unix.h"
#include "mm/shm.h"
#include "mm/vma.h"
#include "north/linux/uts.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/pid.h"

static int show_text(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	seq_puts(s, (const char *)(uintptr_t)ctx->key2);
	seq_putc(s, '\n');
	return 0;
}

static ssize_t store_refused(const struct pseudo_ctx *ctx __unused, const char *text __unused, size_t len __unused)
{
	return -EPERM;
}

#define TEXT(name, text)	{ name, S_IFREG | 0644, .show = show_text, .store = store_refused, .key2 = (u64)(uintptr_t)(text) }
#define SHOW(name, fn)		{ name, S_IFREG | 0444, .show = fn, .store = store_refused }

/* ---- kernel ---- */

static ssize_t store_name(const struct pseudo_ctx *ctx, const char *text, size_t len)
{
	char name[UTS_LEN] = "", *nl, *to = (char *)(uintptr_t)ctx->key2;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	memcpy(name, text, min(len, sizeof(name) - 1));
	nl = strchr(name, '\n');
	if (nl)
		*nl = '\0';
	memcpy(to, name, sizeof(name));
	return (ssize_t)len;
}

static int show_threads_max(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_printf(s, "%u\n", tasks_max);
	return 0;
}

static char boot_id[37];

static void make_uuid(char out[37])
{
	static const char hex[] = "0123456789abcdef";
	u8 b[16];
	u32 at = 0;

	random_bytes(b, sizeof(b));
	b[6] = (u8)((b[6] & 0x0f) | 0x40);
	b[8] = (u8)((b[8] & 0x3f) | 0x80);
	for (u32 i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = hex[b[i] >> 4];
		out[at++] = hex[b[i] & 15];
	}
	out[at] = '\0';
}

void proc_sysctl_init(void)
{
	make_uuid(boot_id);
}

static int show_uuid(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	char uuid[37];

	make_uuid(uuid);
	seq_printf(s, "%s\n", uuid);
	return 0;
}

static const struct pseudo_entry random_dir[] = {
	{ "boot_id", S_IFREG | 0444, .show = show_text, .store = store_refused, .key2 = (u64)(uintptr_t)boot_id },
	TEXT("entropy_avail", "256"),
	TEXT("poolsize", "256"),
	SHOW("uuid", show_uuid),
	{}
};

static int show_sem(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_printf(s, "%u\t%u\t%u\t%u\n", SEM_MAX_PER_SET, SEM_MAX_ALL, SEM_MAX_OPS, SYSV_MAX);
	return 0;
}

/* Files whose number the code itself has: key2 is the number. */
static int show_number(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	seq_printf(s, "%lu\n", ctx->key2);
	return 0;
}

#define NUMBER(name, nr)	{ name, S_IFREG | 0644, .show = show_number, .store = store_refused, .key2 = (nr) }
#define DIR(name, table)	{ name, S_IFDIR | 0555, .children = table }

static int show_last_pid(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_printf(s, "%d\n", last_pid);
	return 0;
}

static const struct pseudo_entry keys_dir[] = { NUMBER("maxkeys", 200), NUMBER("maxbytes", 20000), {} };
static const struct pseudo_entry seccomp_dir[] = {
	TEXT("actions_avail", "kill_process kill_thread trap errno user_notif trace log allow"), {}
};
static const struct pseudo_entry yama_dir[] = { NUMBER("ptrace_scope", 1), {} };

static const struct pseudo_entry kernel_dir[] = {
	TEXT("arch", "x86_64"),
	NUMBER("auto_msgmni", 0),
	NUMBER("cap_last_cap", CAP_LAST_CAP),
	TEXT("core_pattern", "core"),
	NUMBER("core_uses_pid", 0),
	NUMBER("dmesg_restrict", 1),
	{ "domainname", S_IFREG | 0644, .show = show_text, .store = store_name, .key2 = (u64)(uintptr_t)uts_domainname },
	{ "hostname", S_IFREG | 0644, .show = show_text, .store = store_name, .key2 = (u64)(uintptr_t)boot_hostname },
	NUMBER("io_uring_disabled", 2),
	DIR("keys", keys_dir),
	NUMBER("kptr_restrict", 2),
	NUMBER("msgmax", MSG_MAX_SIZE),
	NUMBER("msgmnb", MSG_MAX_QUEUE),
	NUMBER("msgmni", SYSV_MAX),
	NUMBER("ngroups_max", NGROUPS_MAX),
	SHOW("ns_last_pid", show_last_pid),
	NUMBER("numa_balancing", 0),
	TEXT("osrelease", UTS_RELEASE),
	TEXT("ostype", "Linux"),
	NUMBER("overflowgid", 65534),
	NUMBER("overflowuid", 65534),
	NUMBER("panic", 0),
	NUMBER("perf_event_max_sample_rate", 0),
	NUMBER("perf_event_paranoid", 4),
	NUMBER("pid_max", PID_MAX),
	TEXT("printk", "4\t4\t1\t7"),
	DIR("random", random_dir),
	NUMBER("randomize_va_space", 2),
	NUMBER("sched_autogroup_enabled", 0),
	NUMBER("sched_rr_timeslice_ms", 100),
	NUMBER("sched_rt_period_us", 1000000),
	NUMBER("sched_rt_runtime_us", 950000),
	DIR("seccomp", seccomp_dir),
	SHOW("sem", show_sem),
	NUMBER("shm_rmid_forced", 0),
	NUMBER("shmall", SHM_ALL),
	NUMBER("shmmax", SHM_MAX),
	NUMBER("shmmni", SHM_MNI),
	NUMBER("sysctl_writes_strict", 1),
	NUMBER("tainted", 0),
	SHOW("threads-max", show_threads_max),
	NUMBER("timer_migration", 0),
	NUMBER("unprivileged_bpf_disabled", 2),
	TEXT("version", UTS_VERSION),
	DIR("yama", yama_dir),
	{}
};

/* ---- vm ---- */

static const struct pseudo_entry vm_dir[] = {
	NUMBER("compact_memory", 0),
	NUMBER("dirty_background_bytes", 0),
	NUMBER("dirty_background_ratio", 10),
	NUMBER("dirty_bytes", 0),
	NUMBER("dirty_expire_centisecs", 3000),
	NUMBER("dirty_ratio", 20),
	NUMBER("dirty_writeback_centisecs", 500),
	{ "drop_caches", S_IFREG | 0200, .store = store_refused },
	NUMBER("hugetlb_shm_group", 0),
	NUMBER("legacy_va_layout", 0),
	NUMBER("max_map_count", MAX_MAP_COUNT),
	NUMBER("memfd_noexec", 0),
	NUMBER("min_free_kbytes", 0),
	NUMBER("mmap_min_addr", LBX_PROGRAM_MIN),
	NUMBER("mmap_rnd_bits", 28),
	NUMBER("nr_hugepages", 0),
	NUMBER("nr_overcommit_hugepages", 0),
	NUMBER("oom_dump_tasks", 0),
	NUMBER("oom_kill_allocating_task", 0),
	NUMBER("overcommit_kbytes", 0),
	NUMBER("overcommit_memory", 0),
	NUMBER("overcommit_ratio", 50),
	NUMBER("page-cluster", 3),
	NUMBER("panic_on_oom", 0),
	NUMBER("swappiness", 0),
	NUMBER("unprivileged_userfaultfd", 0),
	NUMBER("vfs_cache_pressure", 100),
	NUMBER("zone_reclaim_mode", 0),
	{}
};

/* ---- fs ---- */

static int show_file_max(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_printf(s, "%u\n", files_max);
	return 0;
}

static int show_file_nr(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_printf(s, "%u\t0\t%u\n", files_open(), files_max);
	return 0;
}

static int show_dentry_state(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u32 nr, unused;

	dcache_stats(&nr, &unused);
	seq_printf(s, "%u\t%u\t45\t0\t0\t0\n", nr, unused);
	return 0;
}

/* Inodes live as long as something names them: the cache of names is the cache of inodes. */
static int show_inode_nr(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u32 nr, unused;

	dcache_stats(&nr, &unused);
	seq_printf(s, "%u\t%u\n", nr, unused);
	return 0;
}

static const struct pseudo_entry inotify_dir[] = {
	NUMBER("max_queued_events", 16384), NUMBER("max_user_instances", 128), NUMBER("max_user_watches", 65536), {}
};

static int show_epoll_watches(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_printf(s, "%lu\n", epoll_max_watches());
	return 0;
}

static const struct pseudo_entry epoll_dir[] = { SHOW("max_user_watches", show_epoll_watches), {} };
static const struct pseudo_entry fs_dir[] = {
	NUMBER("aio-max-nr", 65536),
	NUMBER("aio-nr", 0),
	SHOW("dentry-state", show_dentry_state),
	DIR("epoll", epoll_dir),
	SHOW("file-max", show_file_max),
	SHOW("file-nr", show_file_nr),
	SHOW("inode-nr", show_inode_nr),
	DIR("inotify", inotify_dir),
	NUMBER("lease-break-time", 45),
	NUMBER("leases-enable", 0),
	NUMBER("mount-max", MOUNTS_MAX),
	NUMBER("nr_open", NR_OPEN_MAX),
	NUMBER("overflowgid", 65534),
	NUMBER("overflowuid", 65534),
	NUMBER("pipe-max-size", PIPE_MAX_SIZE),
	NUMBER("pipe-user-pages-hard", 0),
	NUMBER("pipe-user-pages-soft", 16384),
	NUMBER("protected_fifos", 1),
	NUMBER("protected_hardlinks", 1),
	NUMBER("protected_regular", 1),
	NUMBER("protected_symlinks", 1),
	NUMBER("suid_dumpable", 0),
	{}
};

/* ---- net, user ---- */

static const struct pseudo_entry core_dir[] = {
	NUMBER("optmem_max", 131072), NUMBER("rmem_default", SOCKBUF_DEFAULT), NUMBER("rmem_max", SOCKBUF_DEFAULT),
	NUMBER("somaxconn", SOCKET_BACKLOG_MAX), NUMBER("wmem_default", SOCKBUF_DEFAULT), NUMBER("wmem_max", SOCKBUF_DEFAULT), {}
};
static const struct pseudo_entry unix_dir[] = { NUMBER("max_dgram_qlen", UNIX_DGRAM_BACKLOG), {} };
static const struct pseudo_entry ipv4_dir[] = {
	NUMBER("ip_forward", 0), TEXT("ip_local_port_range", "32768\t60999"), TEXT("ip_local_reserved_ports", ""),
	NUMBER("ip_unprivileged_port_start", 1024), TEXT("ping_group_range", "1\t0"), NUMBER("tcp_fin_timeout", 60),
	NUMBER("tcp_keepalive_time", 7200), NUMBER("tcp_keepalive_intvl", 75), NUMBER("tcp_keepalive_probes", 9),
	NUMBER("tcp_max_syn_backlog", SOCKET_BACKLOG_MAX), NUMBER("tcp_syncookies", 1), {}
};
static const struct pseudo_entry net_dir[] = { DIR("core", core_dir), DIR("ipv4", ipv4_dir), DIR("unix", unix_dir), {} };

/* No namespaces can be made. */
static const struct pseudo_entry user_dir[] = {
	NUMBER("max_cgroup_namespaces", 0), NUMBER("max_inotify_instances", 128), NUMBER("max_inotify_watches", 65536),
	NUMBER("max_ipc_namespaces", 0), NUMBER("max_mnt_namespaces", 0), NUMBER("max_net_namespaces", 0),
	NUMBER("max_pid_namespaces", 0), NUMBER("max_time_namespaces", 0), NUMBER("max_user_namespaces", 0),
	NUMBER("max_uts_namespaces", 0), {}
};

const struct pseudo_entry proc_sys_dir[] = {
	DIR("fs", fs_dir), DIR("kernel", kernel_dir), DIR("net", net_dir), DIR("user", user_dir), DIR("vm", vm_dir), {}
};
