#!/bin/bash
# SPDX-License-Identifier: MIT
# status.t once more, where no namespace is allowed.
EXEC_BARE=1 exec selftests/exec/status.t
