#!/bin/bash
# SPDX-License-Identifier: MIT
# kills.t once more, where no namespace is allowed: no kernel ends a sandbox with its first process.
EXEC_BARE=1 exec selftests/enemy/kills.t
