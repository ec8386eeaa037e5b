#!/bin/bash
# SPDX-License-Identifier: MIT
# A bounded run of each fuzzer of lib/; FUZZ_SECONDS for longer ones.
O=${O:-build}
here=$(cd "$(dirname "$0")" && pwd)
seconds=${FUZZ_SECONDS:-8}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0 bad=0
for source in "$here"/*_fuzz.c; do
	name=$(basename "$source" .c)
	n=$((n + 1))
	if [ ! -x "$O/fuzz/$name" ]; then
		echo "ok $n - $name # SKIP no clang to build it with"
		continue
	fi
	mkdir "$dir/$name"
	len=$(sed -n "s/.*fuzz.t: -max_len=\([0-9]*\).*/\1/p" "$source")
	seeds=
	[ -d "$here/seeds/$name" ] && seeds=$here/seeds/$name
	"$O/fuzz/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1500 -max_len="${len:-1000}" -artifact_prefix="$dir/" \
		-print_final_stats=1 "$dir/$name" $seeds >"$dir/out" 2>"$dir/err"
	if [ $? = 0 ]; then
		echo "ok $n - $name: $(sed -n 's/stat::number_of_executed_units: *//p' "$dir/err") inputs"
	else
		bad=1
		echo "not ok $n - $name found something"
		tail -60 "$dir/err" | sed 's/^/# /'
		for f in "$dir"/crash-* "$dir"/timeout-* "$dir"/oom-* "$dir"/leak-*; do
			[ -f "$f" ] && echo "# input: $(base64 -w0 "$f")" && rm -f "$f"
		done
	fi
done
echo "1..$n"
exit $bad
