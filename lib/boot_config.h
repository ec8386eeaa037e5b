/* SPDX-License-Identifier: MIT */
/*
 * What the broker tells a new sandbox: one read-only block of memory, written by tools/ and read once by lib/boot.c before any
 * program runs. Both are trusted, and come from the same build; the magic number only catches a mix of builds.
 *
 * Strings are offsets from the start of the block to NUL-terminated text, 0: none. Lists are NUL-terminated strings one after
 * the other, with their number beside.
 */
#ifndef LIB_BOOT_CONFIG_H
#define LIB_BOOT_CONFIG_H

#include <stdint.h>

#define BOOT_MAGIC		0x6c62783130303039ull

/* Handles (descriptors, on South host) that every sandbox has from the start */
#define BOOT_FD_CONFIG		3	/* this block; /dev/null after boot */
#define BOOT_FD_RAM		4
#define BOOT_FD_LOG		5	/* kprint(), --trace, --stats: lines to the runner */
#define BOOT_FD_CHANNELS	6	/* the broker's 9P channels */
#define BOOT_NR_CHANNELS	4
#define BOOT_FD_FIRST		(BOOT_FD_CHANNELS + BOOT_NR_CHANNELS)	/* stdio and the like */

enum boot_stdio_kind {
	BOOT_STDIO_NULL,		/* closed or not there: /dev/null */
	BOOT_STDIO_FILE,		/* a regular file, granted: read and written in place */
	BOOT_STDIO_STREAM,		/* a pipe, socket or device that the broker relays: bytes, end of file at shutdown */
	BOOT_STDIO_TTY,			/* a terminal, raw, relayed: the line discipline is ours */
	BOOT_STDIO_NONE,		/* nothing: the number stays free */
};

struct boot_stdio {
	uint32_t kind;
	uint32_t handle;		/* read from it (stdin) or write to it */
	uint32_t flags;			/* O_ACCMODE and O_APPEND of a file */
	uint32_t same_as;		/* 1 + index of an earlier entry that is the same open file, else 0 */
	uint64_t pos, size;		/* of a file, when the sandbox was started */
};

enum boot_mount_kind {
	BOOT_MOUNT_HOST,		/* a tree of a 9P channel: source is the aname */
	BOOT_MOUNT_OVERLAY,		/* the same below a layer in memory */
	BOOT_MOUNT_TMPFS,
	BOOT_MOUNT_TAR,			/* handle: the image, of size bytes, below a layer in memory; source: its name */
	BOOT_MOUNT_HOST_FILE,		/* a single file of the tree: mounted over dst */
	BOOT_MOUNT_PROC, BOOT_MOUNT_SYS, BOOT_MOUNT_DEV,
	BOOT_MOUNT_SYMLINK,		/* dst becomes a link to source */
	BOOT_MOUNT_KEEP,		/* the last one: a tree of a 9P channel, shown nowhere: --keep-changes; dst: its name */
};
#define BOOT_KEEP_MARKER	".wh..wh.litebox"	/* in a directory that --keep-changes may write to */
#define BOOT_MOUNT_RO		1u
#define BOOT_MOUNT_IF_MISSING	4u	/* only where dst is not there yet */
#define BOOT_MOUNT_ROOT		2u	/* belongs to the writable layer: read-only with BOOT_RO_ROOT, kept by --keep-changes */

/* Of a tree's root, as the file server will tell them: so no tree has to be asked for them at the start. Times are ns. */
struct boot_attr {
	uint32_t mode, uid, gid, nlink;
	uint64_t dev, ino, size, blocks;
	int64_t atime, mtime, ctime, btime;
};

struct boot_mount {
	uint32_t kind, flags;
	uint32_t source, dst;		/* strings */
	uint32_t handle;
	uint32_t mode;			/* of a tmpfs root; 0: 0755 */
	uint64_t size;			/* bytes, 0: no limit of its own */
	struct boot_attr attr;		/* of what the host has */
};

struct boot_config {
	uint64_t magic;
	uint32_t size;			/* of the block */
	uint32_t flags;			/* BOOT_* below */
	uint64_t mem;			/* bytes of RAM */
	uint32_t cpus, procs, fds, pad0;
	uint8_t seed[48];		/* entropy */
	uint32_t argc, argv;		/* list */
	uint32_t envc, envp;		/* list */
	uint32_t program;		/* path to exec, or a name to look up by the PATH of envp; argv[0] may differ */
	uint32_t cwd, hostname;
	uint32_t uid, gid, nr_groups, groups;	/* groups: array of uint32_t */
	uint32_t umask;
	uint32_t nr_mounts, mounts;	/* array of struct boot_mount, in order */
	uint32_t nr_stdio, stdio;	/* array of struct boot_stdio: descriptors 0, 1, 2, … */
	uint32_t nr_channels, channels;	/* array of uint32_t: 9P handles */
	uint32_t tty_rows, tty_cols;
	uint32_t tty_control;		/* handle of a SOCK_SEQPACKET socket: the broker writes struct boot_event to it; 0: none */
	uint32_t channel_kind;		/* 0: SOCK_SEQPACKET with the lbx extension offered; 1: stream, standard 9P */
	uint64_t boot_time;		/* of the host, for /proc/uptime: s since the epoch when it booted; 0: now */
	uint32_t rlim_nofile, pad1;
	uint64_t sig_ignored, sig_blocked;	/* bit N-1: the first program finds signal N so */
};

/* On tty_control. From the broker: signals and window sizes that arrived at lbx-exec itself; to it: that the program stopped. */
struct boot_event {
	uint32_t kind;			/* enum boot_event_kind */
	uint32_t a, b;
};
/* An enumeration, so that no two can get one number. */
enum boot_event_kind {
	BOOT_EVENT_SIGNAL = 1,		/* a: signal for the first program; b: 1 when a key of the terminal sent it: for its group */
	BOOT_EVENT_WINSIZE,		/* a: rows, b: columns */
	BOOT_EVENT_CONTINUE,		/* the first program's group goes on */
	BOOT_EVENT_STOPPED,		/* to the broker: the first program was stopped by signal a */
	BOOT_EVENT_END,			/* kill the first program, keep what is to be kept, and end */
};

#define BOOT_TRACE		1u
#define BOOT_STATS		2u
#define BOOT_VERBOSE		4u
#define BOOT_NO_PATCH		8u	/* leave call sites alone: every call traps */
#define BOOT_STATS_JSON		16u
#define BOOT_RO_ROOT		32u	/* the writable layer is read-only once all is mounted */

#endif
