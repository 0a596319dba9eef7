#!/bin/bash
# SPDX-License-Identifier: MIT
# Take the Xen lab's dumps: boot each hypervisor of the table with its dom0 and
# dump it.  What is there already stays.  Without FULL=1 only the rows marked
# "*".
#
#	[FULL=1] xen-lab.sh CACHE OUT [name...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$1
out=$2
shift 2

# The names end in what take.py calls the dump, or in kdump: then Xen starts a
# crash kernel, whose copy of /proc/vmcore it is.
pvh='--cpu=max,-la57,-smap,-rdtscp'
up="--wait=900,--append=labnospin=1"
guests="--mem=896,$up,--append=labguests=pv"
gone="--mem=1024,$up,--append=labguests=pv,--append=labgone=1"
both="$pvh,--mem=1024,--dom0-mem=352,$up,--append=labguests=pv+pvh"
# name                          hypervisor      mode       options   dumps
table="
- xen-4.17.7-run                4.17.7-stock    run        -         elf
* xen-4.17.7-hypercall          4.17.7-stock    hypercall  -         elf
* xen-4.17.7-hypercall-kdump    4.17.7-stock    hypercall  --kdump   -
- xen-4.17.5-debug-hypercall    4.17.5-debug    hypercall  -         elf
- xen-4.17.5-debug-nmi-kdump    4.17.5-debug    nmi-key    --kdump   -
- xen-4.17.5-release-nmi        4.17.5-release  nmi-idle   -         elf
- xen-4.17.5-option-hypercall   4.17.5-option   hypercall  -         elf
* xen-4.17.5-xdump-hypercall    4.17.5-xdump    hypercall  --xdump=256M elf
* xen-4.17.5-xdump-crypt        4.17.5-xdump    hypercall  --xdump=256M,--xdump-key,--xdump-content=guests,$gone elf
- xen-4.17.5-xdump-guests       4.17.5-xdump    hypercall  --xdump=256M,$gone elf
* xen-4.20.4-hypercall          4.20.4-stock    hypercall  -         elf
* xen-4.20.4-guests             4.20.4-stock    run        $guests   elf
- xen-4.17.5-xdump-ahci         4.17.5-xdump    hypercall  --xdump=256M,--xdump-disk=ahci elf
* xen-4.17.5-xdump-virtio       4.17.5-xdump    hypercall  --xdump=256M,--xdump-disk=virtio,--xdump-partition elf
- xen-4.17.5-xdump-partition    4.17.5-xdump    hypercall  --xdump=256M,--xdump-partition elf
- xen-4.17.5-xdump-serial       4.17.5-xdump    hypercall  --xdump=256M,--xdump-serial elf
- xen-4.17.5-xdump-4096         4.17.5-xdump    hypercall  --xdump=256M,--xdump-sector=4096 elf
- xen-4.17.5-xdump-unregistered 4.17.5-xdump    hypercall  --xdump=256M,--append=labunregistered=1 elf
- xen-4.17.5-xdump-6.12         4.17.5-xdump    hypercall  --xdump=256M,--series=6.12 elf
- xen-4.17.5-xdump-kexec        4.17.5-xdump    hypercall  --xdump=256M,--kdump -
- xen-4.17.5-xdump-spoilt-kexec 4.17.5-xdump    hypercall  --xdump=256M,--kdump,--xdump-spoil,--append=labnospin=1 -
- xen-4.17.5-xdump-intel        4.17.5-xdump    hypercall  --xdump=256M,--iommu=intel elf
- xen-4.17.5-xdump-amd          4.17.5-xdump    hypercall  --xdump=256M,--iommu=amd,--mem=1152 elf
- xen-4.17.5-xdump-watchdog     4.17.5-xdump    watchdog   --xdump=256M elf
* xen-4.17.5-xdump-writes       4.17.5-xdump    writes     --xdump=256M,--xdump-slow elf
- xen-4.17.5-xdump-overflow     4.17.5-xdump    overflow   --xdump=256M elf
- xen-4.17.5-xdump-status       4.17.5-xdump    run        --xdump=16M,--xdump-waiting elf
- xen-4.17.5-xdump-dom0-all     4.17.5-xdump    hypercall  --xdump=256M,--xdump-content=dom0-all elf
- xen-4.17.5-xdump-kdump        4.17.5-xdump    hypercall  --kdump,--makedumpfile -
- xen-4.17.5-xdump-nmi-idle     4.17.5-xdump    nmi-idle   --xdump=256M elf
- xen-4.17.5-xdump-dom0-panic   4.17.5-xdump    dom0-panic --xdump=256M elf
- xen-4.17.5-xdumpdebug-nmi     4.17.5-xdumpdebug nmi-key  --xdump=256M elf
* xen-4.20.3-xdump-hypercall    4.20.3-xdump    hypercall  --xdump=256M elf
- xen-4.20.3-xdumpdebug-nmi-idle 4.20.3-xdumpdebug nmi-idle --xdump=256M elf
- xen-4.17.7-nmi                4.17.7-stock    nmi-key    -         elf
- xen-4.17.7-nmi-kdump          4.17.7-stock    nmi-key    --kdump   -
- xen-4.17.7-nmi-idle           4.17.7-stock    nmi-idle   -         elf
- xen-4.17.7-dom0-panic         4.17.7-stock    dom0-panic -         elf
- xen-4.17.7-dom0-panic-kdump   4.17.7-stock    dom0-panic --kdump   -
- xen-4.17.7-guests             4.17.7-stock    run        $both     elf
- xen-4.17.7-credit             4.17.7-stock    run        --xen-append=sched=credit,$guests  elf
- xen-4.17.5-debug-rt           4.17.5-debug    run        --xen-append=sched=rtds,$guests  elf
- xen-4.17.5-debug-null         4.17.5-debug    run        --xen-append=sched=null,$up  elf
- xen-4.17.5-run                4.17.5-stock    run        -         elf
- xen-4.17.5-hypercall          4.17.5-stock    hypercall  -         elf
- xen-4.17.5-debug-run          4.17.5-debug    run        -         elf
- xen-4.17.5-debug-nmi          4.17.5-debug    nmi-key    -         elf
- xen-4.17.5-debug-nmi-idle     4.17.5-debug    nmi-idle   -         elf
- xen-4.17.5-debug-dom0-panic   4.17.5-debug    dom0-panic -         elf
- xen-4.17.5-debug-hypercall-kdump 4.17.5-debug hypercall  --kdump   -
- xen-4.17.5-release-hypercall-kdump 4.17.5-release hypercall --kdump -
- xen-4.17.5-paging-hypercall   4.17.5-paging   hypercall  -         elf
- xen-4.20.4-run                4.20.4-stock    run        -         elf
- xen-4.20.4-nmi                4.20.4-stock    nmi-key    -         elf
- xen-4.20.4-nmi-kdump          4.20.4-stock    nmi-key    --kdump   -
- xen-4.20.4-hypercall-kdump    4.20.4-stock    hypercall  --kdump   -
- xen-4.20.4-dom0-panic         4.20.4-stock    dom0-panic -         elf
- xen-4.20.3-hypercall          4.20.3-release  hypercall  -         elf
- xen-4.20.3-nmi-kdump          4.20.3-release  nmi-key    --kdump   -
- xen-4.20.3-debug-hypercall    4.20.3-debug    hypercall  -         elf
- xen-4.20.4-sid-hypercall      4.20.4-sid-stock hypercall -         elf
- xen-4.17.7-pvh                4.17.7-stock    run        --pvh,$pvh elf
- xen-4.17.7-pvh-hypercall      4.17.7-stock    hypercall  --pvh,$pvh elf
"

