#!/bin/bash
# SPDX-License-Identifier: MIT
# Processes of a sandbox are killed at random moments: it never hangs and never leaks. KILLS: how often.
. selftests/exec/lib.sh

"$build/selftests/enemy/kill_random" "$lbx" "${KILLS:-60}"
exit $?
