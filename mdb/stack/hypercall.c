/* SPDX-License-Identifier: MIT */
/*
 * Names of hypercalls.  Numbers and names: xen/include/public/{xen,memory,
 * version,grant_table,vcpu,sched,callback,event_channel,physdev,sysctl,domctl,
 * kexec,platform,pmu,nmi}.h and hvm/hvm_op.h of Xen 4.20; numbers are never
 * used again for something else.
 */
#include "mdb/stack/hypercall.h"

#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <inttypes.h>

struct ops {
	const char *const *names;
	size_t count;
	enum mdb_hypercall_op place;
	uint64_t mask; /* the bits of the argument that count; 0: all */
};

/* clang-format off */
static const char *const calls[] = {
	[0] = "set_trap_table",
	[1] = "mmu_update",
	[2] = "set_gdt",
	[3] = "stack_switch",
	[4] = "set_callbacks",
	[5] = "fpu_taskswitch",
	[6] = "sched_op_compat",
	[7] = "platform_op",
	[8] = "set_debugreg",
	[9] = "get_debugreg",
	[10] = "update_descriptor",
	[12] = "memory_op",
	[13] = "multicall",
	[14] = "update_va_mapping",
	[15] = "set_timer_op",
	[16] = "event_channel_op_compat",
	[17] = "xen_version",
	[18] = "console_io",
	[19] = "physdev_op_compat",
	[20] = "grant_table_op",
	[21] = "vm_assist",
	[22] = "update_va_mapping_otherdomain",
	[23] = "iret",
	[24] = "vcpu_op",
	[25] = "set_segment_base",
	[26] = "mmuext_op",
	[27] = "xsm_op",
	[28] = "nmi_op",
	[29] = "sched_op",
	[30] = "callback_op",
	[31] = "xenoprof_op",
	[32] = "event_channel_op",
	[33] = "physdev_op",
	[34] = "hvm_op",
	[35] = "sysctl",
	[36] = "domctl",
	[37] = "kexec_op",
	[38] = "tmem_op",
	[39] = "argo_op",
	[40] = "xenpmu_op",
	[41] = "dm_op",
	[42] = "hypfs_op",
	[48] = "mca",
	[49] = "paging_domctl_cont",
};

static const char *const platform_op[] = {
	[17] = "settime32",
	[31] = "add_memtype",
	[32] = "del_memtype",
	[33] = "read_memtype",
	[35] = "microcode_update",
	[39] = "platform_quirk",
	[48] = "get_cpu_version",
	[49] = "efi_runtime_call",
	[50] = "firmware_info",
	[51] = "enter_acpi_sleep",
	[52] = "change_freq",
	[53] = "getidletime",
	[54] = "set_processor_pminfo",
	[55] = "get_cpuinfo",
	[56] = "cpu_online",
	[57] = "cpu_offline",
	[58] = "cpu_hotadd",
	[59] = "mem_hotadd",
	[60] = "core_parking",
	[61] = "resource_op",
	[62] = "settime64",
	[63] = "get_symbol",
	[64] = "get_dom0_console",
	[65] = "get_ucode_revision",
	[66] = "microcode_update2",
};

static const char *const memory_op[] = {
	[0] = "increase_reservation",
	[1] = "decrease_reservation",
	[2] = "maximum_ram_page",
	[3] = "current_reservation",
	[4] = "maximum_reservation",
	[5] = "machphys_mfn_list",
	[6] = "populate_physmap",
	[7] = "add_to_physmap",
	[9] = "memory_map",
	[10] = "machine_memory_map",
	[11] = "exchange",
	[12] = "machphys_mapping",
	[13] = "set_memory_map",
	[14] = "maximum_gpfn",
	[15] = "remove_from_physmap",
	[16] = "set_pod_target",
	[17] = "get_pod_target",
	[18] = "get_sharing_freed_pages",
	[19] = "get_sharing_shared_pages",
	[20] = "paging_op",
	[21] = "access_op",
	[22] = "sharing_op",
	[23] = "add_to_physmap_batch",
	[24] = "claim_pages",
	[25] = "machphys_compat_mfn_list",
	[26] = "get_vnumainfo",
	[27] = "reserved_device_memory_map",
	[28] = "acquire_resource",
};

static const char *const xen_version[] = {
	[0] = "version",
	[1] = "extraversion",
	[2] = "compile_info",
	[3] = "capabilities",
	[4] = "changeset",
	[5] = "platform_parameters",
	[6] = "get_features",
	[7] = "pagesize",
	[8] = "guest_handle",
	[9] = "commandline",
	[10] = "build_id",
	[11] = "extraversion2",
	[12] = "capabilities2",
	[13] = "changeset2",
	[14] = "commandline2",
};

