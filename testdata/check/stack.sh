#!/bin/bash
# SPDX-License-Identifier: MIT
# Stacks and the commands about the machine, on a real dump: against the
# kernel's own trace in the console log, and the shape of each command.
# Prints `ok NAME`, `not ok NAME`, `skipped NAME: why`.
mdb=$O/bin/mdb
data=../shared/data
dump=$data/linux-kdump.lzo
log=$data/linux-kdump.console.log
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

check() {
	local name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}

ask() { "$mdb" -S "$dump" -e "$1" 2>"$work/err"; }
says() { ask "$1" | grep -qF -- "$2"; }

# From panic outward, the trace without its lines marked `?`.
oracle() {
	sed -n '/Kernel panic - not syncing: sysrq/,/RIP: 0033/p' "$log" |
	    sed 's/^\[[^]]*\] *//' | grep -E '^[A-Za-z_0-9.]+\+0x' |
	    sed 's/+.*//' | grep -v '^dump_stack'
}
ours() { ask '$c' | sed -n '/^panic+/,/^ /p' | grep '^[a-z_]' | sed 's/+.*//'; }

same_trace() {
	oracle >"$work/oracle"
	ours >"$work/ours"
	[ -s "$work/oracle" ] && diff "$work/oracle" "$work/ours"
}

no_guess() { ! ask '$C' | grep -qF '?'; }
user_registers() { says '$C' '%r14 0000000000000001  %r15 00007ffdf4e132a0'; }
names_syscall() { says '$c' 'system call 1, from user mode'; }

# A frame's address gives its callers: all but the first two lines.
from_frame() {
	local fp
	fp=$(ask '$C' | awk '/ panic\+/ { print $1 }')
	diff <(ask "$fp\$C") <(ask '$C' | sed '1,/ panic+/d')
}

every_thread_ends() {
	ask '::threadlist -v' >"$work/threads"
	grep -q '__schedule' "$work/threads" &&
	    ! grep -qE 'the stack ends here| \?$' "$work/threads"
}

# A line of JSON for each frame, the last of which says how the stack ends.
json_ends() {
	"$mdb" -S -o json "$dump" -e '$c' >"$work/json" 2>&1
	tail -1 "$work/json" | grep -q '"end":"user mode"' &&
	    [ "$(wc -l <"$work/json")" = "$(ask '$c' | grep -vc '^ ')" ]
}

status_lines() {
	ask '::status' >"$work/status"
	grep -q '^debugging crash dump .*(64-bit)' "$work/status" &&
	    grep -q '^operating system: 6\.1\.0-56-amd64 ' "$work/status" &&
	    grep -qx 'panic message: sysrq triggered crash' "$work/status" &&
	    grep -qx 'dump content: kernel pages only' "$work/status"
}

registers() {
	ask '$r' >"$work/regs"
	grep -q '^%rip = 0xffffffffaa3741ba __crash_kexec+0x11a' "$work/regs" &&
	    grep -q '%cr3 = unknown' "$work/regs" &&
	    grep -q 'status=<of,df,if,tf,sf,ZF,af,PF,cf>' "$work/regs"
}

whole_function() {
	[ "$(ask 'sysrq_handle_crash::dis' | wc -l)" = 5 ] &&
	    says 'sysrq_handle_crash::dis' '<panic>'
}
window() { [ "$(ask 'panic+0x118::dis' | wc -l)" = 21 ]; }
marks() { ask 'panic+0x118::dis' | grep 'here$' | grep -q '^panic+0x118:'; }
vtop() { says 'panic::vtop' 'virtual ffffffffaac01cb0 mapped to physical 1cc01cb0'; }
vtop_levels() { says 'panic::vtop -v' 'large-page'; }
vtop_unmapped() { ! says '1000::vtop -v' 'mapped to' && grep -q unmapped "$work/err"; }
whatis() { says 'jiffies::whatis' "is jiffies, in vmlinux's"; }

# Few pages of the file, and little memory (how long it takes is for `make bench`).
frugal() {
	"$mdb" -S --stats "$dump" -e '::status; $C' 2>&1 >/dev/null |
	    awk '/read [0-9]+ bytes/ { ok = $3 < 24968677 * 0.03 } END { exit !ok }'
}

if [ ! -r "$dump" ]; then
	echo "skipped stack: no ../shared/data"
	exit 0
fi
check stack_same_as_the_kernel same_trace
check stack_without_guesses no_guess
check stack_user_registers user_registers
check stack_names_the_system_call names_syscall
check stack_from_a_frame from_frame
check stack_every_thread_ends every_thread_ends
check stack_json json_ends
check status_four_lines status_lines
check regs_layout registers
check dis_whole_function whole_function
check dis_window window
check dis_marks_the_address marks
check vtop_text vtop
check vtop_levels vtop_levels
check vtop_unmapped vtop_unmapped
check whatis_symbol whatis
case $O in
*asan*) echo "skipped status_and_stack_read_little: the tiny buffers of this build read more" ;;
*) check status_and_stack_read_little frugal ;;
esac
