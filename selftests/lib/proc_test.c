// SPDX-License-Identifier: MIT
/*
 * /proc and /sys over a fake South: values against the structures they tell of, and the shape of each file (names, columns, heads)
 * against the same file of the machine that the test runs on. What that one may have more is listed.
 */
#include "tasks.c"
#include "unit.h"

/* glibc's, of the same values */
#undef RENAME_NOREPLACE
#undef RENAME_EXCHANGE
#undef RENAME_WHITEOUT

#include "fs/fs_state.h"
#include "fs/namei.h"
#include "fs/proc/proc.h"
#include "mm/mm.h"
#include "process/limits.h"

char boot_hostname[65] = "box";

static char ours[1 << 20], natives[1 << 20];

/* The whole text of one of our files; Return: length or -errno */
static long slurp(const char *name)
{
	struct file *f = vfs_open(AT_FDCWD, name, O_RDONLY, 0);
	long n;

	if (IS_ERR(f))
		return PTR_ERR(f);
	n = file_read_at(f, ours, sizeof(ours) - 1, 0);
	file_put(f);
	ours[n > 0 ? n : 0] = '\0';
	return n;
}

static long store(const char *name, const char *text)
{
	struct file *f = vfs_open(AT_FDCWD, name, O_WRONLY | O_TRUNC, 0);
	long n;

	if (IS_ERR(f))
		return PTR_ERR(f);
	n = file_write_at(f, text, strlen(text), 0);
	file_put(f);
	return n;
}

static long slurp_native(const char *name)
{
	FILE *f = fopen(name, "r");
	size_t n = f ? fread(natives, 1, sizeof(natives) - 1, f) : 0;

	natives[n] = '\0';
	if (f)
		fclose(f);
	return f ? (long)n : -1;
}

static const char *line_of(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *l = text; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL)
		if (!strncmp(l, name, len) && (l[len] == ':' || l[len] == '\t' || l[len] == ' '))
			return l;
	return NULL;
}

static bool listed(const char *const *list, const char *name, size_t len)
{
	for (; list && *list; list++)
		if (strlen(*list) == len && !memcmp(*list, name, len))
			return true;
	return false;
}

/* Names before a colon, one a line: each of ours is known there, each of theirs is ours or in @missing; @newer: not on old kernels */
static void same_names(const char *name, const char *const *missing, const char *const *newer)
{
	char key[64];

	EXPECT(slurp(name) > 0);
	if (slurp_native(name) <= 0) {
		printf("# %s: not on this machine\n", name);
		return;
	}
	for (int turn = 0; turn < 2; turn++) {
		const char *at = turn ? natives : ours, *other = turn ? ours : natives;

		for (; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
			size_t len = strcspn(at, ":\n");

			if (at[len] != ':' || len >= sizeof(key) || strchr("0123456789abcdef", *at))
				continue;
			while (len && (at[len - 1] == '\t' || at[len - 1] == ' '))
				len--;
			memcpy(key, at, len);
			key[len] = '\0';
			if (!line_of(other, key) && !listed(turn ? missing : newer, key, len)) {
				printf("# %s: \"%s\" is only %s\n", name, key, turn ? "native" : "ours");
				unit_bad++;
			}
		}
	}
}

