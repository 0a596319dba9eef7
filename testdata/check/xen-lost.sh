#!/bin/bash
# SPDX-License-Identifier: MIT
# Real Xen dumps of which something is lost: what is proven stays true or
# becomes unproven, never refuted; without the hypervisor's lower page tables
# stacks and domains are as in the whole dump.
# Prints `ok NAME`, `not ok NAME`, `skipped NAME: why`.
set -u
mdb=$O/bin/mdb
data=../shared/data
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if [ ! -e $data/xen-panic-kdump.elf.zst ] || ! command -v zstd >/dev/null; then
	echo "skipped xen-lost: no $data"
	exit 0
fi

check() {
	local name=$1
	shift
	if "$@"; then echo "ok xen-lost-$name"; else echo "not ok xen-lost-$name"; fi
}

proof_survives() {
	MDB_TEST_DUMP=$work/dump "$O/mdb/world/xen_trust_test" >"$work/log" 2>&1 &&
	    grep -q ' members in all proven no more' "$work/log"
}

# The machine addresses of the entries on the way to an address: its tables.
tables_of() {
	"$mdb" -S -e "$1::vtop -v" "$work/dump" 2>/dev/null |
	    awk '$1 ~ /^p.*e$/ && NR > 2 { print $2 }'
}

# Writes zeroes over the pages of these machine addresses.
wipe() {
	python3 - "$work/dump" "$@" <<'P'
import struct
import sys

with open(sys.argv[1], 'r+b') as f:
    head = f.read(64)
    at, = struct.unpack_from('<Q', head, 32)
    size, count = struct.unpack_from('<HH', head, 54)
    f.seek(at)
    table = f.read(size * count)
    for addr in {int(a, 16) & ~4095 for a in sys.argv[2:]}:
        for i in range(count):
            kind, _, off, _, start, length = struct.unpack_from('<IIQQQQ', table, size * i)
            if kind == 1 and start <= addr < start + length:
                f.seek(off + addr - start)
                f.write(bytes(4096))
P
}

ask() {
	"$mdb" -S -e '$C' "$work/dump" 2>/dev/null
	"$mdb" -S -e ::xenmsg "$work/dump" 2>/dev/null
	"$mdb" -S -e ::vcpu "$work/dump" 2>/dev/null
	"$mdb" -S -e ::evtchn "$work/dump" 2>/dev/null
	# what is counted in the frame table is not proven without it
	"$mdb" -S -e ::domain "$work/dump" 2>/dev/null | tr -d '?' | tr -s ' '
}
same_without_tables() {
	ask >"$work/damaged"
	[ -s "$work/whole" ] && cmp -s "$work/whole" "$work/damaged"
}
says_damaged() {
	"$mdb" -S -e ::status "$work/dump" 2>/dev/null |
	    grep -q '^page tables of xpv are damaged: its text and direct map are read by their fixed places$'
}
says_whole() {
	! "$mdb" -S -e ::status "$work/dump" 2>&1 | grep -q 'page tables of xpv'
}
refutes_nothing() {
	"$mdb" -S -e ::status "$work/dump" 2>/dev/null |
	    grep -q '^types of xpv: \(proven\|exact\)'
}

# Text and direct map, without their top table: below the CPU's own.
for d in xen-panic-kdump xen-run-qemu; do
	rm -f "$work/dump"
	zstd -q -d --long=27 --sparse "$data/$d.elf.zst" -o "$work/dump"
	chmod u+w "$work/dump"
	check "$d-says-whole" says_whole
	[ $d = xen-panic-kdump ] && check "$d-proof" proof_survives
	ask >"$work/whole"
	# shellcheck disable=SC2046
	wipe $(tables_of ffff82d040200000 | tail -n +2) \
	    $(tables_of ffff830000000000 | tail -n +2)
	check "$d-says-damaged" says_damaged
	check "$d-without-tables" same_without_tables
	check "$d-refutes-nothing" refutes_nothing
done
