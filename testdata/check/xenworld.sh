#!/bin/bash
# SPDX-License-Identifier: MIT
# The worlds of real Xen dumps, with nothing but the dump, against the serial
# console: which hypervisor, whether it panicked and where, domain 0's kernel,
# where its virtual CPUs were, frames; then what is left when page tables are
# destroyed or the file is cut.
# Prints `ok NAME`, `not ok NAME`, `skipped NAME: why`.
set -u
mdb=$O/bin/mdb
data=../shared/data
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if [ ! -e $data/xen-panic-kdump.elf.zst ] || ! command -v zstd >/dev/null; then
	echo "skipped xenworld: no $data"
	exit 0
fi

check() {
	local name=$1
	shift
	if "$@"; then echo "ok xenworld-$name"; else echo "not ok xenworld-$name"; fi
}

# Which dump is asked: `use NAME`.
use() {
	rm -f "$work/dump"
	zstd -q -d --long=27 --sparse "$data/$1.elf.zst" -o "$work/dump"
	tr -d '\r' <"$data/$1.console.log" >"$work/log"
}
ask() { "$mdb" -S -e "$1" "$work/dump" 2>"$work/err"; }
# What stands after a pattern in the log.
logged() { sed -n "s/.*$1.*/\\1/p" "$work/log" | head -1; }

# status KEY: what ::status says of it.
status() { ask ::status | sed -n "s/^$1: //p"; }

which_hypervisor() {
	local version id
	version=$(logged '(XEN) Xen version \([^ ]*\)')
	id=$(logged '(XEN) build-id: \([0-9a-f]*\)')
	status hypervisor | grep -q "^Xen $version.*build-id $id$"
}
which_kernel() {
	status 'operating system' | grep -qF "$(logged 'Linux version \([^ ]*\)') "
}
worlds_are_both() { [ "$(status worlds)" = "linux (current), xpv" ]; }
hypervisor_panicked() {
	local cpu why
	cpu=$(logged '(XEN) Panic on CPU \([0-9]*\):')
	why=$(grep -a -A1 '(XEN) Panic on CPU' "$work/log" | sed -n '2s/(XEN) //p')
	[ "$(status 'panic message')" = "$why" ] &&
	    status panicked | grep -q "^CPU $cpu in the hypervisor, idle$" &&
	    status 'physical CPUs' | grep -q "CPU $cpu panicked" &&
	    ask "\$c" | head -1 | grep -q '^xpv`kexec_crash_save_cpu'
}
nobody_panicked() {
	[ "$(status 'panic message')" = "(none)" ] && [ -z "$(status panicked)" ] &&
	    ask ::status | head -1 | grep -q '^debugging dump '
}
processes() {
	[ "$(ask ::ps | grep -cE ' (lab-main|systemd|swapper/0|init)$')" -ge 2 ] &&
	    ask ::ps | grep -q ' kthreadd$'
}
is_listed_as_module() {
	ask ::modinfo | tail -1 | grep -q ' xpv *(hypervisor)' &&
	    ask ::objects | tail -1 | grep -q ' xpv$'
}

