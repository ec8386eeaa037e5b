# SPDX-License-Identifier: MIT
# Conformance programs: see README.md. Each is linked with conform.o; some are also built static.

conform-programs := files_open files_rw files_name files_meta files_dir files_lock files_copy files_inotify files_fd \
	process_life process_exec process_ids signals_basic signals_wait signals_timer \
	memory_map memory_share memory_efault threads futex io_pipe io_poll io_socket \
	abi pkru rseq tty proc system
conform-static := files_rw files_fd process_life process_exec signals_basic signals_wait memory_map threads futex abi

conform-bin := $(O)/selftests/conform
conform-list := $(conform-programs) $(addsuffix .static,$(conform-static))

# The tests pass bad pointers on purpose, and want each call made as it is written.
$(conform-bin)/%.o: CFLAGS = -std=gnu11 -O1 -g -D_GNU_SOURCE -pthread -fno-builtin $(WARNINGS) \
	-Wno-nonnull -Wno-unused-result -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wno-restrict

$(addprefix $(conform-bin)/,$(conform-programs)): %: %.o $(conform-bin)/conform.o
	$(link)

$(patsubst %,$(conform-bin)/%.static,$(conform-static)): LDFLAGS += -static
$(patsubst %,$(conform-bin)/%.static,$(conform-static)): %.static: %.o $(conform-bin)/conform.o
	$(link)

# One test a program, so that the runner's time limit and a failure are about one subject. Like all tests it starts at the top of
# the tree, and names it by no path: an ordinary user is shown a tree that he cannot reach somewhere else.
$(patsubst %,$(conform-bin)/%.t,$(conform-list)): %.t: % selftests/conform/build.mk
	@printf '#!/bin/sh\nO=$${O:-%s} exec selftests/conform/run %s\n' '$(O)' '$(notdir $<)' >$@ && chmod 755 $@

# What `run` without arguments runs.
$(conform-bin)/programs: selftests/conform/build.mk
	@mkdir -p $(@D) && printf '%s\n' $(conform-list) >$@

conform-tests := $(patsubst %,$(conform-bin)/%.t,$(conform-list))
ALL += $(conform-tests) $(conform-bin)/programs
TESTS += $(conform-tests)
USER_TESTS += $(conform-tests)
CONFORM += $(conform-tests)

# Are the tests themselves steady? Native against native, 20 times.
.PHONY: conform-self
conform-self: $(conform-tests) $(conform-bin)/programs
	O=$(abspath $(O)) selftests/conform/run --self --quiet --repeat 20

.SECONDARY: $(patsubst %,$(conform-bin)/%.o,$(conform-programs) conform)
