# SPDX-License-Identifier: MIT
# Patching of call sites: programs whose sites are patched, and the pure functions that choose what is.

patch-bin := $(O)/selftests/patch
$(patch-bin)/patch.o $(patch-bin)/cancel.o: CFLAGS = $(CFLAGS_BASE) -D_GNU_SOURCE -pthread

$(patch-bin)/patch: LDLIBS = -ldl -pthread
$(patch-bin)/patch: $(patch-bin)/patch.o $(patch-bin)/sites.o
	$(link)

# dladdr() in a static program is all that the linker warns of
$(patch-bin)/patch_static: LDFLAGS = -static -Wl,--no-warnings
$(patch-bin)/patch_static: LDLIBS = -pthread
$(patch-bin)/patch_static: $(patch-bin)/patch.o $(patch-bin)/sites.o
	$(link)

# Linked to lie where the sandbox has its cells and stubs otherwise.
$(patch-bin)/patch_low: LDFLAGS = -static -no-pie -Wl,--no-warnings -Wl,-Ttext-segment=0x60400000
$(patch-bin)/patch_low: LDLIBS = -pthread
$(patch-bin)/patch_low: $(patch-bin)/patch.o $(patch-bin)/sites.o
	$(link)

patch-units := $(patch-bin)/insn.o $(patch-bin)/patch_site.o
$(patch-units): $(patch-bin)/%.o: lib/south/hosted/%.c Makefile selftests/patch/build.mk
	@echo "  CC      $@"; mkdir -p $(@D); $(CC) -I. -Ilib -DLBX_HAVE_LIBC $(CFLAGS_BASE) -MMD -MP -c -o $@ $<

$(patch-bin)/site_test.o: CPPFLAGS = -I. -Ilib -DLBX_HAVE_LIBC
$(patch-bin)/site_test: $(patch-bin)/site_test.o $(patch-units)
	$(link)

$(patch-bin)/cost: LDFLAGS = -static
$(patch-bin)/cost: $(patch-bin)/cost.o $(patch-bin)/cost_sites.o
	$(link)

ALL += $(addprefix $(patch-bin)/,patch patch_static patch_low site_test cost)
TESTS += selftests/patch/patch.t@600 selftests/patch/site.t selftests/patch/cost.t
USER_TESTS += selftests/patch/patch.t@600
