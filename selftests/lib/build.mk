# SPDX-License-Identifier: MIT
# Unit tests of lib/: every selftests/lib/*_test.c is one program, linked with what it needs of lib/ over the fake South, under
# AddressSanitizer and UBSan.

UNIT_O := $(O)/unit
UNIT_LIB := $(patsubst %.c,$(UNIT_O)/%.o,$(wildcard $(addsuffix /*.c,$(LIB_DIRS))))
UNIT_FAKE := $(patsubst %.c,$(UNIT_O)/%.o,lib/south/fake/fake.c lib/south/fake/uaccess.c)
UNIT_TESTS := $(patsubst selftests/lib/%.c,%,$(wildcard selftests/lib/*_test.c))
# These test the real allocator; the others have malloc(), which the sanitizers know.
UNIT_REAL_MM := kmalloc_test page_test

$(UNIT_O)/include/arch:
	@mkdir -p $(@D) && ln -sfn $(abspath lib/arch/fake) $@

$(UNIT_O)/%.o: %.c lib/build.mk selftests/lib/build.mk | $(UNIT_O)/include/arch
	@echo "  CC      $@"; mkdir -p $(@D); \
	$(CC) -Ilib -I. -I$(UNIT_O)/include -Iselftests/lib -std=gnu11 -O1 -g $(WARNINGS) -DLBX_HAVE_LIBC \
		-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-strict-aliasing -MMD -MP -c -o $@ $<

$(UNIT_O)/libunit.a: $(UNIT_LIB)
	$(archive)

define unit_test
$(UNIT_O)/$(1): $(UNIT_O)/selftests/lib/$(1).o $(UNIT_FAKE) $(if $(filter $(1),$(UNIT_REAL_MM)),,$(UNIT_O)/lib/south/fake/kmalloc.o) $(UNIT_O)/libunit.a
	@echo "  LD      $$@"; $(CC) -fsanitize=address,undefined -o $$@ $$^ -lpthread
ALL += $(UNIT_O)/$(1)
TESTS += $(UNIT_O)/$(1)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))
TESTS += selftests/lib/symbols.t
ALL += $(O)/lib/lib.o
