# SPDX-License-Identifier: MIT
# The library kernel: one relocatable object without any South, and the sandbox's image on South `host`.

LIB_DIRS := lib/base lib/sched lib/mm lib/fs lib/fs/9p lib/fs/proc lib/process lib/ipc lib/tty lib/north/linux
LIB_SRCS := lib/boot.c lib/boot_stdio.c lib/boot_mounts.c lib/boot_events.c $(wildcard $(addsuffix /*.c,$(LIB_DIRS)))
LIB_OBJS := $(LIB_SRCS:%.c=$(O)/%.o)

$(O)/lib/%.o: CFLAGS = $(CFLAGS_FREE)
$(O)/lib/%.o: CPPFLAGS = -Ilib -I. -I$(O)/lib/include
$(LIB_OBJS): | $(O)/lib/include/arch

$(O)/lib/include/arch:
	@mkdir -p $(@D) && ln -sfn $(abspath lib/arch/x86_64) $@

# What lib/ needs from outside is the South interface; selftests/lib/symbols.t looks.
$(O)/lib/lib.o: $(LIB_OBJS)
	@echo "  LD      $@"; $(LD) -r -o $@ $^

HOST_OBJS := $(patsubst %,$(O)/%.o,$(basename $(wildcard lib/south/hosted/*.[cS] lib/south/host/*.[cS] lib/arch/x86_64/*.[cS])))
$(HOST_OBJS): | $(O)/lib/include/arch

$(O)/lbx-host: lib/south/host/image.lds $(O)/lib/lib.o $(HOST_OBJS)
	@echo "  LD      $@"; $(LD) -static -nostdlib --no-relax --no-dynamic-linker -z noexecstack -z max-page-size=4096 --build-id=none \
		-T lib/south/host/image.lds -o $@ $(O)/lib/lib.o $(HOST_OBJS)

ALL += $(O)/lbx-host
