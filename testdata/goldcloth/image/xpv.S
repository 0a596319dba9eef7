/* SPDX-License-Identifier: MIT */
/*
 * The text of the hypervisor.  Its functions stand where the session has them;
 * the entry code has symbols without a size, as assembler leaves them, so no
 * symbol covers an address in it.
 */
#include "code.inc"

#define REG_ebp 0x14

	.section xpv.text, "ax", @progbits

	.org	0x42bf, 0x90
	xfunc	__domain_crash, 0xc
	xsite	0x56, printk
	xsite	0x9d, domain_shutdown
	endf	__domain_crash, 3

	.org	0x4366, 0x90
	xfunc	__domain_crash_synchronous, 0xc
	xsite	0x25, __domain_crash
	xsite	0x36, do_softirq
	endf	__domain_crash_synchronous

	.org	0x43ce, 0x90
	xfunc	domain_shutdown, 0xc
	xsite	0x22, dom0_shutdown
	xsite	0x5c, vcpu_sleep_nosync
	endf	domain_shutdown

	.org	0xd480, 0x90
	func	do_softirq, 0xc
	isite	0x4c, 0, 0, -0x8(%ebp)
	endf	do_softirq
	func	vcpu_sleep_nosync, 0xc
	endf	vcpu_sleep_nosync

	.org	0x10b60, 0x90
	func	printk, 0x14
	endf	printk

	/* A panic does not return: the compiler leaves nothing behind it. */
	.org	0x1b015, 0x90
	xfunc	dom0_shutdown, 0x8, 0
	work	0x37
	movl	$panic_format, (%esp)
	call	panic
	ud2
	ud2
	.size	dom0_shutdown, . - dom0_shutdown

	.org	0x21a30, 0x90
	func	default_idle, 0x8, 0
	work	0x2a
	sti
	hlt
	.set	at, 0x2c
	endf	default_idle
	func	idle_loop, 0x8
	isite	0x3d, 0, 0, -0x8(%ebp)
	xsite	0x48, do_softirq
	endf	idle_loop

	.org	0x2f5e0, 0x90
	func	stop_this_cpu, 0x8, 1
	work	0x32
	hlt
	.set	at, 0x33
	jmp	. - 1
	.size	stop_this_cpu, . - stop_this_cpu
	func	smp_call_function_interrupt, 0xc, 1
	isite	0x4b, 0, 0, -0x8(%ebp)
	endf	smp_call_function_interrupt

	/* It keeps the registers as it found them, then stops the rest. */
	.org	0x3b80c, 0x90
	xfunc	panic, 0x10
	xsite	0x33, panic_save_regs
	xsite	0x6e, printk
	xsite	0x9a, panic_enter_dom0
	endf	panic
	func	panic_save_regs, 0x8
	endf	panic_save_regs
	func	panic_enter_dom0, 0x18
	isite	0x88, 0, 0, -0x8(%ebp)
	endf	panic_enter_dom0

	/* ---- entry code -------------------------------------------------- */
	.macro	entry name
	.globl	\name
\name:
	.endm

	.macro	save_all
	cld
	pushl	%eax
	pushl	%ebp
	pushl	%edi
	pushl	%esi
	pushl	%edx
	pushl	%ecx
	pushl	%ebx
	.endm

	/* The mark of an exception frame: where ebp was saved, inverted. */
	.macro	mark_frame
	leal	REG_ebp(%esp), %ebp
	notl	%ebp
	.endm

	.org	0x7d9c0, 0x90
	/* Pushes a frame on the guest's own stack; what faults has a fixup. */
	entry	create_bounce_frame
	movl	0x38(%esp), %esi
	movw	0x34(%esp), %gs
	subl	$12, %esi
	movl	%gs:(%esi), %eax
	movl	0x28(%esp), %eax
	movl	%eax, %gs:(%esi)
	movl	0x2c(%esp), %eax
	movl	%eax, %gs:4(%esi)
	movl	0x30(%esp), %eax
	movl	%eax, %gs:8(%esi)
	ret
	.org	0x7daec, 0x90
	entry	domain_crash_synchronous
	call	__domain_crash_synchronous
	jmp	.

	.org	0x7db40, 0x90
	entry	page_fault
	movw	$0xe, 2(%esp)
	entry	handle_exception
	save_all
	mark_frame
	pushl	%esp
	call	do_page_fault
	addl	$4, %esp
	entry	process_guest_exception_and_events
	leal	0x10(%ebx), %edx
	call	create_bounce_frame
	entry	bounce_return
	jmp	.

	.org	0x7dc00, 0x90
	entry	call_function_interrupt
	pushl	$0xfb0000
	save_all
	mark_frame
	pushl	%esp
	call	smp_call_function_interrupt
	entry	call_function_return
	addl	$4, %esp
	jmp	.

	.org	0x7e000, 0x90
	func	do_page_fault, 0x1c
	xsite	0x94, printk
	endf	do_page_fault
	func	domain_create, 0x24
	xsite	0x3c, printk
	endf	domain_create
	.globl	_etext
_etext:
	.section .note.GNU-stack, "", @progbits
