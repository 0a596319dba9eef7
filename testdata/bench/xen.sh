#!/bin/bash
# Our speed and memory on a dump of a Xen host beside crash's, in one run, as
# ratios of medians.  crash needs the hypervisor's debug file (XEN_SYMS=); what
# it cannot do is said with its own words.  Whole processes, warm files.
#
#	XEN_DUMP=vmcore XEN_SYMS=xen-syms [CRASH=crash] bench/xen.sh
set -u
export LC_ALL=C
O=${O:-build/release}
mdb=$O/bin/mdb
runs=${RUNS:-9}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
dump=${XEN_DUMP-}
syms=${XEN_SYMS-}
crash=${CRASH:-crash}

if [ -z "$dump" ] && [ -r ../shared/data/xen-panic-kdump.elf.zst ]; then
	dump=$work/vmcore
	zstd -q -d --long=27 --sparse ../shared/data/xen-panic-kdump.elf.zst -o "$dump" || exit 1
	[ -n "$syms" ] || { xz -dc ../shared/data/xen-syms.xz >"$work/xen-syms" && syms=$work/xen-syms; }
fi
[ -r "$dump" ] || { echo "bench: no dump of a Xen host: name one with XEN_DUMP="; exit 0; }

measure()
{
	local i
	"$@" >/dev/null 2>&1 </dev/null
	for ((i = 0; i < runs; i++)); do
		python3 - "$@" <<'P'
import os, sys, time
t = time.perf_counter()
pid = os.fork()
if pid == 0:
    n = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(n, fd)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, ru = os.wait4(pid, 0)
print(f"{time.perf_counter() - t:.6f} {ru.ru_maxrss}")
P
	done | sort -n | awk '{t[NR] = $1; m = $2 > m ? $2 : m} END {print t[int((NR + 1) / 2)], m}'
}

row()
{
	printf '%-44s %9.1f ms %8.1f MiB\n' "$1" "$(echo "$2" | awk '{print $1 * 1000}')" "$(echo "$2" | awk '{print $2 / 1024}')"
}

ratio()
{
	awk -v a="$2" -v b="$3" -v n="$1" 'BEGIN {split(a, x, " "); split(b, y, " "); printf "%-44s %9.1f times faster, %.1f times less memory\n", n, y[1] / x[1], y[2] / x[2]}'
}

echo "dump: $(basename "$dump") ($(stat -c %s "$dump") bytes), medians of $runs runs"
open=$(measure "$mdb" -S -e '::status; $C' "$dump")
row "mdb: open, ::status, \$C through both worlds" "$open"
doms=$(measure "$mdb" -S -e '::domain; ::vcpu; ::pcpu; ::xenmsg' "$dump")
row "mdb: ::domain, ::vcpu, ::pcpu, ::xenmsg" "$doms"
row "mdb: ::pcpustack -a" "$(measure "$mdb" -S -e '::pcpustack -a' "$dump")"
row "mdb: ::ps of dom0" "$(measure "$mdb" -S -e '::ps' "$dump")"
row "mdb: ::xenpage -s (every frame)" "$(measure "$mdb" -S -e '::xenpage -s' "$dump")"

if ! command -v "$crash" >/dev/null; then
	echo "crash: not installed, not measured"
elif [ ! -r "$syms" ]; then
	echo "crash: not measured: no xen-syms of this hypervisor (XEN_SYMS=)"
else
	printf 'doms\nvcpus\npcpus\nlog\nbt\nquit\n' >"$work/in"
	timeout 120 "$crash" -s -i "$work/in" "$syms" "$dump" >"$work/out" 2>&1 </dev/null
	echo "crash: exit status $?; its last words: $(tail -1 "$work/out" | cut -c 1-100)"
	runs=3
	c=$(measure timeout 120 "$crash" -s -i "$work/in" "$syms" "$dump")
	row "crash: open, doms, vcpus, pcpus, log, bt" "$c"
	ratio "  mdb beside crash" "$doms" "$c"
fi
