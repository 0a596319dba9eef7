/* SPDX-License-Identifier: MIT */
/*
 * The manifest of the hypervisor's module, and which world that is.
 */
#include "xpv.h"

#include "evtchn.h"
#include "gnttab.h"
#include "heap.h"
#include "iommu.h"
#include "irq.h"
#include "p2m.h"

static const struct mdb_dcmd dcmds[] = {
	{
		.name = "domain",
		.summary = "list the domains of the hypervisor",
		.help = "One row for each domain, or that at the address. "
			"Pages are in hex. STATE has the letters of xl list: "
			"running, blocked, paused, shut down, crashed, dying.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "domain",
		.options = xpv_domain_options,
		.table = &xpv_domain_table,
		.examples = xpv_domain_examples,
		.run = xpv_domain,
	},
	{
		.name = "vcpu",
		.summary = "list the virtual CPUs of the hypervisor",
		.help = "One row for each vcpu of each domain, or that at the "
			"address. CPU is the processor that it is on, or was "
			"on last.\n\n"
			"FOR is counted from the change of state that the vcpu "
			"notes (runstate) to the latest time that the "
			"hypervisor noted anywhere, so it is the least that it "
			"can be; ::xensched counts the same.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "vcpu",
		.options = xpv_vcpu_options,
		.table = &xpv_vcpu_table,
		.examples = xpv_vcpu_examples,
		.run = xpv_vcpu,
	},
	{
		.name = "pcpu",
		.summary = "show what each processor runs",
		.help = "One row for each processor that has an idle vcpu. VCPU "
			"is the one that was running there: of a domain if "
			"any, else the idle one.\n\n"
			"With -v, \"loaded\" is the vcpu whose state the "
			"processor still has, \"since\" when the current one "
			"began to run, \"in_use\" where the stack pointer is. "
			"A table is shown if it is this processor's: the tss "
			"has its stacks, the gdt that tss, the idt gates into "
			"the hypervisor.",
		.addr = MDB_ADDR_NONE,
		.options = xpv_pcpu_options,
		.table = &xpv_pcpu_table,
		.examples = xpv_pcpu_examples,
		.run = xpv_pcpu,
	},
	{
		.name = "pcpustack",
		.operands = "[cpu]",
		.summary = "show the stack of a processor",
		.help = "The stack of the processor whose number is given as "
			"the address or operand, else of the one that "
			"panicked, through the hypervisor and on into the "
			"guest that entered it. ON says which of the "
			"processor's stacks it begins on.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "cpu",
		.options = xpv_pcpustack_options,
		.table = &xpv_pcpustack_table,
		.examples = xpv_pcpustack_examples,
		.run = xpv_pcpustack,
	},
	{
		.name = "xenmsg",
		.summary = "show the hypervisor's log",
		.help = "The lines of the console ring, oldest first, whether "
			"or not a serial port has sent them. The first may "
			"be the rest of one that was overwritten.",
		.addr = MDB_ADDR_NONE,
		.options = xpv_xenmsg_options,
		.table = &xpv_xenmsg_table,
		.examples = xpv_xenmsg_examples,
		.run = xpv_xenmsg,
	},
	{
		.name = "xentimers",
		.summary = "list the hypervisor's timers",
		.help = "The timers of each processor: those on its heap in "
			"that order, then those that found no room there. IN "
			"is counted from the latest time that the hypervisor "
			"noted anywhere; the dump may be of a later one. A "
			"timer that is not where it says is left out, with a "
			"warning.",
		.addr = MDB_ADDR_NONE,
		.options = xpv_timers_options,
		.table = &xpv_timers_table,
		.examples = xpv_timers_examples,
		.run = xpv_timers,
	},
	{
		.name = "rcu",
		.summary = "show the hypervisor's read-copy-update",
		.help = "Says which batch is the current one and for which "
			"processors it waits, then the state of each.",
		.addr = MDB_ADDR_NONE,
		.options = xpv_rcu_options,
		.table = &xpv_rcu_table,
		.examples = xpv_rcu_examples,
		.run = xpv_rcu,
	},
	{
		.name = "hypercall",
		.operands = "[name]",
		.summary = "show hypercalls that were being served, or what a "
			   "number means",
		.help = "Without an address: each hypercall in whose handler "
			"a processor was. The address may be a number below "
			"4096, that of a hypercall, or a struct vcpu. OP "
			"is read from the guest's memory where the argument "
			"points to it.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "number",
		.options = xpv_hypercall_options,
		.table = &xpv_hypercall_table,
		.examples = xpv_hypercall_examples,
		.run = xpv_hypercall,
	},
	{
		.name = "xenregs",
		.summary = "show registers that the hypervisor saved",
		.help = "Shows the struct cpu_user_regs at the address in the "
			"form of ::regs, then how and from where the "
			"hypervisor was entered. With -p the address is that "
			"of a struct vcpu, whose registers are shown wherever "
			"they are.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "address",
		.options = xpv_xenregs_options,
		.examples = xpv_xenregs_examples,
		.run = xpv_xenregs,
	},
	{
		.name = "xensched",
		.summary = "show what runs and what waits, by CPU pool",
		.help = "For each pool its scheduler, then what each of its "
			"processors runs and what waits in each run queue, in "
			"the queue's order. FOR is that of the unit's first "
			"vcpu as ::vcpu has it: since it runs, waits or "
			"sleeps, to the latest time that the hypervisor noted "
			"anywhere.",
		.addr = MDB_ADDR_NONE,
		.options = xpv_sched_options,
		.table = &xpv_sched_table,
		.examples = xpv_sched_examples,
		.run = xpv_sched,
	},
	{
		.name = "evtchn",
		.operands = "[port]",
		.summary = "list event channels, both ends",
		.help = "The ports of all domains that are in use, or of one "
			"domain: at the address, or that -d names. Ports are "
			"printed in decimal, as Xen does, and typed as any "
			"number (0t13).\n\n"
			"Whether a port is pending or masked is read where the "
			"guest reads it. It is not shown where the consumer is "
			"the hypervisor itself.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "domain",
		.options = xpv_evtchn_options,
		.table = &xpv_evtchn_table,
		.examples = xpv_evtchn_examples,
		.run = xpv_evtchn_cmd,
	},
	{
		.name = "gnttab",
		.summary = "list grants: given to others, mapped of others",
		.help = "What each domain lets others map, and how often they "
			"have; with -m what each has mapped of others; with -s "
			"the tables. References, handles and domains are "
			"decimal, frames hex.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "domain",
		.options = xpv_gnttab_options,
		.table = &xpv_gnttab_table,
		.examples = xpv_gnttab_examples,
		.run = xpv_gnttab_cmd,
	},
	{
		.name = "xenheap",
		.summary = "show the free memory of the machine",
		.help = "The free lists by node and zone, walked, beside the "
			"hypervisor's own counters; with -v each free block.",
		.addr = MDB_ADDR_NONE,
		.options = xpv_heap_options,
		.table = &xpv_heap_table,
		.examples = xpv_heap_examples,
		.run = xpv_xenheap,
	},
	{
		.name = "xenirq",
		.operands = "[irq]",
		.summary = "list the interrupts of the machine",
		.help = "Each interrupt that has a type, the one whose number "
			"is given, or the struct irq_desc at the "
			"address. Where guests handle it: their pirqs and event "
			"channels; else the hypervisor's handler.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "irq_desc",
		.options = xpv_irq_options,
		.table = &xpv_irq_table,
		.examples = xpv_irq_examples,
		.run = xpv_xenirq,
	},
	{
		.name = "iommu",
		.summary = "show the IOMMU: switches, units, domains",
		.help = "With -v the PCI devices of each domain, also of those "
			"that hold what no guest has: their struct pci_dev, "
			"and where the unit's table of devices is in the dump "
			"(AMD) by how many levels of page tables, at which "
			"machine address, their accesses are translated.",
		.addr = MDB_ADDR_NONE,
		.options = xpv_iommu_options,
		.examples = xpv_iommu_examples,
		.run = xpv_iommu,
	},
	{
		.name = "xenpage",
		.summary = "show frames of the machine: whose, of which type",
		.help = "An entry of the frame table for the frame at the "
			"address: a frame number, a machine address (-m where "
			"both would do), the address of a struct page_info, or "
			"an address of the hypervisor or of a kernel: the frame "
			"mapped there.\n\n"
			"Without an address, all frames of the domain that -d "
			"names; with -s, sums.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "frame",
		.options = xpv_page_options,
		.table = &xpv_page_table,
		.examples = xpv_page_examples,
		.run = xpv_xenpage,
	},
	{
		.name = "pfn2mfn",
		.summary = "a guest's frame to the machine's",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "pfn",
		.options = xpv_p2m_options,
		.table = &xpv_pfn2mfn_table,
		.examples = xpv_pfn2mfn_examples,
		.run = xpv_pfn2mfn,
	},
	{
		.name = "mfn2pfn",
		.summary = "a machine's frame to its owner's",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "mfn",
		.table = &xpv_mfn2pfn_table,
		.examples = xpv_mfn2pfn_examples,
		.run = xpv_mfn2pfn,
	},
	{
		.name = "p2m",
		.summary = "a domain's table of machine frames",
		.help = "With a frame of the guest, the steps from it to the "
			"machine's. Without, the whole table in runs. A PV "
			"guest's table is its own, found by what it told the "
			"hypervisor; another's are the page tables of the "
			"second stage.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "pfn",
		.options = xpv_p2m_options,
		.table = &xpv_p2m_table,
		.examples = xpv_p2m_examples,
		.run = xpv_p2m,
	},
	{
		.name = "m2p",
		.summary = "the hypervisor's table of guests' frames",
		.help = "The entry of a machine frame; without an address all "
			"that are a guest's frames, in runs, or those of the "
			"domain that -d names.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "mfn",
		.options = xpv_p2m_options,
		.table = &xpv_m2p_table,
		.examples = xpv_m2p_examples,
		.run = xpv_m2p,
	},
	{ .name = NULL },
};

