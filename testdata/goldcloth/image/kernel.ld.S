/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel lies: each module's text and data, then the heap's
 * sections, one for each address that a C variable asks for (AT() of at.h);
 * build.sh puts their lines in the place of HEAP.
 */
#define MODULE(name, t, t_len, d, d_len, file, what) \
	name.text t : { *(name.text) } \
	name.data d : { *(name.data) }

SECTIONS
{
#include "modules.def"
	unix.rodata 0xf4cf0000 : { *(.rodata .rodata.*) }
	HEAP
	/DISCARD/ : { *(.comment) *(.note.GNU-stack) *(.eh_frame) }
}
