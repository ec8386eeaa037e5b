/* SPDX-License-Identifier: MIT */
/*
 * Patching of call sites: a SYSCALL instruction that trapped once costs no host call from then on. PATCH.md says how.
 *
 *	patch.c		an address space: what is patched in it, traps, faults, changes of its text
 *	patch_area.c	low memory: cells, stubs, bases
 *	patch_text.c	pages of text that are patched, shared by all processes of the sandbox
 *	patch_site.c	one site: what moves, what takes its place
 */
#ifndef LIB_SOUTH_HOSTED_PATCH_H
#define LIB_SOUTH_HOSTED_PATCH_H

#include "base/types.h"
#include "south/hosted/patch_site.h"

struct mm;
struct regs;

/* patch_init() - at boot; false: call sites stay as they are, and nothing below does anything */
void patch_init(bool on);
/* patch_trapped() - from entry code, on the task's kernel stack: the call in @r trapped. Patches its site; the call goes on. */
void patch_trapped(struct regs *r);
/* patch_in_stub() - @rip lies in what patching has put into low memory */
static inline bool patch_in_stub(u64 rip) { return rip >= PATCH_CELLS && rip < PATCH_END; }
/* patch_unwind() - @r stands in a stub: let it stand where it would without patching, so that a signal's frame says that */
void patch_unwind(struct regs *r);
/* patch_fault() - program code faulted: true when it had come to the middle of a patched site and goes on in its stub */
bool patch_fault(struct regs *r);
/* patch_stop() - the current program is patched no more, and what was is taken back. Return: false: so it was already */
bool patch_stop(void);
/* patch_memory() - @addr is what patched sites and stubs read */
static inline bool patch_memory(u64 addr) { return addr >= PATCH_BASES && addr < PATCH_END; }
/* patch_text_changed() - machine->text_changed */
void patch_text_changed(struct mm *mm, u64 addr, u64 len);
/* patch_fork() - @child is about to be a copy of the current address space. Return: 0 or -ENOMEM */
__must_check int patch_fork(struct mm *child);
/* patch_exit() - nobody runs in @mm any more */
void patch_exit(struct mm *mm);
/* patch_stats() - machine->stats */
void patch_stats(void (*line)(void *arg, const char *name, u64 n), void *arg);

#endif
