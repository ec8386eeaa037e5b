# SPDX-License-Identifier: MIT
PROVE_TESTS += selftests/prove/run@1200 selftests/prove/seeds@1200
