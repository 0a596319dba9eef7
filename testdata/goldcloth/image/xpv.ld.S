/* SPDX-License-Identifier: MIT */
/* Where the hypervisor lies: in the direct map, its panic's text where esi is. */
SECTIONS
{
	xpv.text 0xff100000 : { *(xpv.text) }
	xpv.rodata 0xff190000 : { *(xpv.rodata) *(.rodata .rodata.*) }
	xpv.panic_format 0xff192f62 : { *(xpv.panic_format) }
	xpv.data 0xff1a0000 : { *(xpv.data) }
	HEAP
	/DISCARD/ : { *(.comment) *(.note.GNU-stack) *(.eh_frame) }
}
