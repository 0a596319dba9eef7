/* SPDX-License-Identifier: MIT */
/*
 * The smallest domain 0: Xen is up, nothing else is.  Its memory is 16 MiB of
 * noise, its command line's first letter says what it does then:
 *
 *	i	nothing, for good
 *	h	asks Xen for debug key X: a panic inside a hypercall
 *	c	crashes
 *
 * A 64-bit PV guest: entry state, start_info and hypercalls as in Xen's
 * public/arch-x86/xen-x86_64.h, public/xen.h, public/sched.h, public/sysctl.h;
 * the notes are those of public/elfnote.h.
 *
 *	cc -nostdlib -static -no-pie -Wl,-Ttext-segment=0xffffffff80100000 \
 *	    -Wl,--build-id=none -o tiny tiny.S
 */
#define BASE 0xffffffff80000000
#define CMD_LINE 128 /* in start_info */

#define HYPERCALL_CONSOLE_IO 18
#define HYPERCALL_SCHED_OP 29
#define HYPERCALL_SYSCTL 35
#define CONSOLEIO_WRITE 0
#define SCHEDOP_BLOCK 1
#define SCHEDOP_SHUTDOWN 2
#define SHUTDOWN_CRASH 3
#define SYSCTL_DEBUG_KEYS 7
#define SYSCTL_VERSION 0x15 /* 4.17 to 4.20 */

#define NOISE_LEN 0x1000000

	.macro	note type, words:vararg
	.pushsection .note.Xen, "a", @note
	.balign	4
	.long	4, 2f - 1f, \type
	.asciz	"Xen"
1:	\words
2:	.balign	4
	.popsection
	.endm

	note	1, .quad start
	note	3, .quad BASE
	note	4, .quad BASE
	note	5, .asciz "xen-3.0"
	note	6, .asciz "tiny"
	note	8, .asciz "generic"

	.text
	.globl	_start
_start:
start:
	cld
	movq	%rsi, %rbx
	movq	$noise, %rdi
	movq	$NOISE_LEN / 8, %rcx
	movq	$0x9e3779b97f4a7c15, %rax
1:	movq	%rax, %rdx
	shlq	$13, %rdx
	xorq	%rdx, %rax
	movq	%rax, %rdx
	shrq	$7, %rdx
	xorq	%rdx, %rax
	movq	%rax, %rdx
	shlq	$17, %rdx
	xorq	%rdx, %rax
	stosq
	decq	%rcx
	jnz	1b

	movl	$CONSOLEIO_WRITE, %edi
	movl	$said_end - said, %esi
	movq	$said, %rdx
	movl	$HYPERCALL_CONSOLE_IO, %eax
	syscall

	cmpb	$'h', CMD_LINE(%rbx)
	je	keys
	cmpb	$'c', CMD_LINE(%rbx)
	je	crash
	/* Xen turns the vCPU's events off with the first of them. */
idle:	movl	$SCHEDOP_BLOCK, %edi
	movl	$HYPERCALL_SCHED_OP, %eax
	syscall
	jmp	idle

keys:	movq	$sysctl, %rdi
	movl	$HYPERCALL_SYSCTL, %eax
	syscall
	jmp	idle

crash:	movl	$SCHEDOP_SHUTDOWN, %edi
	movq	$reason, %rsi
	movl	$HYPERCALL_SCHED_OP, %eax
	syscall
	jmp	idle

	.data
said:	.ascii	"LAB: ready\n"
said_end:
	.balign	8
key:	.ascii	"X"
	.balign	8
reason:	.long	SHUTDOWN_CRASH
	.balign	8
sysctl:	.long	SYSCTL_DEBUG_KEYS, SYSCTL_VERSION
	.quad	key
	.long	1
	.fill	128

	.bss
	.balign	4096
noise:	.fill	NOISE_LEN

	.section .note.GNU-stack, "", @progbits
