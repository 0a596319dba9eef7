#!/bin/bash
# SPDX-License-Identifier: MIT
# Types of a real kernel out of its dump: names, sizes, values, pipelines.
set -u
dump=../shared/data/linux-kdump.lzo
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# expect NAME COMMAND: standard input is what it must print
expect() {
	cat >"$tmp/want"
	"$O"/bin/mdb "$dump" -e "$2" >"$tmp/got" 2>&1
	if cmp -s "$tmp/want" "$tmp/got"; then
		echo "ok print-$1"
	else
		diff "$tmp/want" "$tmp/got" | head -20
		echo "not ok print-$1"
	fi
}

if [ ! -e "$dump" ]; then
	echo "skipped print: no ../shared/data"
	exit 0
fi

expect members 'init_task::print struct task_struct comm pid parent->comm' <<'END'
comm = [ "swapper/0" ]
pid = 0
parent->comm = [ "swapper/0" ]
END

expect layout '::print -at struct hlist_head; ::sizeof struct list_head; ::offsetof struct list_head prev' <<'END'
0 struct hlist_head {
    0 struct hlist_node *first 
}
sizeof (struct list_head) = 0x10
offsetof (struct list_head, prev) = 0x8, sizeof (...->prev) = 0x8
END

expect module-types '::sizeof struct ext4`ext4_inode_info; ::sizeof ext4_inode_info; ::sizeof struct no_such_struct' <<'END'
sizeof (struct ext4_inode_info) = 0x4a0
sizeof (struct ext4_inode_info) = 0x4a0
mdb: ::sizeof: no type "struct no_such_struct"
END

expect null-pointer 'init_task::print struct task_struct mm->pgd' <<'END'
mm->pgd = <through a NULL pointer>
END

expect enum '::enum pid_type PIDTYPE_SID' <<'END'
      VALUE NAME
          3 PIDTYPE_SID
END

expect per-cpu 'runqueues::walk percpu | ::print struct rq cpu ! wc -l; runqueues::walk percpu | ::head -n 1 | ::print struct rq cpu' <<'END'
2
cpu = 0
END

# Every way through the processes meets the same ones.
"$O"/bin/mdb "$dump" -e 'init_task::list struct task_struct tasks | ::print struct task_struct comm' | sort >"$tmp/list"
"$O"/bin/mdb "$dump" -e 'init_task::list struct task_struct tasks.next | ::print struct task_struct comm' | sort >"$tmp/next"
"$O"/bin/mdb "$dump" -e '::walk proc | ::print struct task_struct comm' | sort >"$tmp/walk"
if [ "$(sed '/swapper/d' "$tmp/list")" = "$(sed '/swapper/d' "$tmp/walk")" ] && [ -s "$tmp/walk" ]; then
	echo "ok print-list"
	cmp -s "$tmp/list" "$tmp/next" && echo "ok print-list-next" || echo "not ok print-list-next"
else
	diff "$tmp/list" "$tmp/walk" | head
	echo "not ok print-list"
fi

# No value is missing or unreadable in what every task has.
"$O"/bin/mdb "$dump" -e '::walk task | ::print struct task_struct' >"$tmp/all" 2>&1
if [ "$(grep -c '^    comm = \[ "' "$tmp/all")" = "$("$O"/bin/mdb "$dump" -e '::walk task' | wc -l)" ] &&
	! grep -qE '<unmapped>|<lost>|<excluded>|mdb:' "$tmp/all"; then
	echo "ok print-whole-tasks"
else
	grep -E '<unmapped>|<lost>|<excluded>|mdb:' "$tmp/all" | head
	echo "not ok print-whole-tasks"
fi