static void shape_of_names(void)
{
	/* without an address space, as tasks are here, Linux leaves these out too */
	static const char *const status_missing[] = { "VmPeak", "VmSize", "VmLck", "VmPin", "VmHWM", "VmRSS", "RssAnon", "RssFile",
		"RssShmem", "VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap", "HugetlbPages", "CoreDumping", "THP_enabled",
		"untag_mask", NULL };
	static const char *const status_newer[] = { "Kthread", "untag_mask", "x86_Thread_features", "x86_Thread_features_locked",
		"Speculation_Store_Bypass", "SpeculationIndirectBranch", "NStgid", "NSpid", "NSpgid", "NSsid", "Seccomp_filters",
		"Seccomp", "THP_enabled", "HugetlbPages", "CoreDumping", "Mems_allowed", "Mems_allowed_list", NULL };
	/* of memory: zram, CMA, huge pages of kinds that programs do not ask for, and bad memory */
	static const char *const mem_missing[] = { "DirectMap2M", "DirectMap1G", "CmaTotal", "CmaFree", "Unaccepted", "Balloon",
		"HardwareCorrupted", "GPUActive", "GPUReclaim", NULL };
	static const char *const mem_newer[] = { "Zswap", "Zswapped", "SecPageTables", "FileHugePages", "FilePmdMapped", "KReclaimable",
		"DirectMap4k", "AnonHugePages", "ShmemHugePages", "ShmemPmdMapped", "Percpu", "NFS_Unstable", "Bounce", "WritebackTmp",
		"HugePages_Total", "HugePages_Free", "HugePages_Rsvd", "HugePages_Surp", "Hugepagesize", "Hugetlb", NULL };
	static const char *const cpu_missing[] = { "microcode", "TLB size", "vmx flags", NULL };
	static const char *const cpu_newer[] = { "cache size", NULL };

	same_names("/proc/self/status", status_missing, status_newer);
	same_names("/proc/meminfo", mem_missing, mem_newer);
	same_names("/proc/cpuinfo", cpu_missing, cpu_newer);
}

/* The first line is the same, letter by letter. */
static void shape_of_heads(void)
{
	static const char *const names[] = {
		"/proc/self/limits", "/proc/sysvipc/msg", "/proc/sysvipc/sem", "/proc/sysvipc/shm", "/proc/net/unix", "/proc/net/dev",
		"/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6", "/proc/net/raw", "/proc/net/route", "/proc/net/arp",
		"/proc/net/packet", "/proc/net/netlink", "/proc/swaps", "/proc/partitions", "/proc/devices",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (slurp_native(names[i]) <= 0)
			continue;
		EXPECT(slurp(names[i]) > 0);
		if (strcspn(ours, "\n") != strcspn(natives, "\n") || memcmp(ours, natives, strcspn(ours, "\n"))) {
			printf("# %s: %.*s\n", names[i], (int)strcspn(ours, "\n"), ours);
			unit_bad++;
		}
	}
}

static u32 words_in_line(const char *text)
{
	u32 n = 0;

	for (bool in = false; *text && *text != '\n'; text++) {
		bool word = *text != ' ' && *text != '\t';

		n += word && !in;
		in = word;
	}
	return n;
}

static void shape_of_columns(void)
{
	static const char *const names[] = { "/proc/self/stat", "/proc/self/statm", "/proc/uptime", "/proc/loadavg", "/proc/stat",
		"/proc/mounts", "/proc/self/schedstat", "/proc/sys/kernel/sem", "/proc/sys/kernel/printk", "/proc/sys/fs/file-nr",
		"/proc/sys/fs/dentry-state", "/proc/sys/fs/inode-nr", "/proc/self/uid_map" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (slurp_native(names[i]) <= 0)
			continue;
		EXPECT(slurp(names[i]) > 0);
		if (words_in_line(ours) != words_in_line(natives)) {
			printf("# %s: %u words, natively %u\n", names[i], words_in_line(ours), words_in_line(natives));
			unit_bad++;
		}
	}
	/* fields of stat are apart by one blank, and the name in parentheses is the second */
	EXPECT(slurp("/proc/self/stat") > 0);
	EXPECT(!strstr(ours, "  ") && !strncmp(ours, "1 (first) R 0 1 1 ", 18));
}

