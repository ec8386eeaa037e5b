/* SPDX-License-Identifier: MIT */
/*
 * Between the files of lib/fs/proc only.
 *
 * What stands below /proc/<pid> has a struct process as its object, what stands below /proc/<pid>/task/<tid> a struct task; the same
 * functions serve both, through proc_task_get().
 */
#ifndef LIB_FS_PROC_INTERNAL_H
#define LIB_FS_PROC_INTERNAL_H

#include "base/errno.h"
#include "fs/pseudo.h"
#include "process/task.h"

/* Of pseudo_ctx.key2 below a process: a small number and these; never a pointer, whose bits they would be */
#define PROC_EUID	BIT(40)		/* shown as owned by the effective user even when the process is not dumpable */
#define PROC_FD		BIT(41)		/* key is a descriptor, the low bits are the link's permissions */
#define PROC_LOW	0xffffu

/* proc_task_get() - the task that @ctx is about, with a reference; NULL: gone (ESRCH) */
__must_check struct task *proc_task_get(const struct pseudo_ctx *ctx);
/* proc_whole() - @ctx is about a process, not about one of its threads */
bool proc_whole(const struct pseudo_ctx *ctx);
/* proc_may_look() - as ptrace(2)'s PTRACE_MODE_READ. Return: 0, -EACCES, -ESRCH */
int proc_may_look(const struct pseudo_ctx *ctx);
int proc_task_may_look(struct task *t);
/* proc_alive() - for objects below a process that add conditions of their own */
bool proc_alive(const struct pseudo_ctx *ctx);
/* proc_parse_int() - a number as the kernel's kstrtoint() takes it, one newline allowed. Return: 0, -EINVAL, -ERANGE */
int proc_parse_int(const char *text, s64 min, s64 max, s64 *out);

/* root.c: contexts of processes and threads, for pseudo_dir.lookup */
extern const struct pseudo_ctx_ops proc_process_ops, proc_thread_ops;
/* proc_parse_pid() - a decimal number without sign or leading zeros. Return: it, or -1 */
s64 proc_parse_pid(const struct qstr *name);

/* pid.c: the directory of a process, and of a thread */
extern const struct pseudo_entry proc_pid_entry;
extern const struct pseudo_dir proc_task_dir;

typedef int proc_show_fn(struct seq_buf *s, const struct pseudo_ctx *ctx);
typedef ssize_t proc_store_fn(const struct pseudo_ctx *ctx, const char *text, size_t len);
typedef ssize_t proc_readlink_fn(const struct pseudo_ctx *ctx, char *buf, size_t size);
typedef int proc_follow_fn(const struct pseudo_ctx *ctx, struct path *out);

/* pid_stat.c */
proc_show_fn proc_show_stat, proc_show_statm, proc_show_status;
char proc_state(struct task *t);
/* pid_mm.c, pid_smaps.c */
proc_show_fn proc_show_maps, proc_show_smaps, proc_show_smaps_rollup, proc_show_numa_maps, proc_show_auxv, proc_show_cmdline,
	     proc_show_environ;
struct proc_mm_sizes {
	u64 total, locked, data, stack, exec, lib;	/* pages */
	u64 rss, rss_anon, rss_file, rss_shmem;
	u64 text;
};
struct mm;
struct vma_view;
/* proc_walk_mm() - mm_for_each_vma() of the task, checking that the current one may look. Return: 0 or -errno, also of @s */
int proc_walk_mm(struct seq_buf *s, const struct pseudo_ctx *ctx, int (*fn)(const struct vma_view *v, void *arg), void *arg);
/* proc_put_map_line() - as in maps; @buf: PATH_MAX bytes of scratch */
void proc_put_map_line(struct seq_buf *s, const struct vma_view *v, char *buf);
void proc_mm_sizes(struct mm *mm, struct proc_mm_sizes *sz);
struct file;
int proc_open_mem(const struct pseudo_ctx *ctx, struct file *f);
int proc_open_pagemap(const struct pseudo_ctx *ctx, struct file *f);
/* pid_misc.c, net.c, ns.c */
proc_show_fn proc_show_children;
extern const struct pseudo_entry proc_misc_table[], proc_net_dir[];
extern const struct pseudo_dir proc_ns_dir;
/* pid_fd.c */
extern const struct pseudo_dir proc_fd_dir, proc_fdinfo_dir;
proc_readlink_fn proc_readlink_exe, proc_readlink_cwd, proc_readlink_root;
proc_follow_fn proc_follow_exe, proc_follow_cwd, proc_follow_root;
int proc_path_text(const struct path *p, char *buf, size_t size);
/* mounts.c */
proc_show_fn proc_show_mounts, proc_show_mountinfo, proc_show_mountstats;
/* cpuinfo.c */
proc_show_fn proc_show_cpuinfo;
void proc_cpuinfo_init(void);
/* system.c */
proc_show_fn proc_show_meminfo, proc_show_stat_system, proc_show_uptime, proc_show_loadavg, proc_show_version,
	     proc_show_filesystems, proc_show_cmdline_system;
void proc_sum_memory(struct proc_mm_sizes *all);
/* proc_for_each_file() - every open file of every process, once per descriptor; @fn false: stop */
void proc_for_each_file(bool (*fn)(struct file *f, void *arg), void *arg);
/* tables.c */
proc_show_fn proc_show_locks, proc_show_vmstat, proc_show_interrupts, proc_show_softirqs;
extern const struct pseudo_entry proc_sysvipc_dir[];
/* sysctl.c */
extern const struct pseudo_entry proc_sys_dir[];
void proc_sysctl_init(void);
/* sysfs.c */
struct super *sysfs_mount(const char *source, const char *data);

#endif
