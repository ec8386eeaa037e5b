/* SPDX-License-Identifier: MIT */
/* Signals: the types that struct task holds. Numbers and layouts are signal(7)'s for x86-64. */
#ifndef LIB_PROCESS_SIGNAL_TYPES_H
#define LIB_PROCESS_SIGNAL_TYPES_H

#include "base/list.h"
#include "base/types.h"

#ifdef LBX_HAVE_LIBC
/* Unit tests: libc's own names come first, so that nothing below clashes with them later. */
#include <signal.h>
#undef NSIG
#define sigset_t lbx_sigset_t
typedef u64 lbx_sigset_t;
#else
typedef u64 sigset_t;		/* bit n-1 is signal n */
#endif
#define NSIG		64
#define SIGMASK(sig)	(1ull << ((sig) - 1))

struct sigpending {
	struct list queue;	/* of struct sigqueue */
	sigset_t set;
};

#endif
