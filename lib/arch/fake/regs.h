/* SPDX-License-Identifier: MIT */
/* For unit tests: the same registers as x86-64; nobody runs a program with them. */
#include "../x86_64/regs.h"
