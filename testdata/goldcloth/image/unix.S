/* SPDX-License-Identifier: MIT */
/* The text of unix: locks, threads, pages, kernel memory, the Xen glue. */
#include "code.inc"

	.section unix.text, "ax", @progbits

	.org	0x10000, 0x90
	func	mutex_enter, 0x8
	endf	mutex_enter
	func	mutex_exit, 0x8
	endf	mutex_exit
	func	panic, 0x10
	site	0x24, 2, 2, vpanic
	endf	panic
	func	vpanic, 0x58
	site	0x8e, 3, 3, panicsys
	endf	vpanic
	func	panicsys, 0x90
	site	0x1b0, 1, 1, mutex_enter
	endf	panicsys

	/* It takes the function off the stack and calls it with the rest. */
	.p2align 4, 0x90
	label	thread_start
	popl	%eax
	movl	%esp, %ebp
	addl	$0x8, %ebp
	call	*%eax
	addl	$0x8, %esp
	call	thread_exit
	.size	thread_start, . - thread_start

	func	thread_exit, 0x18
	site	0x60, 0, 0, swtch
	endf	thread_exit
	func	swtch, 0x18
	site	0xa4, 1, 1, resume
	endf	swtch
	func	resume, 0x8
	endf	resume
	func	idle, 0x1c
	isite	0x3f, 0, 0, -0x8(%ebp)
	endf	idle
	func	cpu_idle, 0xc
	site	0x48, 0, 0, HYPERVISOR_block
	endf	cpu_idle
	func	HYPERVISOR_block, 0x8
	site	0x16, 2, 2, __hypercall2
	endf	HYPERVISOR_block

	/* Its hypercalls go through the page that Xen fills. */
	.p2align 4, 0x90
	label	__hypercall2
	pushl	%ebx
	movl	0x8(%esp), %eax
	shll	$0x5, %eax
	addl	$hypercall_page, %eax
	movl	0xc(%esp), %ebx
	movl	0x10(%esp), %ecx
	call	*%eax
	popl	%ebx
	ret
	.size	__hypercall2, . - __hypercall2

	func	sys_sysenter, 0x20
	isite	0x6c, 3, 3, -0x8(%ebp)
	endf	sys_sysenter

	/* The Xen panic's way into this kernel, and what it calls. */
	func	xpv_panic_hdlr, 0x1c
	site	0x52, 1, 1, xpv_do_panic
	endf	xpv_panic_hdlr
	func	xpv_do_panic, 0x48
	site	0x1d4, 3, 3, panicsys
	endf	xpv_do_panic
	func	ddi_get_eventcookie, 0x18
	endf	ddi_get_eventcookie

	/* Told by the other end's state in the store; `oestate` is local. */
	func	i_xvdi_oestate_handler, 0x10
	site	0x57, 3, 3, ddi_get_eventcookie
	site	0x8c, 4, 4, ndi_post_event
	endf	i_xvdi_oestate_handler

	.org	0x76000, 0x90
	func	page_get_pagecnt, 0x8, 1
	endf	page_get_pagecnt
	func	page_ctr_add_internal, 0x30
	site	0x74, 1, 1, mutex_enter
	site	0xb8, 1, 1, mutex_exit
	endf	page_ctr_add_internal
	func	page_ctr_add, 0x18
	site	0x47, 4, 4, page_ctr_add_internal
	endf	page_ctr_add

	.org	0x76e94, 0x90
	label	page_ctr_sub_internal
	pushl	%ebp
	movl	%esp, %ebp
	subl	$0x30, %esp
	andl	$0xfffffff0, %esp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	0x10(%ebp), %esi
	movzbl	0x2f(%esi), %ebx
	pushl	%ebx
	call	page_get_pagecnt
	popl	%ecx
	movl	%eax, -0x4(%ebp)
	negl	%eax
	imull	$0x60, 0x8(%ebp), %edi
	addl	$page_freecnt, %edi
	movl	0xc(%ebp), %ecx
	lock addl %eax, (%edi, %ecx, 4)
	testl	$0x1, 0x14(%ebp)
	je	1f
	lock addl %eax, 0x20(%edi, %ecx, 4)
	jmp	2f
1:	lock addl %eax, 0x40(%edi, %ecx, 4)
2:	testl	%ebx, %ebx
	je	3f
	pushl	$page_ctr_mutex
	call	mutex_enter
	popl	%ecx
	movl	-0x4(%ebp), %eax
	subl	%eax, page_freemem
	pushl	$page_ctr_mutex
	call	mutex_exit
	popl	%ecx
3:	popl	%edi
	popl	%esi
	popl	%ebx
	leave
	ret
	.size	page_ctr_sub_internal, . - page_ctr_sub_internal

	func	page_ctr_sub, 0xc
	site	0x47, 4, 4, page_ctr_sub_internal
	site	0x74, 1, 1, mutex_exit
	endf	page_ctr_sub

	func	page_list_sub, 0x38
	site	0x5a, 4, 4, page_ctr_sub
	endf	page_list_sub
	func	page_get_mnode_freelist, 0x74
	site	0x118, 1, 1, mutex_enter
	site	0x3c1, 4, 4, page_ctr_sub
	site	0x3f8, 1, 1, mutex_exit
	endf	page_get_mnode_freelist
	func	page_get_freelist, 0x58
	site	0x16f, 5, 5, page_get_mnode_freelist
	site	0x1c4, 5, 5, page_get_mnode_freelist
	endf	page_get_freelist
	func	page_create_va, 0x48
	site	0x94, 1, 1, mutex_enter
	site	0x2a3, 8, 8, page_get_freelist
	site	0x344, 1, 1, mutex_exit
	endf	page_create_va

	func	segkmem_page_create, 0x54
	site	0x6e, 7, 7, page_create_va
	endf	segkmem_page_create
	func	segkmem_xalloc, 0x28
	isite	0x9f, 4, 4, 0x1c(%ebp)
	endf	segkmem_xalloc
	func	segkmem_alloc_vn, 0x8
	site	0x31, 7, 7, segkmem_xalloc
	endf	segkmem_alloc_vn
	func	segkmem_alloc, 0x4
	site	0x1d, 4, 4, segkmem_alloc_vn
	endf	segkmem_alloc

	/* Thirty-two bytes for each hypercall. */
	.globl	hypercall_page
	.type	hypercall_page, @function
	.org	0x90000, 0x90
hypercall_page:
	.set	call_nr, 0
	.rept	64
	movl	$call_nr, %eax
	int	$0x82
	ret
	.p2align 5, 0x90
	.set	call_nr, call_nr + 1
	.endr
	.size	hypercall_page, . - hypercall_page
	.section .note.GNU-stack, "", @progbits
