#!/bin/bash
# SPDX-License-Identifier: MIT
# kills_long.t where no namespace is allowed: for make fuzz.
EXEC_BARE=1 exec selftests/enemy/kills_long.t
