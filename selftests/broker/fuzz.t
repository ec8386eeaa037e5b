#!/bin/sh
# SPDX-License-Identifier: MIT
# A bounded run of the broker's fuzzer; FUZZ_SECONDS for longer ones.
O=${O:-build}
if [ ! -x "$O/selftests/broker/fuzz" ]; then
	echo "1..0 # SKIP no clang to build the fuzzer with"
	exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$O/selftests/broker/fuzz" -max_total_time="${FUZZ_SECONDS:-20}" -timeout=20 -rss_limit_mb=1500 -max_len=600 \
	-artifact_prefix="$dir/" -print_final_stats=1 "$dir" 2>"$dir/err"
if [ $? = 0 ]; then
	echo "ok 1 - $(sed -n 's/stat::number_of_executed_units: */sessions: /p' "$dir/err")"
else
	echo "not ok 1 - the fuzzer found something"
	tail -60 "$dir/err" | sed 's/^/# /'
	for f in "$dir"/crash-* "$dir"/timeout-* "$dir"/oom-*; do
		[ -f "$f" ] && echo "# input: $(base64 -w0 "$f")"
	done
fi
echo 1..1
