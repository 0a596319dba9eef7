/* SPDX-License-Identifier: MIT */
/* For tests: the types of an illumos kernel of 32 bits, cut to what is read. */
#ifndef ILLUMOS_FAKE_TYPES_H
#define ILLUMOS_FAKE_TYPES_H

#include "mdb/world/fake_build.h"

#define END          \
	{            \
		NULL \
	}

static const struct fake_member disp_members[] = { { "disp_npri", 0, 2, "-" },
	{ "disp_q", 4, 4, NULL }, { "disp_nrunnable", 8, 4, "-" }, END };
static const struct fake_member dispq_members[] = { { "dq_first", 0, 4, NULL },
	{ "dq_last", 4, 4, NULL }, { "dq_sruncnt", 8, 4, NULL }, END };
static const struct fake_member cpu_members[] = { { "cpu_id", 0, 4, "-" },
	{ "cpu_flags", 4, 4, NULL }, { "cpu_idle_thread", 8, 4, NULL },
	{ "cpu_next", 12, 4, NULL }, { "cpu_prev", 16, 4, NULL },
	{ "cpu_disp", 20, 4, NULL }, { "cpu_runrun", 24, 1, NULL },
	{ "cpu_kprunrun", 25, 1, NULL }, { "cpu_dispatch_pri", 26, 2, "-" },
	{ "cpu_dispthread", 28, 4, NULL }, { "cpu_last_swtch", 32, 4, "-" },
	{ "cpu_base_spl", 36, 4, "-" }, END };
static const struct fake_member thread_members[] = { { "t_link", 0, 4, NULL },
	{ "t_stk", 4, 4, "p" }, { "t_startpc", 8, 4, NULL },
	{ "t_flag", 12, 2, NULL }, { "t_proc_flag", 14, 2, NULL },
	{ "t_schedflag", 16, 2, NULL }, { "t_state", 20, 4, NULL },
	{ "t_pri", 24, 2, "-" }, { "t_epri", 26, 2, "-" },
	{ "t_pcb", 28, 4, NULL }, { "t_wchan", 60, 4, NULL },
	{ "t_cid", 64, 4, NULL }, { "t_pil", 68, 1, NULL },
	{ "t_cpu", 72, 4, NULL }, { "t_intr", 76, 4, NULL },
	{ "t_tid", 80, 4, NULL }, { "t_procp", 84, 4, NULL },
	{ "t_next", 88, 4, NULL }, { "t_prev", 92, 4, NULL },
	{ "t_forw", 96, 4, NULL }, { "t_back", 100, 4, NULL },
	{ "t_lwp", 104, 4, NULL }, { "t_stkbase", 108, 4, "p" }, END };
static const struct fake_member user_members[] = { { "u_comm", 0, 17, "c" },
	{ "u_psargs", 17, 80, "c" }, END };
static const struct fake_member proc_members[] = { { "p_cred", 0, 4, NULL },
	{ "p_stat", 4, 1, NULL }, { "p_ppid", 8, 4, "-" },
	{ "p_parent", 12, 4, NULL }, { "p_next", 16, 4, NULL },
	{ "p_pidp", 20, 4, NULL }, { "p_pgidp", 24, 4, NULL },
	{ "p_flag", 28, 4, NULL }, { "p_tlist", 32, 4, NULL },
	{ "p_user", 36, 97, "user" }, END };
static const struct fake_member pid_members[] = { { "pid_id", 0, 4, "-" },
	END };
static const struct fake_member cred_members[] = { { "cr_uid", 0, 4, NULL },
	END };
static const struct fake_member mblk_members[] = { { "b_next", 0, 4, NULL },
	{ "b_cont", 4, 4, NULL }, { "b_rptr", 8, 4, NULL },
	{ "b_wptr", 12, 4, NULL }, END };
static const struct fake_member queue_members[] = { { "q_first", 0, 4, NULL },
	END };
static const struct fake_member log_members[] = { { "level", 0, 1, NULL },
	{ "flags", 2, 2, NULL }, { "ltime", 4, 4, NULL },
	{ "seq_no", 8, 4, NULL }, { "pri", 12, 4, NULL }, END };
static const struct fake_member modctl_members[] = { { "mod_next", 0, 4, NULL },
	{ "mod_prev", 4, 4, NULL }, { "mod_id", 8, 4, NULL },
	{ "mod_mp", 12, 4, NULL }, { "mod_linkage", 16, 4, NULL },
	{ "mod_filename", 20, 4, NULL }, { "mod_modname", 24, 4, NULL },
	{ "mod_loaded", 28, 1, NULL }, { "mod_installed", 29, 1, NULL },
	{ "mod_ref", 32, 4, NULL }, END };
static const struct fake_member module_members[] = { { "text", 0, 4, NULL },
	{ "text_size", 4, 4, NULL }, { "data_size", 8, 4, NULL }, END };
static const struct fake_member linkage_members[] = { { "ml_rev", 0, 4, NULL },
	{ "ml_linkage", 4, 28, "p" }, END };
static const struct fake_member info_members[] = { { "pi_version", 0, 4, NULL },
	{ "pi_panicstr", 4, 4, NULL }, { "pi_domain", 8, 4, NULL },
	{ "pi_vcpu", 12, 4, NULL }, END };
static const struct fake_member utsname_members[] = {
	{ "sysname", 0, 257, "c" }, { "nodename", 257, 257, "c" }, END
};
static const struct fake_member xenver_members[] = { { "xv_ver", 0, 4, "p" },
	{ "xv_compile_domain", 4, 4, "p" }, END };
static const struct fake_member vcpu_members[] = { { "vcpu_id", 0, 4, "-" },
	END };

enum {
	DISP,
	DISPQ,
	CPU,
	THREAD,
	USER,
	PROC,
	PID,
	CRED,
	MBLK,
	QUEUE,
	LOG,
	MODCTL,
	MODULE,
	LINKAGE,
	INFO,
	UTSNAME,
	XENVER
};

static const struct fake_struct structs[] = {
	[DISP] = { "_disp", "disp_t", 12, disp_members },
	[DISPQ] = { "dispq", "dispq_t", 12, dispq_members },
	[CPU] = { "cpu", "cpu_t", 40, cpu_members },
	[THREAD] = { "_kthread", "kthread_t", 112, thread_members },
	[USER] = { "user", NULL, 97, user_members },
	[PROC] = { "proc", "proc_t", 136, proc_members },
	[PID] = { "pid", NULL, 4, pid_members },
	[CRED] = { "cred", "cred_t", 4, cred_members },
	[MBLK] = { "msgb", "mblk_t", 16, mblk_members },
	[QUEUE] = { "queue", "queue_t", 4, queue_members },
	[LOG] = { "log_ctl", "log_ctl_t", 16, log_members },
	[MODCTL] = { "modctl", NULL, 36, modctl_members },
	[MODULE] = { "module", NULL, 12, module_members },
	[LINKAGE] = { "modlinkage", NULL, 32, linkage_members },
	[INFO] = { "panic_info", NULL, 16, info_members },
	[UTSNAME] = { "utsname", NULL, 514, utsname_members },
	[XENVER] = { "xenver", NULL, 8, xenver_members },
	{ NULL },
};

#endif
