/* SPDX-License-Identifier: MIT */
/*
 * The broker's file server: host directories for a sandbox, over 9P2000.L.
 *
 * lbx-exec opens what the user granted (O_PATH), calls b9p_create() with it, b9p_confine(), then
 * b9p_add_channel() with one end of a socket pair for each connection of the sandbox. Each channel
 * is served by a thread of its own, so that an open or a read that hangs (FUSE, NFS) stops no other
 * channel. The exports' descriptors are the only authority: no path is ever looked up from "/".
 * What crosses the socket is described in README.md; what may be refused, in the same place.
 *
 * All functions return 0 or more, or a negative errno. They may be called from any thread, but
 * b9p_confine() binds the calling thread and the threads that it starts later.
 */
#ifndef BROKER9P_H
#define BROKER9P_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct b9p;

/* Flags of an export. */
#define B9P_EXPORT_RW		0x1u	/* may be changed; without it every change is EROFS */
#define B9P_EXPORT_ROOT_RIGHTS	0x2u	/* when the broker is root: root's rights to files of others
					 * (CAP_DAC_READ_SEARCH; with RW also CAP_DAC_OVERRIDE and
					 * CAP_FOWNER); without it root has its own files only */

#define B9P_EXPORT_GUARD	0x4u	/* read-only also for who comes to it through a writable export above
					 * it, where it can be neither renamed, removed nor replaced; not with RW */

/**
 * struct b9p_export - one granted directory or regular file
 * @fd:    O_PATH (or any) descriptor of it; duplicated by b9p_create(). A directory is served as a
 *         tree, a regular file alone as a tree of one file; anything else is refused.
 * @name:  what Tattach names it by ("0", "1"…); copied, 1 to 255 bytes
 * @flags: B9P_EXPORT_*
 */
struct b9p_export {
	int fd;
	const char *name;
	uint32_t flags;
};

/**
 * struct b9p_limits - bounds on what clients can make the broker hold; 0 means the default
 * @max_channels: connections at a time (64)
 * @max_fids:     fids of one channel (16384); the next is ENFILE
 * @max_files:    descriptors held for all clients together (the soft RLIMIT_NOFILE less 128, or
 *                65536 where that is less); the next is ENFILE. Granted descriptors that wait in a
 *                socket are bounded by its buffer, and are not counted here.
 * @max_xattr:    bytes in extended attributes under way, per channel (262144); the next is ENOSPC
 * @msize:        largest message offered (65560, which is also the most: 64 KiB and a header)
 * @max_log:      lines given to @log altogether (10000)
 */
struct b9p_limits {
	uint32_t max_channels;
	uint32_t max_fids;
	uint32_t max_files;
	uint32_t max_xattr;
	uint32_t msize;
	uint32_t max_log;
};

enum b9p_log_kind {
	B9P_LOG_REFUSED,	/* a file that the broker does not open, or a change it does not make */
	B9P_LOG_PROTOCOL,	/* a client broke the protocol */
	B9P_LOG_NOTE,		/* something about the broker itself, e.g. "no Landlock here" */
};

/* Called from channel threads; @line has no newline and is printable ASCII (bytes of file names that
 * could drive a terminal are written as \xNN). */
typedef void (*b9p_log_fn)(void *arg, enum b9p_log_kind kind, const char *line);

/**
 * struct b9p_config - all that b9p_create() needs; copied
 * @exports: @nr_exports granted trees, names all different
 * @limits:  zeroed for the defaults
 * @log:     may be NULL; @log_arg is its first argument
 */
struct b9p_config {
	const struct b9p_export *exports;
	size_t nr_exports;
	struct b9p_limits limits;
	b9p_log_fn log;
	void *log_arg;
};

/**
 * b9p_create() - make a server; no thread yet
 * @config: copied, may be freed after the call
 * @out:    the server, to be given to b9p_destroy()
 *
 * Needs /proc (descriptors are reopened through /proc/self/fd) and must be called in the process
 * that serves. Sets the process' umask to 0: a client's modes have been masked by the client. The
 * default of max_files follows the soft RLIMIT_NOFILE: raise that before, since a client's cache of
 * names holds a descriptor for each.
 * Return: 0, -EINVAL (an export is neither directory nor regular file, a name is empty, too long or
 * there twice), -EACCES (an export on /proc or the like: see README.md), -ENOMEM, -ENOENT (no /proc).
 */
