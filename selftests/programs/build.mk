# SPDX-License-Identifier: MIT
# Whole programs, natively and in the sandbox: see README.md.

programs-tests := $(patsubst %,selftests/programs/%.t@900,shells coreutils archive busybox perl python sqlite3 git \
	gcc_make node go redis openssl vim tmux tty)
TESTS += $(programs-tests)
USER_TESTS += $(programs-tests)
