# SPDX-License-Identifier: MIT
exec_tests := $(wildcard selftests/exec/*.t)
VM_TESTS += selftests/exec/cgroup.t@300
TESTS += $(exec_tests:%=%@600)
USER_TESTS += $(exec_tests:%=%@600)

# waits in every way there is, for stop.t
$(O)/selftests/exec/waits.o: CFLAGS = $(CFLAGS_BASE) -D_GNU_SOURCE
$(O)/selftests/exec/waits: $(O)/selftests/exec/waits.o
	$(link)
ALL += $(O)/selftests/exec/waits

# starts a program with signals ignored and blocked
$(O)/selftests/exec/inherit: $(O)/selftests/exec/inherit.o
	$(link)
ALL += $(O)/selftests/exec/inherit
