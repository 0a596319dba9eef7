#!/bin/bash
# SPDX-License-Identifier: MIT
# The hypervisor's module on real Xen dumps, against what their hypervisors
# said on the console: its log, versions, domains, processors, run queues,
# timers; and the shape of each command.
# Prints `ok NAME`, `not ok NAME`, `skipped NAME: why`.
set -u
mdb=$O/bin/mdb
data=../shared/data
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if [ ! -e $data/xen-panic-kdump.elf.zst ] || ! command -v zstd >/dev/null; then
	echo "skipped xpv: no $data"
	exit 0
fi
xz -dc $data/xen-syms.xz >"$work/syms"

check() {
	local name=$1
	shift
	if "$@"; then echo "ok xpv-$name"; else echo "not ok xpv-$name"; fi
}

# Which dump is asked: `use NAME`.
use() {
	rm -f "$work/dump"
	zstd -q -d --long=27 --sparse "$data/$1.elf.zst" -o "$work/dump"
	tr -d '\r' <"$data/$1.console.log" | grep -a '^(XEN)' >"$work/log"
}
ask() { "$mdb" -S -e "$1" "$work/syms" "$work/dump" 2>"$work/err"; }
json() { "$mdb" -S -o json -e "$1" "$work/syms" "$work/dump" 2>"$work/err"; }
# What stands after a pattern in the log.
logged() { sed -n "s/.*$1.*/\\1/p" "$work/log" | head -1; }

version() {
	local first date
	first=$(head -1 "$work/log")
	date=${first##*debug=? }
	ask xenver::print >"$work/out"
	grep -qF "\"$(logged 'Xen version \([^ ]*\)')\"" "$work/out" &&
	    grep -qF "\"$date\"" "$work/out" &&
	    grep -qF 'xen-3.0-x86_64 hvm-3.0-x86_32 ' "$work/out"
}

# The ring had not wrapped: it begins as the console does.  A serial line loses
# and repeats characters now and then; lines are enough that most are the same.
messages() {
	local total same
	ask ::xenmsg | sed 1d >"$work/ring"
	total=$(wc -l <"$work/ring")
	same=$(head -"$total" "$work/log" | diff - "$work/ring" | grep -c '^>')
	[ "$total" -gt 100 ] && [ "$same" -le $((total / 20)) ]
}
panic_is_in_the_ring() {
	ask ::xenmsg | grep -qx '(XEN) Panic on CPU 0:' &&
	    ask ::xenmsg | tail -1 | grep -q 'Shot down all CPUs'
}

domain_memory() {
	[ "$(json ::domain | python3 -c '
import json, sys
for line in sys.stdin:
	d = json.loads(line)
	if d["id"] == 0:
		print(int(d["tot_pages"], 16), int(d["max_pages"], 16), d["type"],
		    d["vcpus"])
')" = "131072 131072 PV $(logged 'Dom0 has maximum \([0-9]*\) VCPUs')" ]
}

processors() {
	[ "$(json ::pcpu | wc -l)" = "$(logged 'Brought up \([0-9]*\) CPUs')" ]
}
processors_idle() { ! ask ::pcpu | sed 1d | grep -v ' idle '; }
scheduler() {
	ask ::xensched | grep -qF "$(logged 'Using scheduler: \(.*\)')"
}
# Which vcpus run: the same by the scheduler, by the processors, by the vcpus.
running() {
	json ::xensched | python3 -c '
import json, sys
for line in sys.stdin:
	for u in json.loads(line)["units"]:
		if u["place"] == "running":
			print(u["vcpu"])
' | sort >"$work/1"
	json ::pcpu | sed 's/.*"vcpu":"\([^"]*\)".*/\1/' | sort >"$work/2"
	[ -s "$work/1" ] && diff "$work/1" "$work/2"
}

# Those that every processor of a running system has, or its first one.
timers() {
	ask ::xentimers >"$work/out"
	grep -q 'time_calibration$' "$work/out" &&
	    grep -q 'plt_overflow$' "$work/out" &&
	    grep -q 'vcpu_singleshot_timer_fn$' "$work/out" &&
	    [ ! -s "$work/err" ]
}
# A timer of a vcpu is in that vcpu and is given it.
timers_of_vcpus() {
	ask ::xentimers | awk '/vcpu_singleshot_timer_fn$/ { print $7, $1 }' >"$work/out"
	[ -s "$work/out" ] || return 1
	while read -r vcpu timer; do
		[ "$(ask "$vcpu::print -a struct vcpu singleshot_timer.expires" | cut -d' ' -f1)" = "$timer" ] || return 1
	done <"$work/out"
}
rcu() { ask ::rcu | grep -q '^batch -[0-9]* is done' && [ ! -s "$work/err" ]; }

# The panic was in the handler of an NMI that hit the idle loop.
panic_stack() {
	ask ::pcpustack | awk '/^  [0-9a-f]/ { print $2 }' >"$work/out"
	grep -q 'xpv`panic+' "$work/out" && grep -q 'xpv`fatal_trap+' "$work/out" &&
	    grep -q 'idle_loop+' "$work/out"
}
all_stacks() { [ "$(ask '::pcpustack -a' | grep -c '^ CPU VCPU')" = 2 ]; }

registers() {
	ask '::walk vcpu | ::xenregs -p' >"$work/out"
	[ "$(grep -c '^%rip = ' "$work/out")" = 2 ] && [ ! -s "$work/err" ]
}
# A code address is no set of registers.
no_registers() { ! ask 'xpv`panic::xenregs' >/dev/null && grep -q 'no registers' "$work/err"; }

all_json() {
	local c
	for c in ::domain '::domain -v' ::vcpu '::vcpu -v' ::pcpu ::xensched '::xensched -v' \
	    ::xentimers '::xentimers -v' ::rcu ::xenmsg '::pcpustack -a' '0t35::hypercall'; do
		json "$c" >"$work/out"
		[ -s "$work/out" ] && python3 -c '
import json, sys
for line in open(sys.argv[1]):
	json.loads(line)
' "$work/out" || { echo "# $c"; return 1; }
	done
}

use xen-run-qemu
check run-version version
check run-messages messages
check run-domain-memory domain_memory
check run-processors processors
check run-processors-idle processors_idle
check run-scheduler scheduler
check run-running running
check run-timers timers
check run-timers-of-vcpus timers_of_vcpus
check run-rcu rcu
check run-registers registers
check run-json all_json

use xen-panic-kdump
check panic-version version
check panic-messages messages
check panic-in-the-ring panic_is_in_the_ring
check panic-domain-memory domain_memory
check panic-processors processors
check panic-scheduler scheduler
check panic-running running
check panic-timers timers
check panic-rcu rcu
check panic-stack panic_stack
check panic-all-stacks all_stacks
check panic-no-registers no_registers
check panic-json all_json