static const struct mdb_walker walkers[] = {
	{
		.name = "domain",
		.summary = "the domains of the hypervisor",
		.addr = MDB_ADDR_NONE,
		.init = xpv_walk_domain_init,
		.step = xpv_walk_step,
	},
	{
		.name = "vcpu",
		.summary = "the vcpus of a domain; of all without an address",
		.addr = MDB_ADDR_OPTIONAL,
		.init = xpv_walk_vcpu_init,
		.step = xpv_walk_step,
	},
	{
		.name = "pcpu",
		.summary = "the vcpus that the processors run",
		.addr = MDB_ADDR_NONE,
		.init = xpv_walk_pcpu_init,
		.step = xpv_walk_step,
	},
	{
		.name = "runq",
		.summary = "the vcpus that wait for a processor",
		.addr = MDB_ADDR_NONE,
		.init = xpv_walk_runq_init,
		.step = xpv_walk_step,
	},
	{
		.name = "timer",
		.summary = "the timers of the hypervisor that are set",
		.addr = MDB_ADDR_NONE,
		.init = xpv_walk_timer_init,
		.step = xpv_walk_step,
	},
	{
		.name = "evtchn",
		.summary = "the event channels in use of a domain, or of all",
		.addr = MDB_ADDR_OPTIONAL,
		.init = xpv_walk_evtchn_init,
		.step = xpv_walk_step,
	},
	{
		.name = "irq_desc",
		.summary = "the interrupts of the machine: struct irq_desc",
		.addr = MDB_ADDR_NONE,
		.init = xpv_walk_irq_init,
		.step = xpv_walk_irq_step,
	},
	{
		.name = "xenpage",
		.summary = "the frames of the machine, or of a domain: struct "
			   "page_info",
		.addr = MDB_ADDR_OPTIONAL,
		.init = xpv_walk_xenpage_init,
		.step = xpv_walk_xenpage_step,
	},
	{ .name = NULL },
};

