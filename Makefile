# SPDX-License-Identifier: MIT
#
# litebox: one non-recursive makefile. Paths are from the top of the tree; what
# is built goes to $(O). Each folder brings a fragment <folder>/build.mk (at
# most three levels deep), which is included here and adds to these lists:
#
#   ALL          files that plain `make` builds
#   TESTS        tests that `make check` runs as the user who runs make
#   USER_TESTS   tests that it runs as an ordinary user (root's rights dropped);
#                a test that stands in both lists is run twice
#   VM_TESTS     tests that it runs as root in a machine of its own (lbx-vm): all
#                in one, with others (selftests/matrix)
#   MATRIX       the same tests on other hosts, a machine each: selftests/matrix
#   PROVE_TESTS  proofs (TAP as well): `make prove`, and part of `make check`
#   FUZZ_RUNS    long fuzzing runs: `make fuzz`
#   CONFORM      conformance tests: `make conform` (TESTS lists them too)
#   BENCHES      programs that print figures: `make bench`
#
# A test is an executable that prints TAP; `path@600` gives it 600 seconds
# instead of selftests/run's 300. What a test needs built is in ALL.
#
# $(O)/x/y.o is made from x/y.c or x/y.S with $(CPPFLAGS) $(CFLAGS), its headers
# tracked. A fragment changes flags for its own objects only, like this:
#
#   $(O)/lib/%.o: CFLAGS = $(CFLAGS_FREE)
#
# and links with a rule whose recipe is $(link) (objects and archives among the
# prerequisites, then $(LDLIBS)) or $(archive).

O ?= build
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDEXPANSION:

CC := gcc
AR := ar
CLANG ?= clang
# Debian's own interpreter: a python3 found first on PATH may be another.
PYTHON ?= /usr/bin/python3

WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-Wvla -Wpointer-arith -Wno-unused-parameter
CPPFLAGS := -I.
CFLAGS_BASE := -std=gnu11 -O2 -g $(WARNINGS)
# For what has no libc: lib/ and what is linked with it.
CFLAGS_FREE := $(CFLAGS_BASE) -ffreestanding -nostdlib -mgeneral-regs-only \
	-fno-stack-protector -fPIE -mno-red-zone -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fcf-protection=none
CFLAGS = $(CFLAGS_BASE)
LDFLAGS :=
LDLIBS :=

link = @echo "  LD      $@"; mkdir -p $(@D); \
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS)
archive = @echo "  AR      $@"; mkdir -p $(@D); rm -f $@; \
	$(AR) rcs $@ $(filter %.o,$^)

# Totals are printed once, at the end, over all that ran. Two at once: tests have
# to stand a busy machine anyway. The long ones come first.
JOBS ?= 2
run_tests = $(PYTHON) selftests/run -j $(JOBS) --build $(O) --known selftests/known

include $(sort $(wildcard */build.mk */*/build.mk */*/*/build.mk))

.PHONY: all setup demo check bench fuzz conform prove clean help

all: $$(ALL)

setup:
	@tools/setup

# Set-up comes first, and a new make after it sees what it installed.
check: setup
	@$(MAKE) --no-print-directory all
	@$(run_tests) $(PROVE_TESTS) $(MATRIX) $(TESTS) $(addprefix user:,$(USER_TESTS))

prove: all
	@$(run_tests) --verbose $(PROVE_TESTS)

conform: all
	@$(run_tests) --verbose $(CONFORM)

fuzz: all
	@$(run_tests) --verbose --timeout 7200 $(FUZZ_RUNS)

bench: setup
	@$(MAKE) --no-print-directory all
	@set -e; for b in $(BENCHES); do O=$(O) LBX_BUILD=$(abspath $(O)) $$b; done

demo: setup
	@$(MAKE) --no-print-directory all
	@O=$(O) tools/demo

clean:
	rm -rf $(O)

help:
	@echo "make          build all into $(O)/"
	@echo "make setup    install what is needed, from Debian's packages (as root)"
	@echo "make demo     set-up, build, and a program run in a sandbox"
	@echo "make check    set-up, build, and all tests"
	@echo "make prove    the proofs alone;  make conform, make fuzz, make bench"
	@echo "make clean    remove $(O)/"

# An object is made again when its headers, the flags here or those of the
# fragments above it change.
fragments = $(wildcard $(1)/build.mk $(1)/../build.mk $(1)/../../build.mk)

$(O)/%.o: %.c Makefile $$(call fragments,$$(*D))
	@echo "  CC      $@"; mkdir -p $(@D); \
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/%.o: %.S Makefile $$(call fragments,$$(*D))
	@echo "  AS      $@"; mkdir -p $(@D); \
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(O) -name '*.d' 2>/dev/null)
