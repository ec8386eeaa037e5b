# SPDX-License-Identifier: MIT
# Tests of the broker's file server: each *_test.c is built twice, plain and (as NAME.san, server included) under AddressSanitizer
# and UBSan; both run as root and as an ordinary user.

b9p-names := $(patsubst selftests/broker/%_test.c,%,$(wildcard selftests/broker/*_test.c))
b9p-bin := $(O)/selftests/broker
b9p-san := $(O)/broker-san
b9p-san-flags := -fsanitize=address,undefined -fno-sanitize-recover=undefined
b9p-tests := $(addprefix $(b9p-bin)/,$(b9p-names)) $(addsuffix .san,$(addprefix $(b9p-bin)/,$(b9p-names)))
b9p-common := selftests/broker/client.o selftests/broker/fixture.o
b9p-server-san := $(patsubst %.c,$(b9p-san)/%.o,$(wildcard tools/broker/*.c))

$(b9p-bin)/%.o: CFLAGS = $(CFLAGS_BASE) -pthread

$(b9p-san)/%.o: %.c tools/broker/build.mk selftests/broker/build.mk
	@echo "  CC      $@"; mkdir -p $(@D); \
	$(CC) $(CPPFLAGS) $(CFLAGS_BASE) -O1 -pthread $(b9p-san-flags) -MMD -MP -c -o $@ $<

$(addprefix $(b9p-bin)/,$(b9p-names)): LDLIBS = -pthread
$(addprefix $(b9p-bin)/,$(b9p-names)): $(b9p-bin)/%: $(b9p-bin)/%_test.o \
		$(addprefix $(O)/,$(b9p-common)) $(O)/tools/broker/libbroker9p.a
	$(link)

$(addsuffix .san,$(addprefix $(b9p-bin)/,$(b9p-names))): LDLIBS = -pthread $(b9p-san-flags)
$(addsuffix .san,$(addprefix $(b9p-bin)/,$(b9p-names))): $(b9p-bin)/%.san: \
		$(b9p-san)/selftests/broker/%_test.o $(addprefix $(b9p-san)/,$(b9p-common)) $(b9p-server-san)
	$(link)

.SECONDARY: $(patsubst %,$(b9p-bin)/%_test.o,$(b9p-names)) $(patsubst %,$(b9p-san)/selftests/broker/%_test.o,$(b9p-names))

ALL += $(b9p-tests)
TESTS += $(b9p-tests)
USER_TESTS += $(b9p-tests)

# Other people's clients: diod's tools, and Linux' own in a machine.
$(b9p-bin)/serve: LDLIBS = -pthread
$(b9p-bin)/serve: $(b9p-bin)/serve.o $(O)/tools/broker/libbroker9p.a
	$(link)

ALL += $(b9p-bin)/serve
TESTS += selftests/broker/diod.t selftests/broker/doc.t
USER_TESTS += selftests/broker/diod.t
VM_TESTS += selftests/broker/v9fs.t $(b9p-bin)/priv

# The fuzzer, where there is a clang.
ifneq ($(shell command -v $(CLANG)),)
$(b9p-bin)/fuzz: selftests/broker/fuzz.c $(wildcard tools/broker/*.c tools/broker/*.h) tools/broker/messages.def \
		selftests/broker/build.mk
	@echo "  CLANG   $@"; mkdir -p $(@D); \
	$(CLANG) $(CPPFLAGS) -std=gnu11 -g -O1 -Wall -Wextra -Werror -pthread \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^)
ALL += $(b9p-bin)/fuzz
endif
TESTS += selftests/broker/fuzz.t
FUZZ_RUNS += selftests/broker/fuzz_long.t@3600

# Figures: `make bench`.
$(b9p-bin)/bench: LDLIBS = -pthread
$(b9p-bin)/bench: $(addprefix $(O)/,selftests/broker/bench.o $(b9p-common)) $(O)/tools/broker/libbroker9p.a
	$(link)
ALL += $(b9p-bin)/bench
BENCHES += $(b9p-bin)/bench
PROVE_TESTS += selftests/broker/prove.t@1200
