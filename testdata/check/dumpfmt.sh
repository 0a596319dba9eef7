#!/bin/bash
# mkdump and what it is for: the README's example, the fixtures, whole files.
set -u
O=${O:-build/release}
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT

ok() {
	local name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}

readme_example() {
	awk '/^```/ {n++; next} n == 1' testdata/dumps/README.md >"$here/example.txt"
	[ -s "$here/example.txt" ] && "$O/bin/mkdump" "$here/example.txt" "$here/example"
}

# Each fixture compiles, and again to the same bytes.
fixtures_repeat() {
	local t
	for t in testdata/dumps/*.txt; do
		"$O/bin/mkdump" "$t" "$here/one" && "$O/bin/mkdump" "$t" "$here/two" || return 1
		cmp <(cat "$here"/one*) <(cat "$here"/two*) || { echo "$t differs"; return 1; }
		rm -f "$here"/one* "$here"/two*
	done
}

# An error names the included file and its line.
error_names_the_file() {
	printf 'u8 1\nwrong here\n' >"$here/part.inc"
	printf 'include "part.inc"\n' >"$here/whole.txt"
	"$O/bin/mkdump" "$here/whole.txt" "$here/out" 2>&1 | grep -q "part.inc:2: wrong: unknown"
}

ok dumpfmt-readme-example readme_example
ok dumpfmt-fixtures-repeat fixtures_repeat
ok mkdump-error-names-the-file error_names_the_file
