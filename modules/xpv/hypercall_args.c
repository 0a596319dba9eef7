/* SPDX-License-Identifier: MIT */
/*
 * What the arguments of the hypercalls are called: xen/include/hypercall-defs.c
 * of Xen 4.20.3, which took none back of what 4.14 had.
 */
#include "hypercall.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const args[][XPV_HYPERCALL_ARGS] = {
	[0] = { "traps" },
	[1] = { "ureqs", "count", "pdone", "foreigndom" },
	[2] = { "frame_list", "entries" },
	[3] = { "ss", "esp" },
	[4] = { "event", "failsafe", "syscall" },
	[5] = { "set" },
	[6] = { "cmd", "arg" },
	[7] = { "u_xenpf_op" },
	[8] = { "reg", "value" },
	[9] = { "reg" },
	[10] = { "gaddr", "desc" },
	[12] = { "cmd", "arg" },
	[13] = { "call_list", "nr_calls" },
	[14] = { "va", "val", "flags" },
	[15] = { "timeout" },
	[16] = { "uop" },
	[17] = { "cmd", "arg" },
	[18] = { "cmd", "count", "buffer" },
	[19] = { "uop" },
	[20] = { "cmd", "uop", "count" },
	[21] = { "cmd", "type" },
	[22] = { "va", "val", "flags", "domid" },
	[24] = { "cmd", "vcpuid", "arg" },
	[25] = { "which", "base" },
	[26] = { "uops", "count", "pdone", "foreigndom" },
	[27] = { "op" },
	[28] = { "cmd", "arg" },
	[29] = { "cmd", "arg" },
	[30] = { "cmd", "arg" },
	[31] = { "op", "arg" },
	[32] = { "cmd", "arg" },
	[33] = { "cmd", "arg" },
	[34] = { "op", "arg" },
	[35] = { "u_sysctl" },
	[36] = { "u_domctl" },
	[37] = { "op", "uarg" },
	[38] = { "uops" },
	[39] = { "cmd", "arg1", "arg2", "arg3", "arg4" },
	[40] = { "op", "arg" },
	[41] = { "domid", "nr_bufs", "bufs" },
	[42] = { "cmd", "arg1", "arg2", "arg3", "arg4" },
	[48] = { "u_xen_mc" },
	[49] = { "u_domctl" },
};

const char *
xpv_hypercall_arg(uint64_t number, size_t i)
{
	return number < COUNT(args) && i < XPV_HYPERCALL_ARGS ? args[number][i]
							      : NULL;
}
