# SPDX-License-Identifier: MIT
# TAP for shell tests: sourced. Ends with the plan; status 1 when one failed.
tap_count=0
tap_failed=0

ok() { # name
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

not_ok() { # name reason
	tap_count=$((tap_count + 1))
	tap_failed=1
	echo "not ok $tap_count - $1 # $(printf '%s' "$2" | tr '\n' ' ')"
}

skip() { # name why
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

is() { # got wanted name
	if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "got '$1', wanted '$2'"; fi
}

has() { # text part name
	case $1 in
	*"$2"*) ok "$3";;
	*) not_ok "$3" "no '$2' in '$1'";;
	esac
}

has_not() { # text part name
	case $1 in
	*"$2"*) not_ok "$3" "'$2' in '$1'";;
	*) ok "$3";;
	esac
}

done_testing() {
	echo "1..$tap_count"
	exit $tap_failed
}
