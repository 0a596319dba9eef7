/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's stacks, one of 8 KB for each processor, from their live end
 * on.  Processor 2 panics for its guest; the others were stopped by its
 * interrupt: 0 in a process, 1 in the kernel, 3 in the idle loop.
 *
 * An exception frame's mark is the inverted address where it saved ebp.
 */
#include "stack.inc"

	/* ebx ecx edx esi edi ebp eax error:vector eip cs eflags esp ss */
	.macro	regs address, list:vararg
	words	\address, \list
	.endm

	stack	0xffbf3f00
	words	0xffbf3f1c, 0xf4b63000, 0xff192f62, 0xffbe1100
	frame	0xffbf3f38, 0xffbf3f48, dom0_shutdown+0x43, panic_format, 0
	frame	0xffbf3f48, 0xffbf3f68, domain_shutdown+0x22, 3
	frame	0xffbf3f68, 0xffbf3f88, __domain_crash+0x9d, 0xffbee080, 3
	frame	0xffbf3f88, 0xffbf3fa8, __domain_crash_synchronous+0x25, \
		0xffbee080
	/* The fixup of the bounce: what that returns to is still there. */
	frame	0xffbf3fa8, ~0xffbf3fc8, domain_crash_synchronous+5, \
		bounce_return
	regs	0xffbf3fb4, 0xf3328700, 0, 1, 0xf50454b8, 0x20009, \
		0xc5a0901c, 0, 0x000e0002, 0xf4c76e9d, 0x159, 0x10246, \
		0xc5a08fe0, 0x161, 0x161, 0x161, 0, 0x1b1
	.long	2, 0xffbe1100

	stack	0xffbfdf00
	frame	0xffbfdf90, 0xffbfdfa8, smp_call_function_interrupt+0x4b, 0
	frame	0xffbfdfa8, ~0xffbfdfc8, call_function_return, 0xffbfdfb4
	regs	0xffbfdfb4, 0x8114f20, 0x3, 0x8047a70, 0x80d1a2c, 0x8115a04, \
		0x8047a38, 0x1, 0x00fb0000, 0x806a3c2, 0x43, 0x246, \
		0x8047a10, 0x4b, 0x4b, 0x4b, 0, 0x1c3
	.long	0, 0xffbe9100

	stack	0xffbf7f00
	frame	0xffbf7f90, 0xffbf7fa8, smp_call_function_interrupt+0x4b, 0
	frame	0xffbf7fa8, ~0xffbf7fc8, call_function_return, 0xffbf7fb4
	regs	0xffbf7fb4, 0xc6c1e3c0, 0x6902, 0x8047b10, 0xc617cac0, \
		0x2003, 0xc61b1eb0, 0, 0x00fb0000, 0xf4d36018, 0x159, 0x1246, \
		0xc61b1e8c, 0x161, 0x161, 0x161, 0, 0x1b1
	.long	1, 0xffbe7100

	/* From its own ring: no esp and no ss were pushed. */
	stack	0xffbedf00
	frame	0xffbedf3c, 0xffbedf54, smp_call_function_interrupt+0x4b, 0
	frame	0xffbedf54, ~0xffbedf74, call_function_return, 0xffbedf60
	regs	0xffbedf60, 0, 0, 0, 0, 0, 0xffbedf94, 0, 0x00fb0000, \
		default_idle+0x2c, 0xe008, 0x246
	frame	0xffbedf94, 0xffbedfb0, idle_loop+0x3d
	words	0xffbedfb0, 0, 0
	.org	0xffbedff8 - stack_base
	.long	3, 0xffbe3100
	.section .note.GNU-stack, "", @progbits
