#!/bin/bash
# SPDX-License-Identifier: MIT
# All host processes of a sandbox are stopped and continued in every kind of wait: stop.py.
top=$PWD
. selftests/exec/lib.sh

timeout -k 1 500 /usr/bin/python3 "$top/selftests/exec/stop.py" "$build/selftests/exec/waits" "$lbx"
exit $?
