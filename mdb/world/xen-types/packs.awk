# SPDX-License-Identifier: MIT
# From the paths of type packs the table of them in assembler: each a struct
# mdb_pack_blob (mdb/sym/pack.h), one of no bytes last.
BEGIN {
	print "\t.section .note.GNU-stack, \"\", @progbits"
}
/\.pack$/ {
	n++
	printf "\t.section .rodata\n\t.balign 16\n1%03d:\n\t.incbin \"%s\"\n2%03d:\n", n, $0, n
	table = table sprintf("\t.quad 1%03db, 2%03db - 1%03db\n", n, n, n)
}
END {
	print "\t.section .data.rel.ro, \"aw\"\n\t.balign 8"
	print "\t.globl mdb_xen_packs\n\t.hidden mdb_xen_packs\nmdb_xen_packs:"
	printf "%s\t.quad 0, 0\n", table
}
