# SPDX-License-Identifier: MIT
TESTS += selftests/vm/run_test
