# SPDX-License-Identifier: MIT
# compare.awk expect native.out inside.out: TAP lines for run. A line is "key: value".

function result(good, name, why)
{
	nr++
	if (!good) {
		failed++
		printf "not ok %d - %s # %s\n", nr, name, why
	} else if (quiet == "") {
		printf "ok %d - %s\n", nr, name
	}
}

function slurp(path,	line, all)
{
	while ((getline line < path) > 0)
		all = all (all == "" ? "" : " | ") line
	close(path)
	gsub(/#/, "", all)
	return all
}

function hide(value)
{
	gsub(/#/, "", value)	# a second # would end TAP's description
	return value
}

BEGIN { nr = first; failed = 0 }

{
	# Empty files never show up as FNR == 1, so the argument tells which one this is.
	which = FILENAME == ARGV[1] ? "expect" : FILENAME == ARGV[2] ? "native" : "inside"
	at = index($0, ": ")
	key = at ? substr($0, 1, at - 1) : $0
	value = at ? substr($0, at + 2) : ""
	if (which == "expect") {
		expect[key] = value
	} else if (which == "native") {
		if (key in native)
			twice[key] = 1
		native[key] = value
		order[++keys] = key
	} else {
		if (key in inside)
			twice[key] = 1
		if (!(key in inside))
			iorder[++ikeys] = key
		inside[key] = value
	}
}

END {
	result(nstatus == 0 && keys > 0, program ": native run", "status " nstatus ", " keys " lines: " slurp(nerr))
	for (i = 1; i <= keys; i++) {
		key = order[i]
		want = key in expect ? expect[key] : native[key]
		name = program " " key
		gsub(/#/, "", name)
		if (key in twice)
			result(0, name, "the key occurs twice")
		else if (!(key in inside))
			result(0, name, "native: " hide(want) "; inside: nothing")
		else
			result(inside[key] == want, name,
			       (key in expect ? "wanted: " : "native: ") hide(want) "; inside: " hide(inside[key]))
	}
	for (i = 1; i <= ikeys; i++)
		if (!(iorder[i] in native))
			result(0, program " " hide(iorder[i]), "native: nothing; inside: " hide(inside[iorder[i]]))
	result(nstatus == istatus, program ": exit status", "native: " nstatus "; inside: " istatus)
	nwords = slurp(nerr)
	iwords = slurp(ierr)
	result(nwords == iwords, program ": standard error", "native: " nwords "; inside: " iwords)
	if (quiet != "")
		printf "# %s: %d cases, %d failed\n", program, nr - first, failed
	print nr, failed > counts
}