# Key 0 shows domain 0's registers; an idle one comes back to the same place.
virtual_registers() {
	local n ip sp
	for n in 0 1; do
		sed -n "/Dumping Dom0 vcpu#$n/,/r8:/p" "$work/log" >"$work/key"
		ip=$(sed -n 's/.*RIP: *e033:\[<\(f*[0-9a-f]*\)>.*/\1/p' "$work/key")
		sp=$(sed -n 's/.*rsp: \([0-9a-f]*\).*/\1/p' "$work/key")
		[ -n "$ip" ] && [ -n "$sp" ] || return 1
		ask "${n}::cpuregs" >"$work/regs"
		grep -q "^%rip = 0x$ip " "$work/regs" &&
		    grep -q "^%rsp = 0x$sp " "$work/regs" || return 1
	done
}
# Key d shows those of the physical ones: where it was, on which stack.
physical_processors() {
	local n sp at
	for n in 0 1; do
		sp=$(sed -n "/Dumping CPU$n host state/,/rsp:/s/.*rsp: \([0-9a-f]*\).*/\1/p" \
		    "$work/log" | head -1)
		at=$(sed -n "/Dumping CPU$n host state/,/rsp:/s/.*RIP: .*\] \([^ /]*\/.*+0x[0-9a-f]*\)\/.*/\1/p" \
		    "$work/log" | head -1)
		[ -n "$sp" ] && [ -n "$at" ] || return 1
		sp=$(printf %x $((16#$sp & ~16#7fff)))
		ask "${n}::pcpustack" >"$work/out"
		grep -q " $n .* $sp primary" "$work/out" &&
		    grep -qF "xpv\`$at()" "$work/out" || return 1
	done
}

frames() {
	local virtual pseudo
	virtual=$(ask 'init_task=J' | tr -d ' ')
	ask 'init_task::vtop -v' >"$work/out"
	pseudo=$(sed -n 's/^which is pseudo-physical \([0-9a-f]*\) of domain 0$/\1/p' "$work/out")
	# the kernel's text map begins at ffffffff80000000
	[ $((16#$pseudo)) -eq $((16#$virtual - 16#ffffffff80000000)) ] &&
	    grep -q "in the domain's own table, too$" "$work/out"
}

# zero ADDR...: the pages at these machine addresses become zeros.
zero() {
	python3 - "$work/dump" "$@" <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as f:
    f.seek(32)
    phoff, = struct.unpack("<Q", f.read(8))
    f.seek(54)
    size, count = struct.unpack("<HH", f.read(4))
    for addr in (int(a, 16) for a in sys.argv[2:]):
        for i in range(count):
            f.seek(phoff + i * size)
            kind, _, off, _, start, length = struct.unpack("<IIQQQQ", f.read(40))
            if kind == 1 and start <= addr < start + length:
                f.seek(off + addr - start)
                f.write(bytes(4096))
                break
        else:
            sys.exit("no page at %x" % addr)
END
}
# Machine addresses of the tables on the way to an address: `tables ADDR`.
tables() { ask "$1::vtop -v" | awk '/^ *p.*e  /{print substr($2, 1, 13) "000"}'; }

hypervisor_outlives_domain() {
	zero "$(tables init_task | sed -n 2p)" &&
	    [ "$(status worlds)" = "xpv (current)" ] &&
	    grep -q 'the kernel of domain 0 is lost' "$work/err" &&
	    [ "$(status 'panic message')" = "FATAL TRAP: vec 2, NMI[0000]" ]
}
# Its tables and the first page of its image, by which it is found without.
domain_outlives_hypervisor() {
	local text
	text=$(ask 0xffff82d040200000::vtop | sed -n 's/.* mapped to physical \([0-9a-f]*\)$/\1/p')
	# shellcheck disable=SC2046
	[ -n "$text" ] && zero $(tables 'xpv`panic' | sed 1d) "$text" &&
	    [ "$(status worlds)" = "linux (current)" ] &&
	    grep -q 'the hypervisor is lost' "$work/err" && processes &&
	    ask 0::cpuregs | grep -q . && return 1
	grep -q 'does not tell where virtual CPU 0 was' "$work/err"
}
cut_anywhere() {
	local len
	for len in 868M 700M 400M 100M 1M 3K; do
		truncate -s "$len" "$work/dump"
		timeout 60 "$mdb" -S -e '::status' "$work/dump" >"$work/out" 2>&1
		[ $? -le 2 ] && [ -s "$work/out" ] || return 1
	done
}

use xen-panic-kdump
check kdump-hypervisor which_hypervisor
check kdump-kernel which_kernel
check kdump-worlds worlds_are_both
check kdump-panic hypervisor_panicked
check kdump-processes processes
check kdump-modinfo is_listed_as_module
check kdump-frames frames
check kdump-domain-lost hypervisor_outlives_domain
check kdump-cut cut_anywhere
use xen-run-qemu
check qemu-hypervisor which_hypervisor
check qemu-kernel which_kernel
check qemu-worlds worlds_are_both
check qemu-no-panic nobody_panicked
check qemu-processes processes
check qemu-virtual-registers virtual_registers
check qemu-physical-processors physical_processors
check qemu-frames frames
check qemu-hypervisor-lost domain_outlives_hypervisor
