#!/bin/bash
# SPDX-License-Identifier: MIT
# reach.t once more, where no namespace is allowed: the filter alone must hold.
EXEC_BARE=1 exec selftests/enemy/reach.t
