/* SPDX-License-Identifier: MIT */
/* Numbers of signal(7), sigaction(2) on x86-64. Under a libc (unit tests) its own macros of the same value stand. */
#ifndef LIB_PROCESS_SIGNAL_NUMBERS_H
#define LIB_PROCESS_SIGNAL_NUMBERS_H

#include "process/signal_types.h"

#ifndef LBX_HAVE_LIBC
#define SIGHUP		1
#define SIGINT		2
#define SIGQUIT		3
#define SIGILL		4
#define SIGTRAP		5
#define SIGABRT		6
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGUSR1		10
#define SIGSEGV		11
#define SIGUSR2		12
#define SIGPIPE		13
#define SIGALRM		14
#define SIGTERM		15
#define SIGSTKFLT	16
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGTSTP		20
#define SIGTTIN		21
#define SIGTTOU		22
#define SIGURG		23
#define SIGXCPU		24
#define SIGXFSZ		25
#define SIGVTALRM	26
#define SIGPROF		27
#define SIGWINCH	28
#define SIGIO		29
#define SIGPWR		30
#define SIGSYS		31
#define SIGPOLL		SIGIO

#define SA_NOCLDSTOP	0x00000001
#define SA_NOCLDWAIT	0x00000002
#define SA_SIGINFO	0x00000004
#define SA_ONSTACK	0x08000000
#define SA_RESTART	0x10000000
#define SA_NODEFER	0x40000000
#define SA_RESETHAND	0x80000000

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

#define SS_ONSTACK	1
#define SS_DISABLE	2
#define MINSIGSTKSZ	2048

#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_QUEUE	(-1)
#define SI_TIMER	(-2)
#define SI_MESGQ	(-3)
#define SI_ASYNCIO	(-4)
#define SI_SIGIO	(-5)
#define SI_TKILL	(-6)

#define ILL_ILLOPN	2
#define FPE_INTDIV	1
#define FPE_INTOVF	2
#define SEGV_MAPERR	1
#define SEGV_ACCERR	2
#define SEGV_PKUERR	4
#define BUS_ADRALN	1
#define BUS_ADRERR	2

#define CLD_EXITED	1
#define CLD_KILLED	2
#define CLD_DUMPED	3
#define CLD_TRAPPED	4
#define CLD_STOPPED	5
#define CLD_CONTINUED	6
#endif

#ifndef TRAP_BRKPT			/* libc: only with XOPEN's blessing */
#define TRAP_BRKPT	1
#define TRAP_TRACE	2
#endif

/* What libc does not say. */
#define SIG_RTMIN		32
#define SIG_RTMAX		64
#define LINUX_SA_UNSUPPORTED	0x00000400
#define LINUX_SA_EXPOSE_TAGBITS	0x00000800
#define LINUX_SA_RESTORER	0x04000000
#define LINUX_SS_AUTODISARM	(1u << 31)
#define LINUX_SA_RESETHAND	0x80000000u

/* Sets by default action */
#define SIGSET_IGNORE		(SIGMASK(SIGCONT) | SIGMASK(SIGCHLD) | SIGMASK(SIGWINCH) | SIGMASK(SIGURG))
#define SIGSET_STOP		(SIGMASK(SIGSTOP) | SIGMASK(SIGTSTP) | SIGMASK(SIGTTIN) | SIGMASK(SIGTTOU))
#define SIGSET_CORE		(SIGMASK(SIGQUIT) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | SIGMASK(SIGABRT) | SIGMASK(SIGFPE) | \
				 SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGSYS) | SIGMASK(SIGXCPU) | SIGMASK(SIGXFSZ))
#define SIGSET_SYNC		(SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | SIGMASK(SIGFPE) | \
				 SIGMASK(SIGSYS))
#define SIGSET_UNBLOCKABLE	(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP))

#endif
