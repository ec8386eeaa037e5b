/* SPDX-License-Identifier: MIT */
/*
 * A conformance program is a list of TEST()s. Each prints one line a case,
 *
 *	test.case: result
 *
 * that depends on nothing but the kernel's behaviour: errnos by name, no pid,
 * address, time or path of the machine. The native kernel is the oracle, so a
 * case carries no expectation; selftests/conform/run compares the lines of a
 * native run with those of a run in the sandbox. What must hold for a case to
 * mean anything is wrapped in MUST(): natively it never fails, and where it
 * fails the program's exit status is not 0.
 *
 * Each test runs in a process of its own, in an empty directory (mode 0777),
 * and is killed by SIGALRM after TEST_SECONDS.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_SECONDS	30	/* far more than any needs, for a busy machine */
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096UL

/* A user and group that own nothing; only root can become them. */
#define NOBODY_UID	4242
#define NOBODY_GID	4243

#define TEST(name)							\
	static void test_##name(void);					\
	__attribute__((constructor)) static void add_##name(void)	\
	{								\
		conform_add(#name, test_##name);			\
	}								\
	static void test_##name(void)

/**
 * conform_add() - register a test; TEST() does this
 * @name: appears before the dot of each case line
 * @fn:   runs in a child process; exit status 0 is implied by its return
 */
void conform_add(const char *name, void (*fn)(void));

/** conform_argv0() - path by which this program can be executed again */
const char *conform_argv0(void);

/** say() - print the case line "test.@name: text", in one write() */
void say(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** N() - format a case name; the string lives until 16 more were made */
const char *N(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** errno_name() - "ENOENT"; unknown numbers as "E#123" */
const char *errno_name(int err);

/** signal_name() - "SIGSEGV", "SIGRTMIN+3" (kernel's 32 is the zero point) */
const char *signal_name(int sig);

/** status_name() - "exit 3", "killed SIGSEGV", "stopped SIGSTOP", "continued" */
const char *status_name(int status);

void conform_ret(const char *name, long ret, int err);
void conform_ok(const char *name, long ret, int err);
void conform_fd(const char *name, int fd, int err);
void conform_die(const char *file, int line, const char *what) __attribute__((noreturn));

/* The value, or the errno's name when it is -1. */
#define RET(name, expr)	do { errno = 0; long r_ = (long)(expr); conform_ret(name, r_, errno); } while (0)
/* "ok" for any value but -1. For calls whose value has no fixed meaning. */
#define OK(name, expr)	do { errno = 0; long r_ = (long)(expr); conform_ok(name, r_, errno); } while (0)
/* As OK, and closes the descriptor. */
#define FD(name, expr)	do { errno = 0; int r_ = (int)(expr); conform_fd(name, r_, errno); } while (0)
#define NUM(name, expr)	say(name, "%lld", (long long)(expr))
#define HEX(name, expr)	say(name, "%#llx", (unsigned long long)(expr))
#define STR(name, expr)	say(name, "%s", (expr))
#define YES(name, expr)	say(name, "%s", (expr) ? "yes" : "no")
/* For calls that return an errno (pthread_*, posix_*). */
#define ERR(name, expr)	do { int e_ = (expr); say(name, "%s", e_ ? errno_name(e_) : "ok"); } while (0)

#define MUST(expr)						\
	({							\
		errno = 0;					\
		__auto_type v_ = (expr);			\
		if ((long)v_ == -1)				\
			conform_die(__FILE__, __LINE__, #expr);	\
		v_;						\
	})
#define REQUIRE(cond)						\
	do {							\
		if (!(cond))					\
			conform_die(__FILE__, __LINE__, #cond);	\
	} while (0)

/** xfork() - fork() that must work; the child has TEST_SECONDS to live */
pid_t xfork(void);

/** xwait() - wait for @pid and give its status_name() */
const char *xwait(pid_t pid);

/** child() - run @fn(@arg) in a child; its return is the exit status. Gives status_name(). */
const char *child(int (*fn)(void *), void *arg);

/**
 * as_nobody() - run @fn in a child without privileges and give its status_name()
 *
 * As root the child becomes NOBODY_UID:NOBODY_GID without other groups, else it
 * stays who it is.
 */
const char *as_nobody(void (*fn)(void));

/** wait_asleep() - until @pid (or thread id) sleeps, at most 3 s; false when it did not */
bool wait_asleep(pid_t pid);

/** msleep() - at least @ms milliseconds, whatever signals come */
void msleep(int ms);

/** now_ns() - CLOCK_MONOTONIC */
long long now_ns(void);

/** put_file() - create or replace @path with @text */
void put_file(const char *path, const char *text);

/** get_file() - first 4095 bytes of @path as a string, in a static buffer; "" if it cannot be read */
const char *get_file(const char *path);

#define gettid_() ((pid_t)syscall(SYS_gettid))

#endif
