#!/bin/bash
# SPDX-License-Identifier: MIT
# The kernel module on a real dump: threads, processes and modules against
# lists that drgn made of it (testdata/kernel/), the log against the console's.
set -u
O=${O:-build/release}
data=../shared/data
dump=$data/linux-kdump.lzo
console=$data/linux-kdump.console.log
want=testdata/kernel/linux-kdump
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

check() {
	if cmp -s "$tmp/want" "$tmp/got" && [ -s "$tmp/want" ]; then
		echo "ok kernel-$1"
	else
		diff "$tmp/want" "$tmp/got" | head -20
		echo "not ok kernel-$1"
	fi
}

# json COMMAND FORMAT KEY...: the rows' values, hex without 0x and zeros
rows() {
	"$O"/bin/mdb -o json "$dump" -e "$1" 2>"$tmp/err" | python3 -c '
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    for r in row.get(sys.argv[1], [row]):
        both = {**row, **r}
        out = []
        for key in sys.argv[2:]:
            v = str(both[key])
            out.append("%x" % int(v, 16) if v.startswith("0x") else v)
        print(*out)' "${@:2}"
	if [ -s "$tmp/err" ]; then
		cat "$tmp/err"
	fi
}

if [ ! -e "$dump" ]; then
	echo "skipped kernel: no $data"
	exit 0
fi

sort "$want.tasks" >"$tmp/want"
rows '::ps -t' threads addr pid tid name | sort >"$tmp/got"
check threads

awk '$2 == $3' "$want.tasks" | sort >"$tmp/want"
rows '::ps' none addr pid pid name | sort >"$tmp/got"
check processes

awk '{print $1}' "$want.tasks" | sort >"$tmp/want"
"$O"/bin/mdb "$dump" -e '::walk task' | sed 's/^0x//' | sort >"$tmp/got"
check walk-task

cp "$want.modules" "$tmp/want"
rows '::modinfo -v' none addr base size name >"$tmp/got"
check modules

# Each line that the kernel wrote before it was replaced by the crash kernel.
awk '/\] Linux version / && ++n == 2 {exit} /^\[ *[0-9]+\.[0-9]+\] /' "$console" |
	tr -d '\r' | sed 's/ *$//' >"$tmp/want"
"$O"/bin/mdb "$dump" -e '::msgbuf -t' | sed 1d | sed 's/ *$//' >"$tmp/log"
grep -Fxf "$tmp/want" "$tmp/log" >"$tmp/got"
check log

# Every pid of the table of pids, as many as there are threads, groups and
# sessions: at least one entry for each thread.
printf '%s\n' "$(wc -l <"$want.tasks")" >"$tmp/want"
"$O"/bin/mdb "$dump" -e 'init_pid_ns::walk xarray' 2>/dev/null | sort -u | wc -l |
	tr -d ' ' >"$tmp/got"
check walk-xarray

printf '%s\n' ffff8bdcc1202100 >"$tmp/want"
"$O"/bin/mdb "$dump" -e '0t1::pid2task' | sed 's/^0x//' >"$tmp/got"
check pid2task

printf '%s\n' "$(awk '$2 == 115' "$want.tasks" | wc -l)" >"$tmp/want"
"$O"/bin/mdb "$dump" -e '0t115::pid2task | ::walk thread' | wc -l | tr -d ' ' >"$tmp/got"
check walk-thread
