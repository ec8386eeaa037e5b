#!/bin/sh
# SPDX-License-Identifier: MIT
# The same for an hour each.
FUZZ_SECONDS=${FUZZ_SECONDS:-3600} exec "$(dirname "$0")/fuzz.t"