/* Every file below our /proc/sys has the same name natively, but for those that depend on how a kernel was built. */
static void walk_sys(const char *dir, u32 *seen)
{
	static const char *const optional[] = { "/proc/sys/kernel/yama", "/proc/sys/kernel/arch", "/proc/sys/kernel/io_uring_disabled",
		"/proc/sys/kernel/seccomp", "/proc/sys/vm/memfd_noexec", "/proc/sys/net/ipv4", "/proc/sys/kernel/timer_migration",
		"/proc/sys/kernel/sched_autogroup_enabled", "/proc/sys/fs/mount-max", "/proc/sys/kernel/numa_balancing",
		"/proc/sys/vm/unprivileged_userfaultfd", "/proc/sys/vm/nr_overcommit_hugepages", "/proc/sys/vm/hugetlb_shm_group",
		"/proc/sys/vm/nr_hugepages", "/proc/sys/fs/aio-nr", "/proc/sys/fs/aio-max-nr", "/proc/sys/kernel/auto_msgmni",
		"/proc/sys/vm/compact_memory", "/proc/sys/kernel/keys", "/proc/sys/user/max_time_namespaces", NULL };
	struct file *f = vfs_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	static u64 buf[8][1024];
	static u32 depth;
	long n, fd;

	EXPECT(!IS_ERR(f));
	fd = fd_add(f, 0);
	n = sys_getdents64((const u64[6]){ (u64)fd, (u64)buf[depth], sizeof(buf[0]) });
	EXPECT(n > 0);
	(void)fd_close((int)fd);
	for (long at = 0; at < n;) {
		struct { u64 ino; s64 off; u16 len; u8 type; char name[]; } *e = (void *)((char *)buf[depth] + at);
		char name[300];

		at += e->len;
		if (e->name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", dir, e->name);
		(*seen)++;
		if (access(name, F_OK) && !listed(optional, name, strlen(name))) {
			printf("# %s: not on this machine\n", name);
			unit_bad++;
		}
		if (e->type == DT_DIR && !listed(optional, name, strlen(name))) {
			depth++;
			walk_sys(name, seen);
			depth--;
		}
	}
}

static void names_of_sysctls(void)
{
	u32 seen = 0;

	walk_sys("/proc/sys", &seen);
	EXPECT(seen > 80);
}

/* ---- values ---- */

static long number_of(const char *name)
{
	const char *l = line_of(ours, name);

	return l ? strtol(l + strlen(name) + 1, NULL, 10) : -1;
}

static void status_tells_the_task(void)
{
	u64 set = SIGMASK(10) | SIGMASK(40), old;

	EXPECT_EQ(call(14, rt_sigprocmask, 0, (u64)&set, (u64)&old, 8), 0);
	EXPECT(slurp("/proc/self/status") > 0);
	EXPECT_EQ(number_of("Pid"), 1);
	EXPECT_EQ(number_of("Uid"), 1000);
	EXPECT_EQ(number_of("Gid"), 100);
	EXPECT_EQ(number_of("Threads"), 1);
	EXPECT(strstr(ours, "\nGroups:\t3 5 7 \n") != NULL);
	EXPECT(strstr(ours, "\nSigBlk:\t0000008000000200\n") != NULL);
	EXPECT(strstr(ours, "\nName:\tfirst\n") || !strncmp(ours, "Name:\tfirst\n", 12));
	EXPECT(strstr(ours, "\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n") != NULL);
	EXPECT_EQ(call(14, rt_sigprocmask, 2, (u64)&old, 0, 8), 0);
}

static void limits_follow(void)
{
	current->process->rlim[RLIM_NOFILE] = (struct rlimit64){ 77, 88 };
	current->process->rlim[RLIM_CORE] = (struct rlimit64){ 0, RLIM64_INFINITY };
	EXPECT(slurp("/proc/self/limits") > 0);
	EXPECT(strstr(ours, "Max open files            77                   88                   files     \n") != NULL);
	EXPECT(strstr(ours, "Max core file size        0                    unlimited            bytes     \n") != NULL);
}

static void comm_is_set_by_its_own(void)
{
	EXPECT_EQ(store("/proc/self/comm", "a) b (c which is long\n"), 22);
	EXPECT(slurp("/proc/self/comm") == 16 && !strcmp(ours, "a) b (c which i\n"));
	EXPECT(slurp("/proc/1/stat") > 0 && !strncmp(ours, "1 (a) b (c which i) R ", 22));
	EXPECT_EQ(store("/proc/self/comm", "first"), 5);
}

static void oom_adjustments(void)
{
	EXPECT_EQ(store("/proc/self/oom_score_adj", "300\n"), 4);
	EXPECT_EQ(store("/proc/self/oom_score_adj", "299"), -EACCES);
	EXPECT_EQ(store("/proc/self/oom_score_adj", "1001"), -EINVAL);
	EXPECT_EQ(store("/proc/self/oom_score_adj", "12x"), -EINVAL);
	EXPECT(slurp("/proc/self/oom_score_adj") && !strcmp(ours, "300\n"));
	EXPECT(slurp("/proc/self/oom_adj") && !strcmp(ours, "5\n"));
	EXPECT_EQ(current->process->oom_score_adj, 300);
}

static void writes_that_are_refused(void)
{
	EXPECT_EQ(store("/proc/sys/vm/swappiness", "1"), -EACCES);
	EXPECT_EQ(store("/proc/sys/kernel/hostname", "other"), -EACCES);
	EXPECT_EQ(store("/proc/uptime", "1"), -EACCES);
	EXPECT_EQ(store("/proc/self/uid_map", "0 0 1"), -EPERM);
	EXPECT_EQ(store("/proc/self/timerslack_ns", "123"), 3);
	EXPECT_EQ(current->timer_slack, 123);
	EXPECT(slurp("/proc/sys/kernel/hostname") == 4 && !strcmp(ours, "box\n"));
}

static void links_lead_to_files(void)
{
	char text[100];
	struct path p;
	struct file *f;
	int fd, pipes[2];

	EXPECT_EQ(call(83, mkdir, (u64)"/tmp/dir", 0700), 0);
	EXPECT_EQ(call(80, chdir, (u64)"/tmp/dir"), 0);
	EXPECT_EQ(call(89, readlink, (u64)"/proc/self/cwd", (u64)text, sizeof(text)), 8);
	EXPECT(!memcmp(text, "/tmp/dir", 8));
	fd = (int)call(2, open, (u64)"file", O_RDWR | O_CREAT, 0600);
	EXPECT(fd >= 0 && call(1, write, (u64)fd, (u64)"abc", 3) == 3);
	EXPECT_EQ(call(87, unlink, (u64)"file"), 0);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	EXPECT(slurp(text) == 3 && !strcmp(ours, "abc"));
	EXPECT_EQ(path_lookup(AT_FDCWD, text, 0, &p), 0);
	EXPECT_EQ(p.dentry->inode->mode, S_IFLNK | 0700);
	EXPECT_EQ(vfs_readlink(&p, ours, sizeof(ours)), strlen("/tmp/dir/file (deleted)"));
	path_put(&p);
	snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", fd);
	EXPECT(slurp(text) > 0 && number_of("pos") == 3);
	EXPECT_EQ(call(3, close, (u64)fd), 0);
	EXPECT_EQ(slurp(text), -ENOENT);
	EXPECT_EQ(call(293, pipe2, (u64)pipes, 0), 0);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", pipes[0]);
	EXPECT_EQ(path_lookup(AT_FDCWD, text, 0, &p), 0);
	EXPECT_EQ(p.dentry->inode->mode, S_IFLNK | 0500);
	path_put(&p);
	f = vfs_open(AT_FDCWD, text, O_RDONLY | O_NONBLOCK, 0);
	EXPECT(!IS_ERR(f) && f->inode->mode == (S_IFIFO | 0600));
	if (!IS_ERR(f))
		file_put(f);
	EXPECT_EQ(call(3, close, (u64)pipes[0]), 0);
	EXPECT_EQ(call(3, close, (u64)pipes[1]), 0);
	EXPECT_EQ(slurp("/proc/self/fd/00"), -ENOENT);
	EXPECT_EQ(slurp("/proc/self/fd/-1"), -ENOENT);
}

static int wait_for_kill(void *arg __unused)
{
	return (int)call(34, pause, 0);
}

static void the_dead_are_gone(void)
{
	u32 status;
	long pid = fork_to(wait_for_kill, NULL);
	char name[64];
	struct file *f;

	snprintf(name, sizeof(name), "/proc/%ld/stat", pid);
	EXPECT(eventually(slurp(name) > 0 && strstr(ours, ") S 1 1 1 ")));
	snprintf(name, sizeof(name), "/proc/1/task/1/children");
	EXPECT(slurp(name) > 0 && atol(ours) == pid);
	snprintf(name, sizeof(name), "/proc/%ld/status", pid);
	f = vfs_open(AT_FDCWD, name, O_RDONLY, 0);
	EXPECT(!IS_ERR(f));
	EXPECT_EQ(call(62, kill, (u64)pid, 9), 0);
	EXPECT(eventually(slurp(name) > 0 && strstr(ours, "State:\tZ (zombie)")));
	EXPECT_EQ(call(61, wait4, (u64)pid, (u64)&status, 0, 0), pid);
	EXPECT_EQ(slurp(name), -ENOENT);
	EXPECT_EQ(file_read_at(f, ours, 10, 0), -ESRCH);
	file_put(f);
	EXPECT(tasks_settle());
}

static void numbers_that_are_none(void)
{
	static const char *const names[] = { "/proc/01", "/proc/-1", "/proc/99999999999", "/proc/4294967297", "/proc/1x", "/proc/2147483647",
		"/proc/self/task/2", "/sys/devices/system/cpu/cpu2", "/sys/devices/system/cpu/cpu00", "/sys/devices/system/cpu/cpu" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_EQ(slurp(names[i]), -ENOENT);
	EXPECT(slurp("/sys/devices/system/cpu/online") == 4 && !strcmp(ours, "0-1\n"));
	EXPECT(slurp("/sys/devices/system/cpu/cpu1/topology/core_siblings") && !strcmp(ours, "3\n"));
	EXPECT(slurp("/sys/devices/system/cpu/cpu1/topology/thread_siblings") && !strcmp(ours, "2\n"));
}

/* A name that was looked up must not keep the process, or a thread's kernel stack, for as long as the cache has room. */
static void looking_keeps_nothing(void)
{
	u32 task = ref_read(&current->ref), process = ref_read(&current->process->ref);

	for (int i = 0; i < 20; i++) {
		EXPECT(slurp("/proc/1/task/1/stat") > 0);
		EXPECT(slurp("/proc/1/status") > 0);
		EXPECT(slurp("/proc/thread-self/comm") > 0);
		EXPECT_EQ(slurp("/proc/1/attr/current"), -EINVAL);
		EXPECT_EQ(slurp("/proc/1/task/1/nothing"), -ENOENT);
	}
	EXPECT_EQ(ref_read(&current->ref), task);
	EXPECT_EQ(ref_read(&current->process->ref), process);
}

static void boot_tree(void)
{
	struct cred *user = current->cred;

	current->cred = NULL;
	if (vfs_init() || proc_init())
		abort();
	for (int i = 0; i < 2; i++) {
		struct super *sb = fs_type_find(i ? "sysfs" : "proc")->mount(NULL, NULL);

		if (!sb || vfs_mount_at(sb, i ? "/sys" : "/proc", MNT_NOSUID, i ? "sysfs" : "proc", true))
			abort();
		super_put(sb);
	}
	current->files = files_alloc();
	current->fs = fs_state_create();
	current->cred = user;
}

int main(void)
{
	tasks_boot(0);
	boot_tree();
	RUN(shape_of_names);
	RUN(shape_of_heads);
	RUN(shape_of_columns);
	RUN(names_of_sysctls);
	RUN(status_tells_the_task);
	RUN(limits_follow);
	RUN(comm_is_set_by_its_own);
	RUN(oom_adjustments);
	RUN(writes_that_are_refused);
	RUN(links_lead_to_files);
	RUN(the_dead_are_gone);
	RUN(numbers_that_are_none);
	RUN(looking_keeps_nothing);
	return unit_done();
}
