/* SPDX-License-Identifier: MIT */
/* Included at the end of common/smp.c, whose calls to CPUs are private. */
#include <asm/xdump.h>

void
xdump_calls_forget(void)
{
	spin_lock_init(&call_lock);
	cpumask_clear(&call_data.selected);
}
