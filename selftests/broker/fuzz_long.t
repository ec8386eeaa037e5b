#!/bin/sh
# SPDX-License-Identifier: MIT
# `make fuzz`: the same for half an hour.
FUZZ_SECONDS=${FUZZ_SECONDS:-1800} exec "$(dirname "$0")/fuzz.t"
