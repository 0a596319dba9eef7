/* SPDX-License-Identifier: MIT */
/*
 * How large a dump would be now, and whether its range is large enough: said
 * in Xen's log when dom0 is there, and again when dom0 has registered.
 */
#include "xdump-impl.h"

#include <xen/init.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/timer.h>

#define MIB(frames) ((frames) >> (20 - PAGE_SHIFT))
/* What a dump is sized by: pages shrink to half, and some around them. */
#define RATIO 2u
#define AROUND_FRAMES (MB(2) >> PAGE_SHIFT)

static uint64_t estimate; /* frames; 0: not made yet */
static struct timer later;

static uint64_t
frames_needed(void)
{
	return estimate / RATIO + estimate / 1000 + AROUND_FRAMES;
}

uint64_t
xdump_estimate(bool *fits_out)
{
	*fits_out = frames_needed() <= xdump.target.len >> PAGE_SHIFT;
	return estimate << PAGE_SHIFT;
}

void
xdump_estimate_make(void)
{
	estimate = xdump_memory_estimate(xdump.config.content);
}

void
xdump_estimate_say(bool registered)
{
	bool fits;

	(void)xdump_estimate(&fits);
	printk("xdump: about %lu MiB of %lu MiB would be written (dom0 %sregistered)\n",
		MIB(estimate), MIB((uint64_t)total_pages),
		registered ? "" : "not ");
	if (!fits)
		printk(XENLOG_WARNING
			"xdump: too small for this machine: %lu MiB may be needed and there are %lu: what is worth least would be missing\n",
			MIB(frames_needed()) + 1, xdump.target.len >> 20);
}

/* Boot is over when dom0 has its memory. */
static void
estimate_later(void *unused)
{
	if (system_state < SYS_STATE_active || hardware_domain == NULL ||
		domain_tot_pages(hardware_domain) == 0)
		set_timer(&later, NOW() + SECONDS(1));
	else
		xdump_state_estimate();
}

void __init
xdump_estimate_init(void)
{
	init_timer(&later, estimate_later, NULL, smp_processor_id());
	set_timer(&later, NOW() + SECONDS(1));
}
