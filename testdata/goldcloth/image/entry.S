/* SPDX-License-Identifier: MIT */
/* What each module's text begins with; assembled once for each, as NAME. */
#define SECTION_(name) name.text
#define SECTION(name) SECTION_(name)

	.macro	entry name, callee
	.p2align 4, 0x90
	.type	\name, @function
\name:
	pushl	%ebp
	movl	%esp, %ebp
	pushl	0x8(%ebp)
	call	\callee
	popl	%ecx
	leave
	ret
	.size	\name, . - \name
	.endm

	.section SECTION(NAME), "ax", @progbits
	entry	_init, mod_install
	entry	_info, mod_info
	entry	_fini, mod_remove
	.section .note.GNU-stack, "", @progbits