/* The current one, else the first; NULL without any. */
static struct mdb_world *
find_world(struct mdb_ctx *cx)
{
	struct mdb_world *w = mdb_world_current(cx);

	if (mdb_world_kind(w) == MDB_WORLD_XEN)
		return w;
	for (w = mdb_world_next(cx, NULL); w != NULL; w = mdb_world_next(cx, w))
		if (mdb_world_kind(w) == MDB_WORLD_XEN)
			break;
	return w;
}

enum mdb_status
xpv_world(struct mdb_ctx *cx, struct mdb_world **world_out)
{
	struct mdb_world *w = find_world(cx);

	if (w == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no hypervisor was found in the dump");
	*world_out = w;
	return MDB_OK;
}

enum mdb_status
xpv_var_loc(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	struct mdb_loc *loc_out)
{
	struct mdb_loc loc;
	enum mdb_status st = mdb_sym_loc(cx, world, name, &loc);

	if (st == MDB_OK && loc.world != world)
		st = mdb_fail(cx, MDB_E_NOTFOUND, "the hypervisor has no %s",
			name);
	if (st == MDB_OK)
		*loc_out = loc;
	return st;
}

enum mdb_status
xpv_var_ptr(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	mdb_addr_t *addr_out)
{
	struct mdb_loc loc;
	enum mdb_status st = xpv_var_loc(cx, world, name, &loc);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, loc, addr_out);
	return st == MDB_OK ? st : mdb_context(cx, st, "variable %s", name);
}

static bool
probe(struct mdb_ctx *cx)
{
	return find_world(cx) != NULL;
}

const struct mdb_module mdb_module_xpv = {
	.api_version = MDB_API_VERSION,
	.name = "xpv",
	.summary = "the hypervisor: domains, virtual and physical CPUs",
	.probe = probe,
	.dcmds = dcmds,
	.walkers = walkers,
	.whatis = xpv_whatis,
	.synthetics = xpv_synthetics,
};