__attribute__((warn_unused_result))
int b9p_create(const struct b9p_config *config, struct b9p **out);

/* Flags of b9p_confine(). */
#define B9P_CONFINE_NO_LANDLOCK	0x1u
#define B9P_CONFINE_NO_SECCOMP	0x2u

/**
 * b9p_confine() - give up what serving does not need
 * @b:         before its first channel
 * @flags:     B9P_CONFINE_*
 * @keep_caps: capabilities (bit n: capability n) that the caller needs for other duties
 *
 * For the calling thread and the threads it starts from now on: no_new_privs; all capabilities but
 * @keep_caps and those of exports with B9P_EXPORT_ROOT_RIGHTS are dropped from all sets (the latter
 * are effective only while a request on such an export is served); a Landlock domain that allows
 * opening, below the exports, what each allows, and nothing elsewhere. For the channels' threads
 * alone, when they start: a seccomp filter that allows what serving needs (the log's function may
 * write, lock and allocate there, and not much else: other calls are EPERM). Where there is no
 * Landlock (or one that would break renames: ABI 1 with a writable export) or no seccomp, a note is
 * logged and the rest holds.
 * Return: 0, -EINVAL (@flags), -EBUSY (a channel exists), or the errno of a call that must not fail.
 */
__attribute__((warn_unused_result))
int b9p_confine(struct b9p *b, uint32_t flags, uint64_t keep_caps);

/* Flags of b9p_add_channel(). */
#define B9P_CHANNEL_STREAM	0x1u	/* a byte stream (pipes, stream socket, terminal-free) rather
					 * than one message a packet */

/**
 * b9p_add_channel() - serve one connection
 * @b:     the server
 * @rfd:   requests come from here; belongs to the server from now on, also when the call fails
 * @wfd:   replies go here; may be the same descriptor as @rfd; belongs to the server likewise
 * @flags: B9P_CHANNEL_*; without STREAM both are a SOCK_SEQPACKET socket
 *
 * Starts the channel's thread, which ends at end of file, at a broken frame, or by b9p_stop(). Files
 * are granted (SCM_RIGHTS) only where @wfd is a unix socket.
 * Return: the channel's number from 0, or -ENFILE (max_channels), -ENOMEM, -EAGAIN (no thread),
 * -ESHUTDOWN (after b9p_stop()).
 */
__attribute__((warn_unused_result))
int b9p_add_channel(struct b9p *b, int rfd, int wfd, uint32_t flags);

/**
 * b9p_stop() - end all channels
 * @b:          no channel can be added any more
 * @timeout_ms: how long to wait for threads that are inside a system call; -1 for ever
 *
 * Return: the number of threads that still run (stuck in the host's file system); 0 mostly.
 */
int b9p_stop(struct b9p *b, int timeout_ms);

/**
 * b9p_destroy() - stop, and free
 * @b: or NULL; not to be used any more. Threads that are stuck keep what they use and free it when
 *     they get loose, so this never hangs.
 */
void b9p_destroy(struct b9p *b);

/* What happened so far, and what is held now. A snapshot; the figures are not of one instant. */
struct b9p_counters {
	uint64_t requests;	/* messages answered, errors included */
	uint64_t errors;	/* of these, with Rlerror */
	uint64_t malformed;	/* of these, messages that did not parse */
	uint64_t refused;	/* of these, refused by the broker's own rules rather than the host's */
	uint64_t bytes_read;	/* file data sent to clients */
	uint64_t bytes_written;	/* file data received */
	uint64_t grants;	/* descriptors sent */
	uint32_t channels;	/* live now */
	uint32_t fids;		/* live now, over all channels */
	uint32_t files;		/* descriptors held now for clients */
	uint32_t files_peak;
};

/**
 * b9p_counters() - read the counters
 * @b:   the server
 * @out: filled
 */
void b9p_counters(struct b9p *b, struct b9p_counters *out);

#endif
