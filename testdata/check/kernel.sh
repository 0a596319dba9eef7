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

# rows COMMAND CHILDREN KEY...: values of the rows, or of their children with
# the row's; hex without 0x and zeros
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

mdb() {
	"$O"/bin/mdb "$dump" -e "$1" 2>&1
}

sed 's/ .*//' "$want.modules" | sort >"$tmp/want"
mdb "modules::walk list_head 'struct module' list" | sed 's/^0x//' | sort >"$tmp/got"
check walk-list

# The tree of vmalloc areas is in the order of their addresses.
mdb 'vmap_area_root::walk rbtree "struct vmap_area" rb_node | ::print struct vmap_area va_start' |
	sed 's/.*0x//' >"$tmp/got"
sort "$tmp/got" >"$tmp/want"
check walk-rbtree

cat >"$tmp/want" <<'END'
ffff8bdce1e31c40 is CPU 0's copy of runqueues
ffff8bdce1f31c40 is CPU 1's copy of runqueues
END
mdb 'runqueues::walk percpu | ::whatis' >"$tmp/got"
check walk-percpu

cat >"$tmp/want" <<'END'
ffff8bdcc1202118 is ffff8bdcc1202100+18, allocated from task_struct
ffffceff00013980 is ffffceff00010000+3980, in thread ffff8bdcc1202100's stack (init)
ffffffffc0484340 is virtio_ring`__this_module, in virtio_ring's data segment
123 is unknown
END
mdb 'ffff8bdcc1202118::whatis; ffffceff00013980::whatis; ffffffffc0484340::whatis; 123::whatis' >"$tmp/got"
check whatis

# 74 threads and two idle ones; who panicked is last and its stack ends in
# user mode.
printf '76 PANIC <user mode>\n' >"$tmp/want"
"$O"/bin/mdb -o json "$dump" -e '::stacks' | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
last = rows[-1]
print(sum(r["count"] for r in rows), last["state"], last["frames"][-1]["func"])' >"$tmp/got"
check stacks

cat >"$tmp/want" <<'END'
 ID ADDR             FLG NRUN  NRT PRI RNRN PRMPT SWITCH THREAD           PROC
  0 ffff8bdce1e31c40   7    1    0 120   no 110000 t-879  ffff8bdcefe72100 lab-spin
  1 ffff8bdce1f31c40   7    1    0 120   no     1 t-0    ffff8bdcc1202100 init
END
mdb '::cpuinfo' >"$tmp/got"
check cpuinfo
