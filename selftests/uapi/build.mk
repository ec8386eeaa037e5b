# SPDX-License-Identifier: MIT
# The checks' sources are included by these two, so that the sanitizers see them.
uapi-tests := $(O)/selftests/uapi/check_cases $(O)/selftests/uapi/check_random

$(O)/selftests/uapi/%.o: CFLAGS = $(CFLAGS_BASE) -Wno-missing-field-initializers \
	-fsanitize=address,undefined -fno-sanitize-recover=all
$(uapi-tests): CFLAGS = $(CFLAGS_BASE) -fsanitize=address,undefined
$(uapi-tests): %: %.o
	$(link)

ALL += $(uapi-tests)
TESTS += $(uapi-tests) selftests/uapi/headers_test selftests/uapi/manual_test
