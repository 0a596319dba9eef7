#!/bin/bash
# The writer, the native format and savecore beside makedumpfile on the same
# pages, in one run.  What cannot be measured is said.
#   DUMP=file: whose pages; else those of the real dumps that are there.
set -uo pipefail
export LC_ALL=C
O=${O:-build/release}
runs=${RUNS:-5}
# In memory, where that is possible: no disk is measured.
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

seconds() {
	local i
	for ((i = 0; i < runs; i++)); do
		python3 - "$@" <<'P'
import os, subprocess, sys, time
t = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL).returncode
print("%.6f" % (time.perf_counter() - t) if status == 0 else "failed")
P
	done | sort -n | sed -n "$(((runs + 1) / 2))p"
}

# process NAME BYTES-OF-PAGES FILE COMMAND...: a row of speed and size
process() {
	local name=$1 bytes=$2 file=$3 t
	shift 3
	rm -f "$file"
	t=$(seconds "$@")
	if [ "$t" = failed ] || [ ! -s "$file" ]; then
		echo "$name: not measured: it failed"
		return
	fi
	awk -v n="$name" -v t="$t" -v b="$bytes" -v s="$(stat -c %s "$file")" 'BEGIN {
		printf "%-38s %7.0f MB/s  ratio %5.3f  %d bytes\n", n, b / 1e6 / t, b / s, s }'
}

one() {
	local dump=$1 pages
	echo "== the pages of $dump"
	"$O/bin/bench-writer" "$dump" "$runs" | tee "$work/writer" || return
	pages=$(awk '/ pages, / {print $1 * 4096; exit}' "$work/writer")
	"$O/bin/dumpconv" -O elf "$dump" "$work/elf" >"$work/log" 2>&1 || { cat "$work/log"; return; }
	if command -v makedumpfile >/dev/null; then
		# -F: a flattened stream needs no second pass; -d 0: every page.
		process "makedumpfile -l, whole process" "$pages" "$work/mdf" makedumpfile -f -l -d 0 "$work/elf" "$work/mdf"
		process "makedumpfile -c, whole process" "$pages" "$work/mdf" makedumpfile -f -c -d 0 "$work/elf" "$work/mdf"
	else
		echo "makedumpfile: not installed, not measured"
	fi
	rm -f "$work/mdf"
	process "dumpconv -O native, whole process" "$pages" "$work/native" "$O/bin/dumpconv" -O native "$work/elf" "$work/native"
	rm -f "$work/elf"
	echo "-- page reads, kdump as it is"
	"$O/bin/bench-reads" "$dump"
	echo "-- page reads, native"
	"$O/bin/bench-reads" "$work/native"
	rm -f "$work/native"
}

if [ -n "${DUMP:-}" ]; then
	one "$DUMP"
else
	for d in ../shared/data/linux-kdump.lzo ../shared/data/xen-panic-kdump.elf.zst ../shared/data/xen-run-qemu.elf.zst; do
		[ -r "$d" ] && one "$d" || echo "skipped: no $d"
	done
fi
echo "== opening a native dump, and the same grown to 1 TiB of stored pages"
# On disk: its tables take 1 GiB, its pages are holes.
big=$(mktemp -d) || exit 1
trap 'rm -rf "$work" "$big"' EXIT
if "$O/bin/goldcloth" -r "$big/small" >"$work/log" 2>&1 && "$O/bin/bench-grow" 0x10000000000 "$big/small" "$big/big"; then
	for f in small big; do
		for ((i = 0; i < runs; i++)); do
			"$O/bin/mdb" -S --stats -e '::status; $C' "$big/$f" 2>&1 >/dev/null | sed -n 's/^mdb: read/read/p'
		done | sed -n "${runs}p" | sed "s/^/mdb ::status; \$C, $f: /"
	done
else
	sed 's/^/not measured: /' "$work/log"
fi
