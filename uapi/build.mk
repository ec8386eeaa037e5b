# SPDX-License-Identifier: MIT
# The checks for programs with a libc: link with $(O)/uapi/libcheck.a. Who has
# other flags (lib/, the module, BPF) compiles uapi/check_*.c with them instead.

UAPI_CHECKS := $(wildcard uapi/check_*.c)

$(O)/uapi/libcheck.a: $(UAPI_CHECKS:%.c=$(O)/%.o)
	$(archive)

ALL += $(O)/uapi/libcheck.a
