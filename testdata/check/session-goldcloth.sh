#!/bin/bash
# SPDX-License-Identifier: MIT
# The reference session from end to end: label a device, panic onto it, save the
# dump, and type the session at the debugger; the three ways to name a dump; the
# symbol file in other tools.
set -u
top=$PWD
case $O in /*) bin=$O/bin ;; *) bin=$top/$O/bin ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

say() {
	[ "$1" = 0 ] && echo "ok session-goldcloth-$2" || { echo "not ok session-goldcloth-$2"; cat log; }
}

"$bin/dumpadm" label -s 64M -p test device >log 2>&1
say $? label
"$bin/goldcloth" device >log 2>&1
say $? panic
"$bin/savecore" device . >log 2>&1
say $? savecore
for names in "unix.0 vmcore.0" 0 vmcore.0 device; do
	# shellcheck disable=SC2086
	python3 "$top/testdata/goldcloth/session.py" "$bin/mdb" $names >log 2>&1
	say $? "mdb $names"
done
nm unix.0 >log 2>&1 && grep -q '^f4c76f04 T page_ctr_sub$' log
say $? nm
readelf -SW unix.0 >log 2>&1 && grep -q ' \.symtab ' log && ! grep -qi warning log
say $? readelf
if command -v gdb >/dev/null; then
	gdb -nx -batch -ex 'info address page_ctr_sub' unix.0 >log 2>&1
	grep -q 'Symbol "page_ctr_sub" is at 0xf4c76f04' log && ! grep -qi warning log
	say $? gdb
else
	echo "skipped session-goldcloth-gdb: no gdb"
fi
"$bin/goldcloth" -r other >log 2>&1
"$bin/mdb" -S -e ::status unix.0 other >log 2>&1
[ $? = 2 ] && grep -q 'name the unix.N' log
say $? wrong-unix
