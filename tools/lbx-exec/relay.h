/* SPDX-License-Identifier: MIT */
#ifndef LBX_EXEC_RELAY_H
#define LBX_EXEC_RELAY_H

#include "exec.h"

/* relay_socket() - the sandbox's end of a relay; the broker's in @ours */
int relay_socket(int *ours);

/*
 * relay_copy() - start copying, in a thread with the caller's signal mask (all blocked, SIGTTIN and SIGTTOU too)
 * @inward: towards the sandbox. Others are waited for at the end.
 */
void relay_copy(int from, int to, bool inward);

/* relays_done_fd() - readable when one that goes outward has come to its end: then ask relays_running() */
int relays_done_fd(void);
/* relays_running() - whether there is one that goes outward. For one thread only. */
bool relays_running(void);

#endif
