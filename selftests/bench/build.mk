# SPDX-License-Identifier: MIT
# The figures of DESIGN.md section 7: see README.md.

bench-bin := $(O)/selftests/bench
bench-objects := $(addprefix $(bench-bin)/,work.o calls.o wakes.o processes.o files.o)

$(bench-bin)/%.o: CFLAGS = $(CFLAGS_BASE) -pthread
$(bench-bin)/work $(bench-bin)/true: LDFLAGS = -static -pthread
$(bench-bin)/work: $(bench-objects)
	$(link)
$(bench-bin)/true: $(bench-bin)/true.o
	$(link)

ALL += $(bench-bin)/work $(bench-bin)/true
BENCHES += selftests/bench/run
