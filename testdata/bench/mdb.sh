#!/bin/bash
# Our speed and memory beside the peers', in one run, as ratios of medians.
# Peers (crash, drgn) are measured where they and a debug vmlinux are there;
# what cannot be measured is said.  Times are whole processes, warm files.
set -u
export LC_ALL=C
O=${O:-build/release}
mdb=$O/bin/mdb
dump=${DUMP:-../shared/data/linux-kdump.lzo}
runs=${RUNS:-9}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# median seconds and peak KiB of a command
measure() {
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

row() {
	printf '%-44s %9.1f ms %8.1f MiB\n' "$1" "$(echo "$2" | awk '{print $1 * 1000}')" "$(echo "$2" | awk '{print $2 / 1024}')"
}

ratio() {
	awk -v a="$2" -v b="$3" -v n="$1" 'BEGIN {split(a, x, " "); split(b, y, " "); printf "%-44s %9.1f times faster, %.1f times less memory\n", n, y[1] / x[1], y[2] / x[2]}'
}

[ -r "$dump" ] || { echo "bench: no dump: name one with DUMP="; exit 1; }
echo "dump: $dump ($(stat -c %s "$dump") bytes), medians of $runs runs"
first=$(measure "$mdb" -S -e '::status; $C' "$dump")
row "mdb: open, ::status, \$C" "$first"
"$mdb" -S --stats -e '::status; $C' "$dump" 2>&1 >/dev/null | sed 's/^/    /'
threads=$(measure "$mdb" -S -e '::threadlist -v' "$dump")
row "mdb: ::threadlist -v" "$threads"
ps=$(measure "$mdb" -S -e '::ps' "$dump")
row "mdb: ::ps" "$ps"
nm=$(measure "$mdb" -S -e '::nm' "$dump")
row "mdb: ::nm (every symbol)" "$nm"

release=$("$mdb" -S -e '::status' "$dump" 2>/dev/null | sed -n 's/^operating system: \([^ ]*\).*/\1/p')
vmlinux=${VMLINUX:-/usr/lib/debug/boot/vmlinux-$release}
if [ ! -r "$vmlinux" ]; then
	echo "peers: not measured: no debug vmlinux for $release (install linux-image-$release-dbg, or name one with VMLINUX=)"
else
	if python3 -c 'import drgn' 2>/dev/null || /usr/bin/python3 -c 'import drgn' 2>/dev/null; then
		cat >"$work/open.py" <<'P'
import sys, drgn
from drgn.helpers.linux.panic import panic_message
P
		cat >"$work/open.py" <<'P'
from drgn.helpers.linux.pid import find_task
from drgn.helpers.linux.percpu import per_cpu
import drgn
print(prog["init_uts_ns"].name.release.string_())
print(prog.crashed_thread().stack_trace())
P
		cat >"$work/threads.py" <<'P'
for t in prog.threads():
    try:
        print(t.tid, t.object.comm.string_()); print(t.stack_trace())
    except (ValueError, LookupError) as e:
        print(e)
P
		drgn="/usr/bin/python3 -m drgn.cli -q -c $dump -s $vmlinux"
		command -v drgn >/dev/null && drgn="drgn -q -c $dump -s $vmlinux"
		# shellcheck disable=SC2086
		d=$(measure $drgn "$work/open.py")
		row "drgn: open, release, panic stack" "$d"
		ratio "  mdb beside drgn" "$first" "$d"
		# shellcheck disable=SC2086
		d=$(measure $drgn "$work/threads.py")
		row "drgn: every thread's stack" "$d"
		ratio "  mdb ::threadlist -v beside drgn" "$threads" "$d"
	else
		echo "drgn: not installed, not measured"
	fi
	if command -v crash >/dev/null; then
		printf 'sys\nbt\nquit\n' >"$work/crash.in"
		runs=3
		c=$(measure crash -s -i "$work/crash.in" "$vmlinux" "$dump")
		row "crash: open, sys, bt" "$c"
		ratio "  mdb beside crash" "$first" "$c"
	else
		echo "crash: not installed, not measured"
	fi
fi

# A machine of 1 TiB: the same kernel, the rest of its memory not there.
grown() {
	local kind=$1 in=$2 small big
	"$O/bin/mkdump" --grow 0x10000000000 "$in" "$work/big" || return
	small=$(measure "$mdb" -S -e '::status; $C' "$in")
	big=$(measure "$mdb" -S -e '::status; $C' "$work/big")
	rm -f "$work/big"
	row "mdb: $kind, as it is" "$small"
	row "mdb: $kind, grown to 1 TiB" "$big"
	awk -v a="$small" -v b="$big" 'BEGIN {split(a, x, " "); split(b, y, " "); printf "%-44s %9.2f times the time, %+.1f ms, %.2f times the memory\n", "  grown beside as it is", y[1] / x[1], (y[1] - x[1]) * 1000, y[2] / x[2]}'
}
case $(head -c 4 "$dump") in
?ELF) grown ELF "$dump" ;;
*)
	grown "compressed kdump" "$dump"
	echo "ELF: not measured: name an ELF dump with DUMP="
	;;
esac
