#!/bin/bash
# SPDX-License-Identifier: MIT
# Stacks of a real 64-bit Xen, released without frame pointers: against the
# hypervisor's own trace in the console log, into dom0, and the same with the
# call frame information of its debug file.
# Prints `ok NAME`, `not ok NAME`, `skipped NAME: why`.
mdb=$O/bin/mdb
data=../shared/data
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if ! [ -e $data/xen-panic-kdump.elf.zst ]; then
	echo "skipped xenstack: no ../shared/data"
	exit 0
fi

check() {
	local name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}

zstd -qd --long=27 $data/xen-panic-kdump.elf.zst -o "$work/panic" || exit 1
xz -dc $data/xen-syms.xz >"$work/xen-syms" || exit 1
"$mdb" -S "$work/panic" -e '$c' >"$work/c" 2>"$work/err"
"$mdb" -S "$work/panic" -e '$C' >"$work/C" 2>>"$work/err"
"$mdb" -S "$work/panic" -o json -e '$C' >"$work/json" 2>>"$work/err"
"$mdb" -S "$work/panic" -e '::pcpustack -a' >"$work/all" 2>>"$work/err"
"$mdb" -S "$work/xen-syms" "$work/panic" -e '$c' >"$work/cfi" 2>>"$work/err"

# Each line of the trace that Xen marks R is a line of ours, in order.
in_order() {
	local wanted at=0 n=0 line
	while read -r wanted; do
		line=$(grep -nF "$wanted" "$work/c" | cut -d: -f1 |
		    awk -v at=$at '$1 > at { print; exit }')
		[ -n "$line" ] || return 1
		at=$line n=$((n + 1))
	done < <(sed -n '/Xen call trace/,/^(XEN) $/p' $data/xen-panic-kdump.console.log |
	    sed -n 's/.*>\] R \([^/]*\)\/.*/\1/p')
	[ $n -gt 0 ]
}

# What the code of this release says, function by function.
functions() {
	sed -n 's/^xpv`\(.*#\)\{0,1\}\([a-zA-Z_0-9.]*\).*/\2/p' "$1" | tr '\n' ' '
}
whole_chain() {
	[ "$(functions "$1")" = 'kexec_crash_save_cpu kexec_crash panic fatal_trap do_nmi handle_ist_exception self_nmi handle_keypress do_tasklet_work do_tasklet idle_loop continue_running ' ]
}

# The call of kexec_crash_save_cpu is written over: no offset, no address.
returned_frame() {
	grep -qxF 'xpv`kexec_crash() [place lost]' "$work/c" &&
	    grep '"symbol":"kexec_crash"' "$work/json" | grep -qF '"returned":true' &&
	    ! grep '"symbol":"kexec_crash"' "$work/json" | grep -qE '"(pc|offset)":[0-9"]'
}
trap_line() {
	grep -qF -- '--- NMI (vector 2), in the hypervisor ---' "$work/c" &&
	    grep -qF '%rip e008:ffff82d04031cd36  %rsp e010:ffff83003ffd7e20  %rflags 00000206' "$work/c" &&
	    grep -qF '%rbp 0000000000000200' "$work/C"
}
ends_well() { [ -s "$work/c" ] && ! grep -q 'the stack ends here' "$work/c"; }
no_guess() { [ -s "$work/C" ] && ! grep -qF ' ?' "$work/C"; }
other_cpu() {
	grep -qF 'do_nmi_crash() [place lost]' "$work/all" &&
	    grep -qF -- '--- NMI (vector 2) from d0v1, from user mode ---' "$work/all" &&
	    grep -qF '%rip 0033:0000000000401688' "$work/all"
}
same_with_cfi() { [ -s "$work/cfi" ] && diff "$work/c" "$work/cfi"; }

check xenstack-reliable-lines-in-order in_order
check xenstack-whole-chain whole_chain "$work/c"
check xenstack-returned-frame returned_frame
check xenstack-trap-line trap_line
check xenstack-ends-well ends_well
check xenstack-no-guess no_guess
check xenstack-other-cpu other_cpu
check xenstack-same-with-debug-file same_with_cfi
