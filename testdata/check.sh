#!/bin/bash
# Runs all tests and ends with one line: N passed, N failed, N skipped.
#   check.sh UNIT-TEST... -- FUZZ-REPLAY...
# Then every testdata/check/*.sh, each a script that prints lines
# `ok NAME`, `not ok NAME` and `skipped NAME: why`.
set -u
export O="${O:-build/release}" UPDATE="${UPDATE:-}" LC_ALL=C
passed=0 failed=0 skipped=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

unit() {
	local name=$1 status ran bad skip
	shift
	timeout 600 "$@" >"$log" 2>&1
	status=$?
	ran=$(sed -n 's/^\[==========\] \(.*: \)\{0,1\}\([0-9]*\) test(s) run\..*/\2/p' "$log" | awk '{n += $1} END {print n + 0}')
	bad=$(grep -c '^\[  FAILED  \] [a-z]' "$log")
	skip=$(grep -c '^\[  SKIPPED \] [a-z]' "$log")
	if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		bad=1
	fi
	if [ "$ran" = 0 ] && [ "$bad" = 0 ]; then
		echo "not ok $name: ran no test"
		bad=1
	fi
	[ "$bad" = 0 ] || { echo "not ok $name (status $status)"; grep -vE '^\[ (RUN|      OK)' "$log" | tail -40; }
	grep '^skipped' "$log"
	failed=$((failed + bad))
	skipped=$((skipped + skip))
	[ "$ran" -gt $((bad + skip)) ] && passed=$((passed + ran - bad - skip))
}

replay() {
	local dir
	dir=testdata/fuzz/$(basename "$1" _fuzz_replay)
	if [ ! -d "$dir" ]; then
		echo "not ok $1: no corpus $dir"
		failed=$((failed + 1))
	elif timeout 600 "$1" "$dir"/* >"$log" 2>&1; then
		passed=$((passed + 1))
	else
		echo "not ok $1"
		tail -30 "$log"
		failed=$((failed + 1))
	fi
}

script() {
	local n
	timeout 1200 bash "$1" >"$log" 2>&1 || grep -q '^not ok' "$log" || echo "not ok $1: exit status" >>"$log"
	grep -vE '^ok ' "$log"
	n=$(grep -c '^ok ' "$log"); passed=$((passed + n))
	n=$(grep -c '^not ok ' "$log"); failed=$((failed + n))
	n=$(grep -c '^skipped' "$log"); skipped=$((skipped + n))
}

while [ $# -gt 0 ] && [ "$1" != -- ]; do
	unit "$1" "$1"
	shift
done
[ $# -gt 0 ] && shift
for r; do replay "$r"; done
for s in testdata/check/*.sh; do
	[ -e "$s" ] && script "$s"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
