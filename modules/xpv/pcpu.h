/* SPDX-License-Identifier: MIT */
/* What the parts of ::pcpu share, and what others say of a CPU. */
#ifndef XPV_PCPU_H
#define XPV_PCPU_H

#include "xpv.h"

/* irq_stat[cpu]: its irq_cpustat_t (xen/arch/x86/include/asm/hardirq.h). */
enum mdb_status xpv_irq_stat(struct mdb_ctx *cx, struct mdb_world *world,
	int cpu, struct mdb_loc *loc_out);
/* Its pending softirqs in words; those of a number, too. */
extern const struct xpv_bit xpv_softirq_bits[];
/* "on", "off", "guest", "?", with ",irq" and the like for what it is in. */
const char *xpv_irq_text(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_xen_pcpu *p);

/* What a CPU's timers are: how many on its heap and its list, which is the
 * first to expire (addr 0: none is set). */
struct xpv_cpu_timers {
	unsigned int heap, list;
	struct mdb_loc first;
	int64_t expires; /* system time in ns */
	struct mdb_loc function;
};
enum mdb_status xpv_cpu_timers(struct mdb_ctx *cx, struct mdb_world *world,
	int cpu, struct xpv_cpu_timers *out);

/* A tree of all that is known of the CPU. */
enum mdb_status xpv_pcpu_tree(struct mdb_ctx *cx, struct mdb_world *world,
	int cpu);

#endif
