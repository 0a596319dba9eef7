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

# Every command of the module, with and without -v, and every example of its help:
# it does what it says, and its JSON has no key twice.
all_commands() {
	MDB=$mdb python3 - "$work/syms" "$work/dump" <<-'EOF'
	import json, os, subprocess, sys

	def run(command, *options):
	    r = subprocess.run([os.environ["MDB"], "-S", *options, "-e", command,
	        *sys.argv[1:]], capture_output=True, text=True, errors="replace")
	    return r.returncode, r.stdout, r.stderr

	def once(pairs):
	    keys = [k for k, v in pairs]
	    assert len(keys) == len(set(keys)), "a key twice: %s" % keys
	    return dict(pairs)

	def examples(name):
	    text = run("::help " + name)[1].split("EXAMPLES")[1].split("ATTRIBUTES")[0]
	    return [l.strip() for l in text.splitlines() if l.startswith("  ")
	        and not l.startswith("      ")]

	names = [d["name"] for d in map(json.loads, run("::dcmds", "-o",
	    "json")[1].splitlines()) if d["module"] == "xpv"]
	assert len(names) >= 20, names
	bad = 0
	for name in names:
	    own = examples(name)
	    assert own, name
	    options = run("::help " + name)[1]
	    commands = own + (["::%s -v" % name] if "\n  -v " in options else [])
	    for c in commands:
	        status, out, err = run(c)
	        if c in own and status != 0:
	            print("# %s: %s" % (c, err)); bad += 1
	        try:
	            for line in run(c, "-o", "json")[1].splitlines():
	                json.loads(line, object_pairs_hook=once)
	        except (AssertionError, ValueError) as e:
	            print("# %s: %s" % (c, e)); bad += 1
	sys.exit(bad != 0)
	EOF
}

# How long a vcpu is in its state: the same by the vcpus and by the scheduler.
ages() {
	json ::vcpu >"$work/1"
	json '::xensched -v' >"$work/2"
	python3 - "$work/1" "$work/2" <<-'EOF'
	import json, sys
	rows = [json.loads(l) for l in open(sys.argv[1])]
	units = [u for l in open(sys.argv[2]) for u in json.loads(l)["units"]]
	ages = {u["vcpu"]: u["for_ns"] for u in units}
	sys.exit(not rows or any(ages[r["addr"]] != r["for_ns"] for r in rows))
	EOF
}
# Each processor whole: on the stack that ::pcpustack says, with the timers that
# ::xentimers lists and tables of its own.
pcpus_whole() {
	json '::pcpu -v' >"$work/1"
	json ::xentimers >"$work/2"
	json '::pcpustack -a' >"$work/3"
	python3 - "$work/1" "$work/2" "$work/3" <<-'EOF'
	import json, sys
	cpus, = map(json.loads, open(sys.argv[1]))
	timers = [json.loads(l) for l in open(sys.argv[2])]
	stacks = [json.loads(l) for l in open(sys.argv[3])]
	assert len(cpus) == 2
	for s in stacks:
	    c = cpus["cpu %d" % s["cpu"]]
	    assert c["vcpu"] == s["vcpu"], c
	    assert c["apic_id"] == s["cpu"], c
	    assert c["stack"]["in_use"].startswith(s["on"] + ", from "), c
	    assert c["registers"]["rip"] == s["stack"][0]["pc"], c
	    assert c["timers"]["set"] == len([t for t in timers
	        if t["cpu"] == s["cpu"]]), c
	    assert c["tss"] and c["gdt"] and c["idt"], c
	    assert int(c["tss"], 16) - 64 == int(c["percpu_area"], 16), c
	EOF
}
# The devices that domain 0's kernel found.
devices() {
	sed -n 's/.* pci \(0000:[0-9a-f:.]*\): \[.*type.*/\1/p' \
	    "$data/xen-run-qemu.console.log" | sort -u >"$work/1"
	ask '::iommu -v -d 0' | sed -n 's/^ *\(0000:[0-9a-f:.]*\) = .*/\1/p' | sort >"$work/2"
	[ -s "$work/1" ] && diff "$work/1" "$work/2"
}
# Without the debug file's types: what one command marks, the other does, too.
same_mark() {
	"$mdb" -S -e '::domain -d 0' "$work/dump" >"$work/1"
	"$mdb" -S -e '::domain -v -d 0' "$work/dump" >"$work/2"
	grep -q '?$' "$work/2" &&
	    [ "$(awk 'NR == 2 { print $9 }' "$work/1")" = "$(sed -n 's/^ *type = //p' "$work/2")" ] &&
	    "$mdb" -S -o json -e '::domain -v -d 0' "$work/dump" | python3 -c '
import json, sys
d = json.load(sys.stdin)["domain 0"]
marked = {l.split(" = ")[0].strip() for l in open(sys.argv[1]) if l.endswith("?\n")}
sys.exit(set(d["unproven"]) != marked)
' "$work/2"
}
# nm of the debug file has it without a size.
no_made_up_size() {
	"$mdb" -S -e '::nm -f sz,type,name xpv' "$work/dump" | grep -q '^0x0*|NOTY |__image_base__$'
}
odd_names() {
	! ask 'arch/x86/domain.c#idle_loop::dis' >/dev/null &&
	    grep -qF 'must be quoted: "arch/x86/domain.c#idle_loop"' "$work/err" &&
	    ask '::dis "arch/x86/domain.c#idle_loop"' | grep -q 'idle_loop' &&
	    ask '"arch/x86/domain.c#idle_loop"::dis' | grep -q 'idle_loop'
}
json_strings() {
	json xenver::print | grep -qF "\"*xv_ver\":\"$(logged 'Xen version \([^ ]*\)')\""
}
ids_are_no_addresses() {
	! ask 0::domain >/dev/null && grep -q ' option -d 0t0 means the domain ' "$work/err"
}
# Without the module the rest works, and it is said what is missing and where.
missing_module() {
	mkdir -p "$work/bin" "$work/modules"
	cp "$mdb" "$work/bin/mdb"
	cp "$O/modules/kernel.so" "$work/modules/"
	"$work/bin/mdb" -S -e '::status; ::ps' "$work/dump" >"$work/out" 2>"$work/err"
	[ "$(grep -c 'there is no xpv.so in ' "$work/err")" = 1 ] &&
	    grep -qF "$work/modules" "$work/err" && grep -q '^hypervisor: ' "$work/out" &&
	    grep -q 'swapper\|init' "$work/out"
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
check run-commands all_commands
check run-ages ages
check run-pcpus-whole pcpus_whole
check run-devices devices
check run-same-mark same_mark
check run-odd-names odd_names
check run-json-strings json_strings
check run-no-made-up-size no_made_up_size
check run-ids-are-no-addresses ids_are_no_addresses
check run-missing-module missing_module

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
check panic-commands all_commands
check panic-ages ages
check panic-pcpus-whole pcpus_whole
