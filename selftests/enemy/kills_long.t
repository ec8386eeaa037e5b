#!/bin/bash
# SPDX-License-Identifier: MIT
# kills.t with 1,000 host processes killed: for make fuzz.
KILLS=1000 exec selftests/enemy/kills.t