static const char *const vm_assist[] = {
	[0] = "enable",
	[1] = "disable",
};

static const char *const nmi_op[] = {
	[0] = "register_callback",
	[1] = "unregister_callback",
};

static const char *const console_io[] = {
	[0] = "write",
	[1] = "read",
};

static const char *const grant_table_op[] = {
	[0] = "map_grant_ref",
	[1] = "unmap_grant_ref",
	[2] = "setup_table",
	[3] = "dump_table",
	[4] = "transfer",
	[5] = "copy",
	[6] = "query_size",
	[7] = "unmap_and_replace",
	[8] = "set_version",
	[9] = "get_status_frames",
	[10] = "get_version",
	[11] = "swap_grant_ref",
	[12] = "cache_flush",
};

static const char *const vcpu_op[] = {
	[0] = "initialise",
	[1] = "up",
	[2] = "down",
	[3] = "is_up",
	[4] = "get_runstate_info",
	[5] = "register_runstate_memory_area",
	[6] = "set_periodic_timer",
	[7] = "stop_periodic_timer",
	[8] = "set_singleshot_timer",
	[9] = "stop_singleshot_timer",
	[10] = "register_vcpu_info",
	[11] = "send_nmi",
	[12] = "get_physid",
	[13] = "register_vcpu_time_memory_area",
	[14] = "register_runstate_phys_area",
	[15] = "register_vcpu_time_phys_area",
};

static const char *const mmuext_op[] = {
	[0] = "pin_l1_table",
	[1] = "pin_l2_table",
	[2] = "pin_l3_table",
	[3] = "pin_l4_table",
	[4] = "unpin_table",
	[5] = "new_baseptr",
	[6] = "tlb_flush_local",
	[7] = "invlpg_local",
	[8] = "tlb_flush_multi",
	[9] = "invlpg_multi",
	[10] = "tlb_flush_all",
	[11] = "invlpg_all",
	[12] = "flush_cache",
	[13] = "set_ldt",
	[15] = "new_user_baseptr",
	[16] = "clear_page",
	[17] = "copy_page",
	[18] = "flush_cache_global",
	[19] = "mark_super",
	[20] = "unmark_super",
};

static const char *const sched_op[] = {
	[0] = "yield",
	[1] = "block",
	[2] = "shutdown",
	[3] = "poll",
	[4] = "remote_shutdown",
	[5] = "shutdown_code",
	[6] = "watchdog",
	[7] = "pin_override",
};

static const char *const callback_op[] = {
	[0] = "register",
	[1] = "unregister",
};

static const char *const event_channel_op[] = {
	[0] = "bind_interdomain",
	[1] = "bind_virq",
	[2] = "bind_pirq",
	[3] = "close",
	[4] = "send",
	[5] = "status",
	[6] = "alloc_unbound",
	[7] = "bind_ipi",
	[8] = "bind_vcpu",
	[9] = "unmask",
	[10] = "reset",
	[11] = "init_control",
	[12] = "expand_array",
	[13] = "set_priority",
	[14] = "reset_cont",
};

static const char *const physdev_op[] = {
	[5] = "irq_status_query",
	[6] = "set_iopl",
	[7] = "set_iobitmap",
	[8] = "apic_read",
	[9] = "apic_write",
	[10] = "alloc_irq_vector",
	[11] = "free_irq_vector",
	[12] = "eoi",
	[13] = "map_pirq",
	[14] = "unmap_pirq",
	[15] = "manage_pci_add",
	[16] = "manage_pci_remove",
	[17] = "pirq_eoi_gmfn_v1",
	[19] = "restore_msi",
	[20] = "manage_pci_add_ext",
	[21] = "setup_gsi",
	[23] = "get_free_pirq",
	[24] = "pci_mmcfg_reserved",
	[25] = "pci_device_add",
	[26] = "pci_device_remove",
	[27] = "restore_msi_ext",
	[28] = "pirq_eoi_gmfn_v2",
	[29] = "dbgp_op",
	[30] = "prepare_msix",
	[31] = "release_msix",
	[32] = "pci_device_reset",
};

static const char *const hvm_op[] = {
	[0] = "set_param",
	[1] = "get_param",
	[2] = "set_pci_intx_level",
	[3] = "set_isa_irq_level",
	[4] = "set_pci_link_route",
	[5] = "flush_tlbs",
	[9] = "pagetable_dying",
	[10] = "get_time",
	[11] = "xentrace",
	[12] = "set_mem_access",
	[13] = "get_mem_access",
	[15] = "get_mem_type",
	[23] = "set_evtchn_upcall_vector",
	[24] = "guest_request_vm_event",
	[25] = "altp2m",
};

