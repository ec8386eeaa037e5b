# SPDX-License-Identifier: MIT
# The enemy of the boundary: whoever has taken over the library kernel.

enemy-bin := $(O)/selftests/enemy
$(enemy-bin)/%.o: CPPFLAGS = -I. -Ilib
$(enemy-bin)/%.o: CFLAGS = $(CFLAGS_BASE) -D_GNU_SOURCE

$(enemy-bin)/calls.o $(enemy-bin)/filter.o: $(enemy-bin)/%.o: lib/south/host/%.c Makefile selftests/enemy/build.mk
	@echo "  CC      $@"; mkdir -p $(@D); $(CC) -I. -Ilib -DLBX_HAVE_LIBC $(CFLAGS_BASE) -MMD -MP -c -o $@ $<

$(enemy-bin)/filter_test: $(enemy-bin)/filter_test.o $(enemy-bin)/calls.o $(enemy-bin)/filter.o
	$(link)

ALL += $(enemy-bin)/filter_test
TESTS += $(enemy-bin)/filter_test
USER_TESTS += $(enemy-bin)/filter_test

# The enemy inside, and what it must not do.
$(enemy-bin)/enemy $(enemy-bin)/probe $(enemy-bin)/idle_threads: LDFLAGS = -static -pthread
$(enemy-bin)/enemy $(enemy-bin)/probe $(enemy-bin)/idle_threads: %: %.o
	$(link)

$(enemy-bin)/kill_random: $(enemy-bin)/kill_random.o
	$(link)

ALL += $(enemy-bin)/enemy $(enemy-bin)/probe $(enemy-bin)/idle_threads $(enemy-bin)/kill_random
enemy_tests := $(filter-out %_long.t,$(wildcard selftests/enemy/*.t))
FUZZ_RUNS += $(wildcard selftests/enemy/*_long.t)
TESTS += $(enemy_tests:%=%@600)
USER_TESTS += $(enemy_tests:%=%@600)
