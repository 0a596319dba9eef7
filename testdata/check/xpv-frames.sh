#!/bin/bash
# SPDX-License-Identifier: MIT
# Frames, event channels, grants, interrupts and the heap of real Xen dumps,
# against what their hypervisors said on the console (keys e, g, i, q, H), and
# against each other.
# Prints `ok NAME`, `not ok NAME`, `skipped NAME: why`.
set -u
mdb=$O/bin/mdb
data=../shared/data
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if [ ! -e $data/xen-run-qemu.elf.zst ] || ! command -v zstd >/dev/null; then
	echo "skipped xpv-frames: no $data"
	exit 0
fi
xz -dc $data/xen-syms.xz >"$work/syms"

check() {
	local name=$1
	shift
	if "$@"; then echo "ok xpv-frames-$name"; else echo "not ok xpv-frames-$name"; fi
}
use() {
	rm -f "$work/dump"
	zstd -q -d --long=27 --sparse "$data/$1.elf.zst" -o "$work/dump"
	tr -d '\r' <"$data/$1.console.log" | grep -a '(XEN' >"$work/log"
}
json() { "$mdb" -S -o json -e "$1" "$work/syms" "$work/dump" 2>"$work/err"; }
ask() { "$mdb" -S -e "$1" "$work/syms" "$work/dump" 2>"$work/err"; }
# What the console says is compared by a program of python; a serial line loses
# and repeats a character now and then: it may leave out lines, and only those.
compare() { python3 -c "
import json, re, sys
log = open('$work/log', errors='replace').read().splitlines()
rows = [json.loads(line) for line in sys.stdin]
$1
"; }

channels() {
	json '::evtchn -d 0' | compare '
said = {}
for line in log:
	m = re.match(r"^\(XEN\) +(\d+) \[(\d)/(\d)/ +- +\]: s=(\d) n=(\d+) x=(\d)(.*)$", line)
	if m:
		said[int(m[1])] = m
states = "free reserved unbound interdomain pirq virq ipi".split()
good = 0
for r in rows:
	m = said.get(r["port"])
	if not m:
		continue
	assert [r["pending"], r["masked"], r["vcpu"]] == [m[2] == "1", m[3] == "1", int(m[5])], r
	assert r["state"] == states[int(m[4])], r
	for key, name in (("v", "virq"), ("p", "pirq"), ("i", "irq"), ("d", "remote_domain")):
		n = re.search(r" %s=(\d+)" % key, m[7])
		if n:
			assert r[name] == int(n[1]), (r, name)
	good += 1
assert len(rows) == 20 and good >= 16, (len(rows), good)'
}

interrupts() {
	json ::xenirq | compare '
good = 0
for r in rows:
	for line in log:
		m = re.match(r"^\(XEN\) +IRQ: +(\d+) vec:(\w\w) (\S+) +status=(\w{3}) aff:\{([^}]*)\}/\{([^}]*)\} (.*)$", line)
		if not m or int(m[1]) != r["irq"]:
			continue
		assert int(r["vector"], 16) == int(m[2], 16) and r["type"] == m[3], r
		assert int(r["raw_status"], 16) == int(m[4], 16), r
		assert [r["affinity"], r["cpus"]] == [m[5], m[6]], r
		g = re.match(r"in-flight=(\d+) d(\d+): *(\d+)\(", m[7])
		if g:
			assert r["in_flight"] == int(g[1]), r
			assert r["action"].startswith("d%s pirq %s (port " % (g[2], g[3])), r
		elif m[7].endswith("()"):
			assert r["action"].endswith(m[7][:-2].split("#")[-1]), r
		good += 1
assert len(rows) == 15 and good >= 12, (len(rows), good)'
}

heap() {
	json ::xenheap | compare '
zones = {r["zone"]: r for r in rows if r["zone"] is not None}
good = 0
for line in log:
	m = re.match(r"^\(XEN\) heap\[node=0\]\[zone=(\d+)\] -> (\d+) pages$", line)
	if m:
		z = zones.get(int(m[1]))
		assert (z["frames"] if z else 0) == int(m[2]), line
		good += 1
assert good > 30, good
for r in rows:
	assert r["frames"] == r["counter"], r'
}

# Pages that the hypervisor shares with domain 0, by key q.
shared_pages() {
	grep -c '(XEN) *XenPage 0' "$work/log" | grep -qx 2 || return 1
	sed -n 's/.*XenPage 0*\([0-9a-f]*\): caf=\([0-9a-f]*\), taf=\([0-9a-f]*\).*/\1 \2 \3/p' "$work/log" |
	    while read -r mfn caf taf; do
		json "$mfn::xenpage" | compare "
assert rows[0]['owner'] == 'd0' and 'xen-heap' in rows[0]['flags']
assert [int(rows[0][k], 16) for k in ('mfn', 'count_info', 'type_info')] == \
    [0x$mfn, 0x$caf, 0x$taf], rows" || exit 1
	done
}

# The frame table, the free lists and the domain itself count alike.
sums() {
	json '::xenpage -s; ::xenheap; ::domain -d 0' | compare '
s = {(r["owner"], r["type"]): r["frames"] for r in rows if "owner" in r}
heap = [r for r in rows if r.get("node") == "all"][0]
tot = [int(r["tot_pages"], 16) for r in rows if "tot_pages" in r][0]
assert s[(None, "free")] == heap["frames"] == heap["counter"]
assert s[("d0", "total")] - s[("d0", "xen-heap")] == tot
assert sum(n for (o, t), n in s.items() if t == "total" and o != "all") == s[("all", "total")]' &&
	    [ ! -s "$work/err" ]
}

# Every frame of the guest that is RAM is the domain's, and leads back.
translations() {
	json '::p2m -d 0' | compare '
ram = sum(r["count"] for r in rows if r["type"] == "ram")
assert ram == 131072, ram' &&
	    json '::p2m -d 0 | ::head 400 | ::pfn2mfn -d 0' | compare '
ram = [r for r in rows if r["type"] == "ram"]
assert len(ram) > 20 and all(r["check"] == "agrees" for r in ram)' &&
	    json '::p2m -d 0 | ::head 400 | ::pfn2mfn -d 0 | ::mfn2pfn' | compare '
mine = [r for r in rows if r["owner"] == "d0"]
assert len(mine) > 20 and all(r["check"] == "agrees" for r in mine)'
}

grants() { ask '::gnttab -s' | grep -Eq ' d0 +1 +1 +64 +0 +1024 +0 +0 +0$'; }

whatis() {
	ask '::walk domain | ::whatis' | grep -q ' in the struct domain of d0$' &&
	    ask '::walk vcpu | ::whatis' | grep -q ' in the struct vcpu of d0v1$' &&
	    ask '::walk domain | ::walk xenpage | ::head 1 | ::whatis' | grep -q 'the struct page_info of machine frame .* of d0'
}

# Every line of each is JSON, and nothing is said on the side.
all_json() {
	json '::evtchn -v; ::gnttab; ::gnttab -m; ::gnttab -s; ::xenirq -v; ::xenheap -v; ::iommu; 100::xenpage -v' |
	    compare 'assert len(rows) > 40' && [ ! -s "$work/err" ]
}

common() {
	check "$1-sums" sums
	check "$1-translations" translations
	check "$1-grants" grants
	check "$1-whatis" whatis
	check "$1-json" all_json
}

use xen-run-qemu
check run-channels channels
check run-interrupts interrupts
check run-heap heap
check run-shared-pages shared_pages
common run

use xen-panic-kdump
common panic