static const char *const sysctl[] = {
	[1] = "readconsole",
	[2] = "tbuf_op",
	[3] = "physinfo",
	[4] = "sched_id",
	[5] = "perfc_op",
	[6] = "getdomaininfolist",
	[7] = "debug_keys",
	[8] = "getcpuinfo",
	[9] = "availheap",
	[10] = "get_pmstat",
	[11] = "cpu_hotplug",
	[12] = "pm_op",
	[14] = "page_offline_op",
	[15] = "lockprof_op",
	[16] = "cputopoinfo",
	[17] = "numainfo",
	[18] = "cpupool_op",
	[19] = "scheduler_op",
	[20] = "coverage_op",
	[21] = "psr_cmt_op",
	[22] = "pcitopoinfo",
	[23] = "psr_alloc",
	[24] = "tmem_op",
	[25] = "get_cpu_levelling_caps",
	[26] = "get_cpu_featureset",
	[27] = "livepatch_op",
	[29] = "get_cpu_policy",
	[30] = "dt_overlay",
};

static const char *const domctl[] = {
	[1] = "createdomain",
	[2] = "destroydomain",
	[3] = "pausedomain",
	[4] = "unpausedomain",
	[5] = "getdomaininfo",
	[9] = "setvcpuaffinity",
	[10] = "shadow_op",
	[11] = "max_mem",
	[12] = "setvcpucontext",
	[13] = "getvcpucontext",
	[14] = "getvcpuinfo",
	[15] = "max_vcpus",
	[16] = "scheduler_op",
	[17] = "setdomainhandle",
	[18] = "setdebugging",
	[19] = "irq_permission",
	[20] = "iomem_permission",
	[21] = "ioport_permission",
	[22] = "hypercall_init",
	[23] = "soft_reset_cont",
	[24] = "settimeoffset",
	[25] = "getvcpuaffinity",
	[26] = "real_mode_area",
	[27] = "resumedomain",
	[28] = "sendtrigger",
	[29] = "subscribe",
	[33] = "gethvmcontext",
	[34] = "sethvmcontext",
	[35] = "set_address_size",
	[36] = "get_address_size",
	[37] = "assign_device",
	[38] = "bind_pt_irq",
	[39] = "memory_mapping",
	[40] = "ioport_mapping",
	[42] = "set_ext_vcpucontext",
	[43] = "get_ext_vcpucontext",
	[44] = "set_opt_feature",
	[45] = "test_assign_device",
	[46] = "set_target",
	[47] = "deassign_device",
	[48] = "unbind_pt_irq",
	[50] = "get_device_group",
	[54] = "debug_op",
	[55] = "gethvmcontext_partial",
	[56] = "vm_event_op",
	[57] = "mem_sharing_op",
	[59] = "gettscinfo",
	[60] = "settscinfo",
	[61] = "getpageframeinfo3",
	[62] = "setvcpuextstate",
	[63] = "getvcpuextstate",
	[64] = "set_access_required",
	[65] = "audit_p2m",
	[66] = "set_virq_handler",
	[67] = "set_broken_page_p2m",
	[68] = "setnodeaffinity",
	[69] = "getnodeaffinity",
	[71] = "cacheflush",
	[72] = "get_vcpu_msrs",
	[73] = "set_vcpu_msrs",
	[74] = "setvnumainfo",
	[75] = "psr_cmt_op",
	[77] = "monitor_op",
	[78] = "psr_alloc",
	[79] = "soft_reset",
	[81] = "vuart_op",
	[82] = "get_cpu_policy",
	[83] = "set_cpu_policy",
	[84] = "vmtrace_op",
	[85] = "get_paging_mempool_size",
	[86] = "set_paging_mempool_size",
	[87] = "dt_overlay",
	[88] = "gsi_permission",
	[89] = "set_llc_colors",
};

static const char *const kexec_op[] = {
	[0] = "kexec",
	[1] = "load_v1",
	[2] = "unload_v1",
	[3] = "get_range",
	[4] = "load",
	[5] = "unload",
	[6] = "status",
};

static const char *const xenpmu_op[] = {
	[0] = "mode_get",
	[1] = "mode_set",
	[2] = "feature_get",
	[3] = "feature_set",
	[4] = "init",
	[5] = "finish",
	[6] = "lvtpc_set",
	[7] = "flush",
};

#define OPS(n, table, place, mask)                                            \
	[n] = { (table), sizeof(table) / sizeof((table)[0]), (place), (mask) }

