#!/bin/bash
# SPDX-License-Identifier: MIT
# lbx-exec as a job of a shell on a terminal: job.py.
top=$PWD
. selftests/exec/lib.sh

timeout -k 1 500 /usr/bin/python3 "$top/selftests/exec/job.py" "$lbx"
exit $?
