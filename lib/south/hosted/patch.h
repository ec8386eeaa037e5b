/* SPDX-License-Identifier: MIT */
/*
 * Patching of call sites: so that a `syscall` instruction that trapped once costs no host call from then on.
 */
#ifndef LIB_SOUTH_HOSTED_PATCH_H
#define LIB_SOUTH_HOSTED_PATCH_H

#include "base/types.h"

struct cpu;
struct host_sigcontext;
struct mm;
struct regs;

/* patch_trapped() - the SIGSYS handler saw a call at @r->rip: remember the site; it is patched once out of the handler. No locks. */
void patch_trapped(struct cpu *cpu, struct regs *r);
/* patch_recover() - a fault of program code inside a patched site: true when @mc was moved to where the old code goes on */
bool patch_recover(struct host_sigcontext *mc);
/* patch_text_changed() - machine->text_changed */
void patch_text_changed(struct mm *mm, u64 addr, u64 len);

#endif
