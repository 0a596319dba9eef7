#!/bin/bash
# SPDX-License-Identifier: MIT
# Our disassembly against objdump's, over whole texts: the debugger itself and
# libc always; Xen's and a kernel's where they are there ($VMLINUX names one).
# Fails on any difference that testdata/dis/differences.txt does not hold.
set -u
dis=$O/mdb/stack/dis_test
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

compare() {
	local name=$1
	shift
	if [ ! -e "${!#}" ]; then
		echo "skipped dis-$name: no ${!#}"
	elif python3 testdata/dis/compare.py -t testdata/dis/differences.txt \
	    "$dis" "$@" >"$tmp/out" 2>&1; then
		echo "ok dis-$name"
	else
		cat "$tmp/out"
		echo "not ok dis-$name"
	fi
}

for tool in objdump objcopy python3; do
	command -v $tool >/dev/null || { echo "skipped dis: no $tool"; exit 0; }
done
compare itself "$dis"
compare libc "$(ldd "$dis" | awk '$1 ~ /^libc\.so/ {print $3}')"
compare libc32 /lib32/libc.so.6

xen=../shared/data/xen-syms.xz
if [ -e $xen ]; then
	xz -dc $xen >"$tmp/xen-syms"
	compare xen "$tmp/xen-syms"
else
	echo "skipped dis-xen: no ../shared/data"
fi
compare kernel -s .text -s .init.text -s .exit.text "${VMLINUX:-\$VMLINUX}"
