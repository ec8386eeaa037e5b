# SPDX-License-Identifier: MIT
# The runner: broker, reaper, and what starts the sandbox's image (which it finds beside itself).

lbx-exec-objs := $(patsubst %.c,$(O)/%.o,$(wildcard tools/lbx-exec/*.c)) $(O)/tools/lbx-exec/host-calls.o

$(lbx-exec-objs): CFLAGS = $(CFLAGS_BASE) -pthread -D_GNU_SOURCE
$(lbx-exec-objs): CPPFLAGS = -I. -Ilib

# the table of host calls that the filter is made from, for --list-souths
$(O)/tools/lbx-exec/host-calls.o: lib/south/host/calls.c Makefile
	@echo "  CC      $@"; mkdir -p $(@D); $(CC) -I. -Ilib -DLBX_HAVE_LIBC $(CFLAGS_BASE) -MMD -MP -c -o $@ $<

$(O)/lbx-exec: LDLIBS = -pthread
$(O)/lbx-exec: $(lbx-exec-objs) $(O)/tools/broker/libbroker9p.a
	$(link)

ALL += $(O)/lbx-exec
