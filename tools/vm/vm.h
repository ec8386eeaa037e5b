/* SPDX-License-Identifier: MIT */
/*
 * The guest's end of lbx-vm: process 1 of the machine. It puts the root
 * together (boot.c), runs one command there and carries its streams (relay.c,
 * command.c), and reports how it ended. The host's end is tools/vm/ *.py.
 *
 * What to do arrives as a file in the initramfs; streams and reports go through
 * four virtio-serial ports. Data ports carry raw bytes. The control port
 * carries lines, in:   "winsize ROWS COLS", "signal N", "closed out|err", and
 *                      "eof BYTES": the input ends after that many in all;
 * out:                 "started", "exit STATUS OUT-BYTES ERR-BYTES", "fail WHY".
 * Closing a port would not do for an end: QEMU drops what it still holds.
 */
#ifndef LBX_VM_H
#define LBX_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONF_MAX_GROUPS 64

enum vm_port { PORT_CTL, PORT_IN, PORT_OUT, PORT_ERR, PORT_COUNT };

/**
 * struct conf - what this run is to do
 * @items:  all of the file, "key=value" strings, each ended by a NUL
 * @size:   bytes in @items
 * @argv:   the command, NULL at its end
 * @envp:   its environment, NULL at its end
 * @cwd:    the directory it starts in
 * @modules: this kernel's modules on the host, or NULL
 * @groups: supplementary groups, @nr_groups of them
 * @tty:    give the command a terminal of @rows by @cols
 */
struct conf {
	char *items;
	size_t size;
	char **argv;
	char **envp;
	const char *cwd;
	const char *release;
	const char *modules;
	gid_t groups[CONF_MAX_GROUPS];
	int nr_groups;
	uid_t uid;
	gid_t gid;
	bool tty;
	unsigned short rows;
	unsigned short cols;
};

/**
 * conf_load() - read the file that the host put into the initramfs
 * @conf: filled; its strings live as long as the machine
 * @path: the file
 *
 * Does not return when the file is not as lbx-vm writes it.
 */
void conf_load(struct conf *conf, const char *path);

/**
 * conf_next() - walk the values of one key
 * @conf: as loaded
 * @key:  the key
 * @prev: NULL, or what the call before this one returned
 *
 * Return: the next value, NULL after the last.
 */
const char *conf_next(const struct conf *conf, const char *key, const char *prev);

/**
 * boot_modules() - load what this kernel has not built in: first of all
 *
 * Before the ports are open, so a failure is seen on the console alone.
 */
void boot_modules(const struct conf *conf);

/**
 * boot_ports() - open the four ports
 * @ports: filled with nonblocking descriptors
 *
 * Waits until the host has connected each, so that a read that finds nothing
 * cannot be taken for the end of the stream.
 */
void boot_ports(int ports[PORT_COUNT]);

/**
 * boot_root() - make the machine's root and enter it
 * @conf: as loaded
 */
void boot_root(const struct conf *conf);

/**
 * boot_sync() - write what the command left in directories shared for writing
 * @conf: as loaded
 */
void boot_sync(const struct conf *conf);

/**
 * command_run() - run the command, carry its streams, report its end
 * @conf:  as loaded
 * @ports: from boot_ports()
 */
void command_run(const struct conf *conf, const int ports[PORT_COUNT]);

/**
 * fail() - tell the host why nothing can be run, and stop the machine
 * @fmt: printf()'s; errno is added when it is not 0
 */
void fail(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/**
 * ctl_send() - send a whole line to the host
 * @fmt: printf()'s, without the newline
 */
void ctl_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * ctl_last() - the same for the last line of all
 * @fmt: printf()'s, without the newline
 *
 * The end of the kernel's log is marked first: the host waits for the mark on
 * the console, so that no report printed before it is missed.
 */
void ctl_last(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** struct pump - bytes on their way from one descriptor to another */
struct pump {
	int from;		/* -1: nothing more will come */
	int to;			/* -1: nobody takes more */
	size_t off;		/* buf[off..len) is still to be written */
	size_t len;
	uint64_t total;		/* bytes written to @to */
	char buf[65536];
};

/**
 * pump_step() - move what can be moved now
 * @p:      both descriptors are nonblocking
 * @budget: most bytes to read; what was read is taken off
 *
 * Return: true when bytes were moved or an end was reached.
 */
bool pump_step(struct pump *p, size_t *budget);

/** pump_idle() - true when nothing is left in the buffer of @p */
static inline bool pump_idle(const struct pump *p)
{
	return p->off == p->len || p->to < 0;
}

#endif
