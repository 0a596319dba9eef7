/* SPDX-License-Identifier: MIT */
/*
 * The images and their types inside the program, each as a struct gold_blob;
 * the folder of the files is given to the assembler.
 */
	.macro	image name, file
	.section .rodata
	.balign	16
1:
	.incbin	"\file"
2:
	.section .data.rel.ro, "aw"
	.balign	8
	.globl	gold_\name
gold_\name:
	.quad	1b, 2b - 1b
	.endm

	image	kernel_elf, "kernel.elf"
	image	kernel_btf, "kernel.btf"
	image	xpv_elf, "xpv.elf"
	image	xpv_btf, "xpv.btf"
	.section .note.GNU-stack, "", @progbits
