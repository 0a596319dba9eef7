#!/bin/bash
# SPDX-License-Identifier: MIT
# Types of Xen from packs, on real dumps whose hypervisor no pack lists: what is
# said to be proven must be so in the hypervisor's own DWARF.
# Prints `ok NAME`, `not ok NAME`, `skipped NAME: why`.
set -u
mdb=$O/bin/mdb
data=../shared/data
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if [ ! -e $data/xen-panic-kdump.elf.zst ] || ! command -v zstd >/dev/null; then
	echo "skipped xen-types: no $data"
	exit 0
fi
xz -dc $data/xen-syms.xz >"$work/syms"
structs='domain vcpu sched_unit sched_resource cpupool scheduler evtchn
    grant_table page_info timer timers rcu_data irq_desc cpu_info'

check() {
	local name=$1
	shift
	if "$@"; then echo "ok xen-types-$name"; else echo "not ok xen-types-$name"; fi
}

# Lines "STRUCT OFFSET TRUST MEMBER".
layout() {
	local s
	for s in $structs; do
		"$mdb" -S -e "::trust struct $s" "$@" 2>>"$work/err" |
		    sed -n "2,\$s/^ */$s /p"
	done | tr -s ' '
}

# Each proven member lies where the DWARF has it; and there are many.
proven_is_true() {
	layout "$work/dump" >"$work/pack"
	layout "$work/syms" "$work/dump" >"$work/dwarf"
	! grep -qv ' exact ' "$work/dwarf" &&
	    awk '
		NR == FNR { at[$1 " " $4] = $2; next }
		$3 == "proven" { n++; if (at[$1 " " $4] != $2) { print; bad = 1 } }
		END { exit bad || n < 60 }' "$work/dwarf" "$work/pack"
}
commands_may_start() {
	grep -q '^vcpu [0-9a-f]* proven sched_unit$' "$work/pack" &&
	    grep -q '^domain [0-9a-f]* proven page_list$' "$work/pack" &&
	    grep -q '^domain [0-9a-f]* proven tot_pages$' "$work/pack" &&
	    grep -q '^page_info [0-9a-f]* proven count_info$' "$work/pack"
}

says_types() {
	"$mdb" -S -e ::status "$work/dump" 2>/dev/null |
	    grep -q '^types of xpv: \(proven\|refuted in part\) (pack 4.17'
}
says_dwarf() {
	"$mdb" -S -e ::status "$work/syms" "$work/dump" 2>/dev/null |
	    grep -q '^types of xpv: exact (DWARF of '
}
typed_variable() {
	local a b
	a=$("$mdb" -S -e 'xpv`domain_list::print' "$work/dump" 2>&1)
	b=$("$mdb" -S -e 'xpv`domain_list::print' "$work/syms" "$work/dump" 2>&1)
	[ -n "$a" ] && [ "$a" = "$b" ] && [[ $a == 0xffff83* ]]
}
# ::print marks what is not proven; with the debug file nothing is.
prints_marks() {
	local what='*domain_list::print struct xpv`domain domain_id max_pages'
	"$mdb" -S -e "$what" "$work/dump" >"$work/marked" 2>&1
	"$mdb" -S -e "$what" "$work/syms" "$work/dump" >"$work/plain" 2>&1
	grep -q '^domain_id = 0$' "$work/marked" &&
	    grep -q '^max_pages = 0x[0-9a-f]*?$' "$work/marked" &&
	    ! grep -q '?' "$work/plain" &&
	    [ "$(tr -d '?' <"$work/marked")" = "$(cat "$work/plain")" ]
}
# Another hypervisor's symbols are refused by name.
wrong_syms() {
	local at
	at=$(readelf -SW "$work/syms" | awk '$2 == ".note.gnu.build-id" || $3 == ".note.gnu.build-id" {
		for (i = 1; i < NF; i++) if ($i == "NOTE") print $(i + 2) }')
	cp "$work/syms" "$work/other"
	printf '\377' | dd of="$work/other" bs=1 conv=notrunc status=none seek=$((0x$at + 16))
	"$mdb" -S -e ::status "$work/other" "$work/dump" >"$work/out" 2>&1
	grep -q 'build-id' "$work/out" && ! grep -q 'exact (DWARF' "$work/out"
}

for d in xen-panic-kdump xen-run-qemu; do
	rm -f "$work/dump"
	zstd -q -d --long=27 --sparse "$data/$d.elf.zst" -o "$work/dump"
	check "$d-status" says_types
	check "$d-proven-is-true" proven_is_true
	check "$d-commands-may-start" commands_may_start
	check "$d-variable" typed_variable
	check "$d-print" prints_marks
done
check dwarf says_dwarf
check wrong-syms wrong_syms
