#!/bin/bash
# SPDX-License-Identifier: MIT
# What the modules say of the goldcloth machine: each command of
# testdata/goldcloth/kernel.mdb on its dump, compared with kernel.expect; then
# on dumps that are cut short.  UPDATE=1 rewrites the expectation.
set -u
mdb=$O/bin/mdb
expect=testdata/goldcloth/kernel.expect
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

say() {
	[ "$1" = 0 ] && echo "ok illumos-$2" || echo "not ok illumos-$2"
}

"$O/bin/goldcloth" -r "$tmp/vmcore.0" >"$tmp/out" || cat "$tmp/out"

run() {
	HOME=$tmp SHELL=/bin/sh timeout 60 "$mdb" -S "$1" \
		<testdata/goldcloth/kernel.mdb >"$tmp/got" 2>&1
}

run "$tmp/vmcore.0"
say $? commands
if [ -n "${UPDATE:-}" ]; then
	cp "$tmp/got" "$expect"
fi
diff "$expect" "$tmp/got" | head -20
cmp -s "$expect" "$tmp/got"
say $? output

# The commands end, and no line of ::analyze says what was not read.
"$mdb" -S -e '::analyze' "$tmp/vmcore.0" >"$tmp/whole" 2>&1
len=$(stat -c %s "$tmp/vmcore.0")
bad=0
for part in 9 8 7 6 5 4 3 2; do
	head -c $((len * part / 10)) "$tmp/vmcore.0" >"$tmp/cut"
	run "$tmp/cut"
	[ $? -lt 2 ] || { echo "$part/10: exit status"; bad=1; }
	"$mdb" -S -e '::analyze' "$tmp/cut" 2>"$tmp/err" |
		grep -vE 'not |^panic: |on CPU 0$|^the stack at|^it was in|^ ' >"$tmp/got"
	grep -vxFf "$tmp/whole" "$tmp/got" && bad=1
done
say $bad cut
