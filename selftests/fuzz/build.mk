# SPDX-License-Identifier: MIT
# libFuzzer on lib/: every selftests/fuzz/*_fuzz.c is one target, linked with all of lib/. Those in FUZZ_SIM stand on the simulated
# South (lib/south/sim), the others on the fake one. `make check` runs each for some seconds, `make fuzz` for longer. Where there
# is no clang they are skipped.

ifneq ($(shell command -v $(CLANG)),)
FUZZ_O := $(O)/fuzz
# the allocator is the fake South's, which AddressSanitizer sees through
FUZZ_LIB := $(filter-out lib/mm/kmalloc.c,$(wildcard $(addsuffix /*.c,$(LIB_DIRS))))
FUZZ_SRCS := $(FUZZ_LIB) lib/south/fake/fake.c lib/south/fake/uaccess.c lib/south/fake/kmalloc.c
FUZZ_OBJS := $(FUZZ_SRCS:%.c=$(FUZZ_O)/%.o)
FUZZ_SIM_OBJS := $(patsubst %.c,$(FUZZ_O)/%.o,$(wildcard lib/south/sim/*.c))
FUZZ_TARGETS := $(patsubst selftests/fuzz/%.c,%,$(wildcard selftests/fuzz/*_fuzz.c))
FUZZ_SIM := syscall_fuzz elf_fuzz p9_fuzz tarfs_fuzz
FUZZ_BOX_OBJS := $(FUZZ_O)/selftests/fuzz/box.o $(FUZZ_O)/selftests/fuzz/syscall_args.o

$(FUZZ_O)/include/arch:
	@mkdir -p $(@D) && ln -sfn $(abspath lib/arch/fake) $@

$(FUZZ_O)/%.o: %.c lib/build.mk selftests/fuzz/build.mk | $(FUZZ_O)/include/arch
	@echo "  CLANG   $@"; mkdir -p $(@D); \
	$(CLANG) -Ilib -I. -I$(FUZZ_O)/include -Iselftests/lib -std=gnu11 -O1 -gline-tables-only -w -DLBX_HAVE_LIBC \
		-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-strict-aliasing -MMD -MP -c -o $@ $<

$(FUZZ_O)/libfuzz.a: $(FUZZ_OBJS)
	$(archive)

# What the simulated South defines is not taken from the archive.
$(FUZZ_SIM:%=$(FUZZ_O)/%): $(FUZZ_SIM_OBJS) $(FUZZ_BOX_OBJS)

$(FUZZ_O)/%_fuzz: $(FUZZ_O)/selftests/fuzz/%_fuzz.o $(FUZZ_O)/libfuzz.a
	@echo "  LD      $@"; $(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $(filter %.o,$^) $(filter %.a,$^) -lpthread

# kept, so that a change relinks without compiling
.SECONDARY: $(FUZZ_TARGETS:%=$(FUZZ_O)/selftests/fuzz/%.o)
ALL += $(FUZZ_TARGETS:%=$(FUZZ_O)/%)
endif
TESTS += selftests/fuzz/fuzz.t
FUZZ_RUNS += selftests/fuzz/long.t@7200
