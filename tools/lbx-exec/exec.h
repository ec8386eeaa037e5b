/* SPDX-License-Identifier: MIT */
/* Between the files of lbx-exec. */
#ifndef LBX_EXEC_H
#define LBX_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/boot_config.h"

#define EXIT_FAILED	125	/* lbx-exec itself */
#define EXIT_TIMEOUT	124
#define MAX_FDS		32	/* --fd and standard ones keep their numbers; handles lie below 64 */

/* A line of the sandbox's tree. */
struct view_mount {
	enum boot_mount_kind kind;
	bool ro;
	bool layer;		/* of the writable layer: --ro-root, --keep-changes */
	bool guard;		/* --bind, read-only: also where another --bind shows it */
	bool explicit;		/* named by the caller, who gives what rights he has to it */
	char *source;		/* host path; SYMLINK: the text */
	char *dst;
	bool if_missing;	/* only where dst is not there */
	uint64_t size;
	uint32_t mode;
	int fd;			/* O_PATH of source, or -1 */
	int image;		/* TAR: the image, open, or -1; handed in as @handle */
	uint32_t handle;
	uint32_t export;	/* number at the file server */
};

struct view {
	struct view_mount *mounts;
	size_t nr;
	char *cwd;		/* inside */
};

struct options {
	char **argv;		/* the program and its arguments */
	int argc;
	char *program;		/* path inside */
	const char *root, *keep, *chdir, *hostname, *trace_file;
	struct { char *src, *dst; bool ro; } *binds;
	size_t nr_binds;
	struct { char *dst; uint64_t size; } *tmpfs;
	size_t nr_tmpfs;
	char **env;
	size_t nr_env;
	uint32_t fds;			/* bit N: --fd N */
	bool limits_given;		/* --mem, --cpus or --procs */
	bool clearenv, trace, stats, json, verbose, dry_run, list_souths, ro_root, no_patch;
	int64_t uid, gid;		/* inside */
	uint32_t host_uid, host_gid;
	uint64_t sig_ignored, sig_blocked;	/* bit N-1: the caller left signal N to us so, and the program finds it so */
	uint64_t mem, timeout_ms, time;
	uint32_t cpus, procs, max_fds;
	int trace_fd;			/* lines of the sandbox: standard error or --trace's file */
	const char *south;
};

/* options.c: fills @o or ends with a message; --help and --version end with 0 */
void options_parse(struct options *o, int argc, char **argv);
void options_free(struct options *o);

/* view.c: what the program sees. Return: 0, or an exit status after a message */
int view_build(struct view *v, struct options *o);
void view_print(const struct view *v, const struct options *o);

/* view.c, for keep.c: another line */
struct view_mount *view_add(struct view *v, enum boot_mount_kind kind, const char *source, const char *dst, bool ro);
/* keep.c: --keep-changes: its directory, for us alone. A line that is the last */
void keep_open(struct view *v, const struct options *o);

/* stdio.c */
struct stdio_plan {
	struct boot_stdio io[MAX_FDS];
	int host[MAX_FDS];	/* the caller's descriptor, or -1 */
	int fd[MAX_FDS];	/* what becomes handle io[].handle, or -1: @host itself, or the end of a relay */
	int relay[MAX_FDS];	/* the broker's end of the relay, or -1 */
	size_t nr;
	int control;		/* the sandbox's end of the way for struct boot_event, or -1 */
	uint32_t control_handle;
};
/* stdio_plan() - Return: the next free handle */
uint32_t stdio_plan(struct stdio_plan *p, const struct options *o, uint32_t first_handle);
/* In the broker, once the sandbox has its ends: an end of file is seen only when nobody else holds one. */
void stdio_close_sandbox_ends(const struct stdio_plan *p);
/* stdio_leave() - when the sandbox has ended: files that were handed in, to where a program in it has sought */
struct host_header;
void stdio_leave(const struct stdio_plan *p, const struct host_header *header);
/* stdio_relay() - start the relays; relay.h says when they are over */
void stdio_relay(const struct stdio_plan *p);

/* config.c: the block that the sandbox boots from. Return: a sealed memfd, or -1 with errno */
int config_make(const struct options *o, const struct view *v, const struct stdio_plan *p, const uint32_t *channels,
		uint32_t nr_channels);
char **env_make(const struct options *o, size_t *nr);
/* env_path(), env_home() - PATH and HOME that the program gets */
const char *env_path(const struct options *o);
const char *env_home(const struct options *o);

/* run.c: everything after the decisions. Return: the exit status; does not return when a signal is to end lbx-exec */
int run(const struct options *o, struct view *v);

/*
 * signals.c
 *
 * signals_inherited() - what the caller left ignored and blocked; first of all, before anything here changes it
 * signals_take() - from now on they come by a descriptor, which is returned, for all threads to come
 * signals_default() - nothing ignored, nothing blocked: for the sandbox's image
 */
void signals_inherited(struct options *o);
int signals_take(void);
void signals_default(void);

/* souths.c */
int souths_list(const struct options *o);
void souths_print_calls(bool json);
bool south_host_works(char *why, size_t size);

/* message() - "lbx-exec: …" to standard error */
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void __attribute__((noreturn)) die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* json_string() - @s in quotes, what JSON forbids escaped */
void json_string(FILE *out, const char *s);
void *xmalloc(size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
