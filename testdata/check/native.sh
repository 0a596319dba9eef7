#!/bin/bash
# SPDX-License-Identifier: MIT
# A native dump in the debugger: the goldcloth machine, dumped by the real
# writer.  What the session prints of the core's own commands, worlds and
# names, cut dumps, unix.N beside it.
set -u
mdb=$O/bin/mdb
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

say() {
	[ "$1" = 0 ] && echo "ok native-$2" || echo "not ok native-$2"
}

"$O/bin/goldcloth" -r "$tmp/vmcore.0" >"$tmp/out" || cat "$tmp/out"

# run FILE COMMANDS: its output in $tmp/got.
run() {
	"$mdb" -S -e "$2" "$1" >"$tmp/got" 2>&1
}

# The lines of standard input are in $tmp/got, in this order; a line that ends
# in ... is the front of one.
in_order() {
	python3 -c '
import sys
got = iter(open(sys.argv[1]).read().split("\n"))
for want in sys.stdin.read().rstrip("\n").split("\n"):
    cut = want.endswith("...")
    want = want[:-3] if cut else want
    for line in got:
        if line.rstrip() == want or (cut and line.startswith(want)):
            break
    else:
        sys.exit("missing: " + want)' "$tmp/got"
}

run "$tmp/vmcore.0" '$C'
in_order <<'END'
ffbf3f38 xpv`panic+0x33()
ffbf3f48 xpv`dom0_shutdown+0x43()
ffbf3f68 xpv`domain_shutdown+0x22()
ffbf3f88 xpv`__domain_crash+0x9d()
ffbf3fa8 xpv`__domain_crash_synchronous+0x25()
ffbf3fc8 0xff17daf1()
    --- trap 0xe #PF page fault (vector 14), error 0x2: write to a page that is not present, in kernel mode; cr2 c5a08fd4; at page_ctr_sub_internal+9 ---
    --- from unix into xpv ---
c5a0901c page_ctr_sub_internal+9(...
c5a0904c page_ctr_sub+0x47(0, 0, f3328700, 1)
c5a090e4 page_get_mnode_freelist+0x3c1(0, 10, 0, 0, 20009)
c5a09164 page_get_freelist+0x16f(f502ed14, e5406000, 0, c5a09224, e5406000, ...
c5a0a154 lofi_map_file+0xfc(2400000, c5a0a3e8, 1, c5a0a800, cd326e78, 80100403)
c5a0a360 lofi_ioctl+0x13e(2400000, 4c4601, c5a0a3e8, 80100403, cd326e78, ...
c5a0a38c cdev_ioctl+0x2e(2400000, 4c4601, c5a0a3e8, 80100403, cd326e78, c5a0a800)
c5a0a3b4 ldi_ioctl+0xa4(dfb15310, 4c4601, c5a0a3e8, 80100403, cd326e78, c5a0a800)
c5a0a804 xdb_setup_node+0xbc(e52e1000, c5a0a84c)
c5a0ac58 xdb_open_device+0xc9(e52e1000)
c5a0ac88 xdb_start_connect+0x59(e52e1000)
c5a0acbc xdb_oe_state_change+0x70(c66c9088, c57e5c40, 0, c5a0ad70)
c5a0acf8 ndi_event_run_callbacks+0x87(c54f0d80, c66c9088, c57e5c40, c5a0ad70, ...
END
say $? stack
! grep -q 'the stack ends here\| ?$' "$tmp/got"
say $? stack-to-its-end

run "$tmp/vmcore.0" 'ffbf3fc8,4/X; f4c76e9d::dis; c5a08fd4/X; c5a08fd4::vtop'
in_order <<'END'
0xffbf3fc8:     c5a0901c        0               e0002           f4c76e9d
page_ctr_sub_internal:          pushl  %ebp
page_ctr_sub_internal+1:        movl   %esp,%ebp
page_ctr_sub_internal+3:        subl   $0x30,%esp
page_ctr_sub_internal+6:        andl   $0xfffffff0,%esp
page_ctr_sub_internal+9:        pushl  %ebx...
page_ctr_sub_internal+0xa:      pushl  %esi
page_ctr_sub_internal+0xb:      pushl  %edi
END
say $? words-and-code
grep -q 'X: .*unmapped: 0xc5a08fd4' "$tmp/got" && grep -q 'vtop: unmapped' "$tmp/got"
say $? unmapped

run "$tmp/vmcore.0" '$<utsname; xenver::print; 0xffbe1100::print struct vcpu vcpu_id; c5a0ade0::print kthread_t t_stkbase; c5a0ade0::print struct vcpu vcpu_id'
in_order <<'END'
{
    sysname = [ "SunOS" ]
    nodename = [ "goldcloth" ]
    release = [ "5.11" ]
    version = [ "matrix-build-2007-04-02" ]
    machine = [ "i86pc" ]
}
{
    xv_ver = 0xccad8fc0 "3.0.4-1-sun"
    xv_chgset = 0xccad1f80 "Fri Jan 05 16:11:49 2007 +0000 13187:e2466414acc3"
    xv_compiler = 0xccacffc0 "gcc version 3.4.3 (csl-sol210-3_4-20050802)"
    xv_compile_date = 0xccad6f08 "Mon Apr  2 06:59:37 PDT 2007"
    xv_compile_by = 0xccad8fa0 "xen-discuss"
    xv_compile_domain = 0xccad8f80 ""
    xv_caps = 0xccad8f60 "xen-3.0-x86_32p"
}
vcpu_id = 0
t_stkbase = 0xc5a09000
vcpu_id = 0
END
say $? types

run "$tmp/vmcore.0" '::objects'
[ "$(sed 1d "$tmp/got" | awk '{printf "%s ", $4}')" = "unix genunix specfs dtrace xpv_psm scsi_vhci ufs ip hook neti sctp arp usba fctl nca lofs zfs random sppp ptm nfs md logindmux xpv " ]
say $? objects

run "$tmp/vmcore.0" '$r'
in_order <<'END'
%cs = 0xe008            %eax = 0x00000003
%gs = 0x0161            %edi = 0xf4b63000
 %eip = 0xff13b83f xpv`panic+0x33
 %ebp = 0xffbf3f38
 %esp = 0xffbf3f1c
 %eflags = 0x00000282
