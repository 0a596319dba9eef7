/* SPDX-License-Identifier: MIT */
/* The images and their types inside the program; IMAGES is their folder. */
	.section .rodata
	.macro	image name, file
	.globl	gold_\name, gold_\name\()_end
	.balign	16
gold_\name:
	.incbin	"\file"
gold_\name\()_end:
	.endm

	image	kernel_elf, "kernel.elf"
	image	kernel_btf, "kernel.btf"
	image	xpv_elf, "xpv.elf"
	image	xpv_btf, "xpv.btf"
	.section .note.GNU-stack, "", @progbits