take()
{
	local name=$1 hv=$2 mode=$3 opts=$4 dumps=$5 branch
	[ -e "$out/$name/.done" ] && return
	branch=$(echo "$hv" | cut -d. -f1,2)
	opts=${opts#-}
	opts=${opts:+-$opts}
	[ "$dumps" = - ] && dumps=
	# shellcheck disable=SC2086
	python3 "$here/xen.py" --cache "$cache" --out "$out/$name" \
	    --bin "${BIN:-build/release/bin}" --xen "$cache/xen-$hv/xen" --branch "$branch" ${opts//,--/ --} \
	    "$mode" ${dumps//,/ } || return 1
	touch "$out/$name/.done"
}

mkdir -p "$out"
failed=0
while read -r mark name hv mode opts dumps; do
	[ -n "$name" ] || continue
	if [ $# -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	elif [ "$mark" = - ] && [ -z "${FULL-}" ]; then
		continue
	fi
	[ -e "$cache/xen-$hv/.done" ] || {
		echo "lab: no hypervisor $hv in $cache: make setup-lab"
		failed=1
		continue
	}
	(take "$name" "$hv" "$mode" "$opts" "$dumps") </dev/null || {
		echo "lab: $name fails"
		failed=1
	}
done <<<"$table"
exit $failed
