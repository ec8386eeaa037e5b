/* SPDX-License-Identifier: MIT */
/* Signals: the types that struct task holds. Numbers and layouts are signal(7)'s for x86-64. */
#ifndef LIB_PROCESS_SIGNAL_TYPES_H
#define LIB_PROCESS_SIGNAL_TYPES_H

#include "base/list.h"
#include "base/types.h"

#define NSIG		64
#ifndef LBX_HAVE_LIBC
typedef u64 sigset_t;		/* bit n-1 is signal n */
#else
#define sigset_t lbx_sigset_t
typedef u64 lbx_sigset_t;
#endif
#define SIGMASK(sig)	(1ull << ((sig) - 1))

struct sigpending {
	struct list queue;	/* of struct sigqueue */
	sigset_t set;
};

#endif
