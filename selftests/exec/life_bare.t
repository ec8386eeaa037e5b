#!/bin/bash
# SPDX-License-Identifier: MIT
# life.t once more, where no namespace is allowed.
EXEC_BARE=1 exec selftests/exec/life.t
