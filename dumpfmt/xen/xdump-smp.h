/* SPDX-License-Identifier: MIT */
/* Included at the end of common/smp.c: what it shares between CPUs is private. */
#include <asm/xdump.h>

void
xdump_calls_forget(void)
{
	spin_lock_init(&call_lock);
	cpumask_clear(&call_data.selected);
}
