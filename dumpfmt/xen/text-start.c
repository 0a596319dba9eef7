/* SPDX-License-Identifier: MIT */
/* The first function of this folder's code: see Makefile. */
#include "xdump-impl.h"

void __attribute__((__noinline__)) xdump_text_start(void)
{
	asm volatile("");
}