static const struct ops ops[] = {
	OPS(6, sched_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(7, platform_op, MDB_HYPERCALL_OP_MEMORY, 0),
	OPS(12, memory_op, MDB_HYPERCALL_OP_ARGUMENT, 0x3f),
	OPS(16, event_channel_op, MDB_HYPERCALL_OP_MEMORY, 0),
	OPS(17, xen_version, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(18, console_io, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(19, physdev_op, MDB_HYPERCALL_OP_MEMORY, 0),
	OPS(20, grant_table_op, MDB_HYPERCALL_OP_ARGUMENT, 0xfff),
	OPS(21, vm_assist, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(24, vcpu_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(26, mmuext_op, MDB_HYPERCALL_OP_MEMORY, 0),
	OPS(28, nmi_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(29, sched_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(30, callback_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(32, event_channel_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(33, physdev_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(34, hvm_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(35, sysctl, MDB_HYPERCALL_OP_MEMORY, 0),
	OPS(36, domctl, MDB_HYPERCALL_OP_MEMORY, 0),
	OPS(37, kexec_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(40, xenpmu_op, MDB_HYPERCALL_OP_ARGUMENT, 0),
	OPS(49, domctl, MDB_HYPERCALL_OP_MEMORY, 0),
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *
mdb_hypercall_name(uint64_t number)
{
	return number < COUNT(calls) ? calls[number] : NULL;
}

static const struct ops *
ops_of(uint64_t number)
{
	return number < COUNT(ops) && ops[number].count > 0 ? &ops[number]
							    : NULL;
}

const char *
mdb_hypercall_op_name(uint64_t number, uint64_t op)
{
	const struct ops *o = ops_of(number);

	if (o && o->mask != 0)
		op &= o->mask;
	return o && op < o->count ? o->names[op] : NULL;
}

size_t
mdb_hypercall_nr_ops(uint64_t number)
{
	const struct ops *o = ops_of(number);

	return o ? o->count : 0;
}

enum mdb_hypercall_op
mdb_hypercall_op_place(uint64_t number)
{
	const struct ops *o = ops_of(number);

	return o ? o->place : MDB_HYPERCALL_OP_NONE;
}

#define CR3_FRAME 0x000ffffffffff000ull

/*
 * The guest's memory as the CPU saw it when the dump was taken: the buffer is
 * a process's, and a paravirtual guest's page tables are the machine's.
 */
static bool
read_op(struct mdb_ctx *cx, struct mdb_world *guest,
	const struct mdb_regs *regs, uint64_t *op_out)
{
	struct mdb_space *space;
	uint8_t bytes[4];
	enum mdb_status st;

	if (!guest || !mdb_reg_known(regs, MDB_R_CR3))
		return false;
	st = mdb_space_of_root(cx, guest, regs->r[MDB_R_CR3] & CR3_FRAME,
		&space);
	if (st == MDB_OK)
		st = mdb_space_try(space, regs->r[MDB_R_DI], bytes,
			sizeof(bytes));
	mdb_forget(cx);
	if (st != MDB_OK)
		return false;
	*op_out = mdb_le32(bytes);
	return true;
}

const char *
mdb_hypercall_text(struct mdb_ctx *cx, struct mdb_world *guest,
	const struct mdb_regs *regs)
{
	uint64_t number = regs->r[MDB_R_ORIG_AX], op = regs->r[MDB_R_DI];
	const char *name = mdb_hypercall_name(number), *op_name;
	const struct ops *o = ops_of(number);

	if (!mdb_reg_known(regs, MDB_R_ORIG_AX))
		return "hypercall (its number is no longer saved)";
	if (!name)
		return mdb_tmp_printf(cx, "hypercall %" PRIu64, number);
	if (!o || !mdb_reg_known(regs, MDB_R_DI) ||
		(o->place == MDB_HYPERCALL_OP_MEMORY &&
			!read_op(cx, guest, regs, &op)))
		return mdb_tmp_printf(cx, "hypercall %" PRIu64 " %s", number,
			name);
	op &= 0xffffffff;
	op_name = mdb_hypercall_op_name(number, op);
	if (!op_name)
		return mdb_tmp_printf(cx, "hypercall %" PRIu64 " %s", number,
			name);
	return mdb_tmp_printf(cx, "hypercall %" PRIu64 " %s (%s)", number, name,
		op_name);
}

/* xen/arch/x86/include/asm/irq-vectors.h, Xen 4.14 to 4.20. */
const char *
mdb_xen_interrupt_name(int vector)
{
	static const char *const names[] = { "PMU", "local timer",
		"function call", "event check", "invalidate TLB", "APIC error",
		"spurious" };

	return vector >= 0xf9 && vector <= 0xff ? names[vector - 0xf9] : NULL;
}
