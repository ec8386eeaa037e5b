# SPDX-License-Identifier: MIT
exec_tests := $(wildcard selftests/exec/*.t)
TESTS += $(exec_tests:%=%@600)
USER_TESTS += $(exec_tests:%=%@600)
