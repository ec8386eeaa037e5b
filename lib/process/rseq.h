/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences: rseq(2).
 *
 * A thread registers an area in its memory. Whoever takes its processor away writes the number of the next one there, and when the
 * thread was inside the critical section that the area names, lets it go on at the section's abort handler. On hosted Souths that
 * is the host's kernel, which alone knows when it takes a processor away: machine->rseq() hands the area on. Signals that the library
 * kernel delivers abort a section by rseq_fixup(); those of the host (traps, faults, kicks) have done so before we hear of them.
 *
 * An area that is broken (unmapped, not writable, a section that is none) ends in SIGSEGV, as on Linux.
 */
#ifndef LIB_PROCESS_RSEQ_H
#define LIB_PROCESS_RSEQ_H

#include "base/types.h"

struct regs;

/* rseq_register(), rseq_unregister() - for the current thread. Return: 0, -EINVAL, -EPERM, -EBUSY, -EFAULT, -ENOSYS */
long rseq_register(u64 addr, u32 len, u32 sig);
long rseq_unregister(u64 addr, u32 len, u32 sig);

/*
 * rseq_suspend() - before the memory goes, at exec or exit: nothing is written to the area any more
 * Return: false when it was broken. rseq_resume() - exec failed: as it was
 */
bool rseq_suspend(void);
void rseq_resume(void);

/*
 * rseq_loses() - [@addr, +@len) of the current memory is to be unmapped or made read-only
 * Return: true when a thread's area lies there. The process dies of it as soon as the call returns, as on Linux, where it dies when
 * that thread next loses its processor; the memory stays, so that the South finds the area until then.
 */
bool rseq_loses(u64 addr, u64 len);

/* rseq_fixup() - a signal is about to be delivered to the program at @regs. Return: false when the area is broken */
__must_check bool rseq_fixup(struct regs *regs);

#endif
