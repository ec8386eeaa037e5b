# SPDX-License-Identifier: MIT
TESTS += selftests/vm/run_test selftests/vm/lbx-vm_test@900
ALL += $(O)/selftests/vm/icount
BENCHES += selftests/vm/bench
$(O)/selftests/vm/icount: LDFLAGS = -static
$(O)/selftests/vm/icount: $(O)/selftests/vm/icount.o
	$(link)
