#!/bin/bash
# SPDX-License-Identifier: MIT
# kills.t, 1,000 times: for make fuzz.
KILLS=1000 exec selftests/enemy/kills.t