%trapno = 0x0
   %err = 0x0
%cr0 = 0x8005003b       %cr2 = 0xc5a08fd4       %cr3 = 0xbe1d00 %cr4 = 0x6f0
END
say $? registers

run "$tmp/vmcore.0" 'ffbf3fa8$C 0; c5a0acbc$c; ::stack -c 2'
in_order <<'END'
ffbf3fc8 0xff17daf1()
c5a0904c page_ctr_sub+0x47()
ndi_event_run_callbacks+0x87(...
xpv`...
END
say $? stack-from-a-frame

run "$tmp/vmcore.0" '::status; ::triage'
in_order <<'END'
debugging crash dump ...
operating system: 5.11 matrix-build-2007-04-02 (i86pc)
panic message: Domain 0 crashed:...
dump content: hypervisor, page table and kernel pages
dump: complete, ...
panicked: CPU 2 in xpv, running vcpu 0 of domain 0...
worlds: unix (current), xpv
panic message: Domain 0 crashed:...
 %eip = 0xff13b83f xpv`panic+0x33
    ffbf3f38 xpv`panic+0x33()
    ffbf3fa8 0xff17daf1 (in Xen)
END
say $? status

"$mdb" -S -o json -e '::status; ::triage; $C; $r' "$tmp/vmcore.0" 2>&1 | python3 -c '
import json, sys
rows = [json.loads(l) for l in sys.stdin]
assert rows[0]["native"][0]["complete"] and rows[0]["native"][0]["indexed"]
assert rows[1]["reason"].startswith("Domain 0 crashed") and rows[1]["frames"] and rows[1]["console"]
stack = rows[2:-1]
assert [r["world"] for r in stack[5:7]] == ["xpv", "unix"], stack[5:7]
assert stack[6]["kind"] == "crossing" and stack[6]["error"] == "0x2" and stack[6]["vector"] == 14
assert stack[7]["args"] == "0, 0, f3328700, 1" and stack[7]["symbol"] == "page_ctr_sub"
assert rows[-1]["rip"] == "0xff13b83f"'
say $? json

# Only the first segment: what was recorded at the panic.
head -c 61440 "$tmp/vmcore.0" >"$tmp/cut"
run "$tmp/cut" '::status; $C; $r; ::triage; ffbf3f38/X'
in_order <<'END'
panic message: Domain 0 crashed:...
dump: cut: it has no end...
missing: ...
    --- the stack is not in the dump: as it was recorded at the panic ---
ffbf3f38 xpv`panic+0x33()
ffbf3fc8 0xff17daf1()
c5a0904c unix`page_ctr_sub+0x47()
 %ebp = 0xffbf3f38
    ffbf3fa8 0xff17daf1 (in Xen)
END
say $? cut-to-the-triage-record
grep -q '/X: .*lost' "$tmp/got"
say $? cut-memory-is-lost

# Cut anywhere: it opens and no word of it is wrong.
size=$(stat -c %s "$tmp/vmcore.0") bad=0
for i in $(seq 0 40); do
	head -c $((size * i / 40)) "$tmp/vmcore.0" >"$tmp/cut"
	run "$tmp/cut" '::status; $C; ::triage; ::objects; f4c76e9d::dis; xenver::print'
	[ $? -le 2 ] || bad=1
	sed -n 's/^ffbf3fc8,4/X/p; /^0xffbf3fc8/p' "$tmp/got" | grep -v 'c5a0901c' && bad=1
done
say $bad cut-anywhere

# unix.N: an ELF file with a note that names the dump.
unix() {
	python3 - "$1" "$2" <<'END'
import struct, sys
ident = bytes.fromhex(sys.argv[2])
note = struct.pack("<III4s", 4, len(ident), 1, b"mdb\0") + ident
head = b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
head += struct.pack("<8I", 4, 84, 0, 0, len(note), len(note), 4, 4)
open(sys.argv[1], "wb").write(head + note)
END
}
id=$("$mdb" -S -o json -e ::status "$tmp/vmcore.0" | python3 -c 'import json, sys; print(json.load(sys.stdin)["native"][0]["dump_id"])')
unix "$tmp/unix.0" "$id"
(cd "$tmp" && mdb=$(realpath "$OLDPWD/$mdb" 2>/dev/null || echo "$mdb") &&
	"$mdb" -S -e '$c !head -1' 0 && "$mdb" -S -e '$c !head -1' unix.0 vmcore.0 && "$mdb" -S -e '$c !head -1' vmcore.0 unix.0) >"$tmp/got" 2>&1
[ "$(uniq "$tmp/got")" = 'xpv`panic+0x33()' ]
say $? unix-beside-it
unix "$tmp/unix.1" 00112233445566778899aabbccddeeff
"$mdb" -S -e '$c' "$tmp/unix.1" "$tmp/vmcore.0" >"$tmp/got" 2>&1
[ $? = 2 ] && grep -q "unix.1 is of dump 00112233.* but .*vmcore.0 is dump $id" "$tmp/got"
say $? unix-of-another-dump
