/* SPDX-License-Identifier: MIT */
/*
 * Structures of the kernel, 32 bits: the members that the session's commands
 * read and their neighbours, under their own names and in their own order.
 */
#ifndef GOLDCLOTH_KERN_H
#define GOLDCLOTH_KERN_H

#include "at.h"

#define SYS_NMLN 257
#define PANICBUFSIZE 8192
#define NCPU 32

typedef unsigned char uchar_t;
typedef unsigned short ushort_t;
typedef unsigned int uint_t;
typedef unsigned long ulong_t;
typedef char *caddr_t;
typedef long clock_t;
typedef long id_t;
typedef int pid_t;
typedef int uid_t;
typedef int gid_t;
typedef int processorid_t;
typedef int psetid_t;
typedef short pri_t;
typedef long dev_t;
typedef int major_t;
typedef long long hrtime_t;
typedef long long longlong_t;
typedef unsigned long long u_longlong_t;
typedef long long offset_t;
typedef unsigned long long u_offset_t;
typedef unsigned long long kt_did_t;
typedef unsigned long pfn_t;
typedef enum {
	B_FALSE,
	B_TRUE
} boolean_t;
typedef uchar_t lock_t;
typedef lock_t disp_lock_t;
typedef uint32_t id32_t;

typedef struct mutex {
	void *_opaque[1];
} kmutex_t;

typedef struct _kcondvar {
	ushort_t _opaque;
} kcondvar_t;

typedef struct _label_t {
	long val[8];
} label_t;

struct utsname {
	char sysname[SYS_NMLN];
	char nodename[SYS_NMLN];
	char release[SYS_NMLN];
	char version[SYS_NMLN];
	char machine[SYS_NMLN];
};

/* What the hypervisor said of itself at boot. */
struct xenver {
	char *xv_ver;
	char *xv_chgset;
	char *xv_compiler;
	char *xv_compile_date;
	char *xv_compile_by;
	char *xv_compile_domain;
	char *xv_caps;
};

/* ---- threads and processors -------------------------------------------- */

#define CPU_RUNNING 0x001
#define CPU_READY 0x002
#define CPU_QUIESCED 0x004
#define CPU_EXISTS 0x008
#define CPU_ENABLE 0x010

#define TS_FREE 0x00
#define TS_SLEEP 0x01
#define TS_RUN 0x02
#define TS_ONPROC 0x04

#define T_TALLOCSTK 0x0040
#define T_DONTBLOCK 0x0020
#define TS_LOAD 0x0001
#define TS_DONT_SWAP 0x0002

typedef struct _kthread *kthread_id_t;
typedef struct _kthread kthread_t;
typedef struct cpu cpu_t;
typedef struct proc proc_t;
typedef struct _klwp klwp_t;
typedef struct _disp disp_t;
typedef struct dispq dispq_t;
typedef struct cred cred_t;
typedef struct vnode vnode_t;
typedef uint_t cpu_flag_t;

struct dispq {
	kthread_t *dq_first;
	kthread_t *dq_last;
	int dq_sruncnt;
};

struct _disp {
	disp_lock_t disp_lock;
	pri_t disp_npri;
	dispq_t *disp_q;
	dispq_t *disp_q_limit;
	ulong_t *disp_qactmap;
	pri_t disp_maxrunpri;
	pri_t disp_max_unbound_pri;
	volatile int disp_nrunnable;
	struct cpu *disp_cpu;
	hrtime_t disp_steal;
};

struct _kthread {
	struct _kthread *t_link;
	caddr_t t_stk;
	void (*t_startpc)(void);
	struct cpu *t_bound_cpu;
	short t_affinitycnt;
	short t_bind_cpu;
	ushort_t t_flag;
	ushort_t t_proc_flag;
	ushort_t t_schedflag;
	volatile char t_preempt;
	volatile char t_preempt_lk;
	uint_t t_state;
	pri_t t_pri;
	pri_t t_epri;
	pri_t t_cpri;
	char t_writer;
	uchar_t t_bindflag;
	label_t t_pcb;
	void *t_wchan0;
	void *t_wchan;
	void *t_sobj_ops;
	id_t t_cid;
	struct thread_ops *t_clfuncs;
	void *t_cldata;
	void *t_ctx;
	uintptr_t t_lofault;
	label_t *t_onfault;
	void *t_ontrap;
	caddr_t t_swap;
	lock_t t_lock;
	uint8_t t_lockstat;
	uint8_t t_pil;
	disp_lock_t *t_lockp;
	uint_t t_oldspl;
	volatile char t_pre_sys;
	lock_t t_lock_flush;
	struct _disp *t_disp_queue;
	clock_t t_disp_time;
	uint_t t_kpri_req;
	uchar_t t_astflag;
	uchar_t t_sig_check;
	uchar_t t_post_sys;
	uchar_t t_sysnum;
	struct cpu *t_cpu;
	struct cpu *t_lpl;
	struct _kthread *t_intr;
	kt_did_t t_did;
	caddr_t t_tnf_tpdp;
	pid_t t_tid;
	id_t t_waitfor;
	struct proc *t_procp;
	struct _kthread *t_next;
	struct _kthread *t_prev;
	struct _kthread *t_back;
	struct _kthread *t_forw;
	klwp_t *t_lwp;
	cred_t *t_cred;
	caddr_t t_stkbase;
	caddr_t t_mstate_base;
	void *t_activefd;
	struct _kthread *t_priforw;
	struct _kthread *t_priback;
	struct _kthread *t_sleepq;
	void *t_ts;
	void *t_panic_trap;
	void *t_taskq;
	hrtime_t t_anttime;
	clock_t t_lbolt;
	int t_nupinned;
};

struct _klwp {
	struct {
		void *pcb_fpu;
		uint_t pcb_flags;
		ulong_t pcb_drreg[8];
	} lwp_pcb;
	struct regs *lwp_regs;
	struct _kthread *lwp_thread;
	struct proc *lwp_procp;
	int lwp_state;
};

struct machcpu {
	int mcpu_pri;
	struct hat *mcpu_current_hat;
	void *mcpu_vcpu_info;
	uint64_t mcpu_gdtpa;
	pfn_t mcpu_mfn_pend;
	uintptr_t mcpu_vcpu_time_info;
};

struct cpu {
	processorid_t cpu_id;
	processorid_t cpu_seqid;
	volatile cpu_flag_t cpu_flags;
	struct cpu *cpu_self;
	kthread_t *cpu_thread;
	kthread_t *cpu_idle_thread;
	kthread_t *cpu_pause_thread;
	klwp_t *cpu_lwp;
	klwp_t *cpu_fpowner;
	struct cpupart *cpu_part;
	struct lgrp_ld *cpu_lpl;
	int cpu_cache_offset;
	struct cpu *cpu_next;
	struct cpu *cpu_prev;
	struct cpu *cpu_next_onln;
	struct cpu *cpu_prev_onln;
	struct cpu *cpu_next_part;
	struct cpu *cpu_prev_part;
	struct cpu *cpu_next_lpl;
	struct cpu *cpu_prev_lpl;
	void *cpu_reserved[4];
	disp_t *cpu_disp;
	char cpu_runrun;
	char cpu_kprunrun;
	pri_t cpu_chosen_level;
	kthread_t *cpu_dispthread;
	disp_lock_t cpu_thread_lock;
	uint8_t cpu_disp_flags;
	pri_t cpu_dispatch_pri;
	clock_t cpu_last_swtch;
	caddr_t cpu_intr_stack;
	int cpu_on_intr;
	kthread_t *cpu_intr_thread;
	uint_t cpu_intr_actv;
	int cpu_base_spl;
	struct kstat *cpu_info_kstat;
	uintptr_t cpu_profile_pc;
	uintptr_t cpu_profile_upc;
	uint64_t cpu_dtrace_caller;
	char cpu_state_name[16];
	struct machcpu cpu_m;
};

struct pid {
	uint_t pid_prinactive;
	pid_t pid_id;
	uint_t pid_ref;
};

#define MAXCOMLEN 16
#define PSARGSZ 80

struct user {
	struct {
		long tv_sec;
		long tv_nsec;
	} u_start;
	clock_t u_ticks;
	char u_comm[MAXCOMLEN + 1];
	char u_psargs[PSARGSZ];
	int u_argc;
	uintptr_t u_argv;
	uintptr_t u_envp;
	struct vnode *u_cdir;
	struct vnode *u_rdir;
};

#define SSYS 0x00000001
#define SLOAD 0x00000008
#define SRUN 2

struct proc {
	struct vnode *p_exec;
	struct as *p_as;
	struct plock *p_lockp;
	kmutex_t p_crlock;
	struct cred *p_cred;
	int p_swapcnt;
	char p_stat;
	char p_wcode;
	ushort_t p_pidflag;
	int p_wdata;
	pid_t p_ppid;
	struct proc *p_link;
	struct proc *p_parent;
	struct proc *p_child;
	struct proc *p_sibling;
	struct proc *p_psibling;
	struct proc *p_next;
	struct proc *p_prev;
	struct pid *p_pidp;
	struct pid *p_pgidp;
	uint_t p_flag;
	clock_t p_utime;
	clock_t p_stime;
	kthread_t *p_tlist;
	int p_lwpcnt;
	int p_lwprcnt;
	struct user p_user;
};

/* ---- panic ------------------------------------------------------------- */

typedef struct panic_nv {
	char pnv_name[16];
	uint64_t pnv_value;
} panic_nv_t;

typedef struct panic_data {
	uint32_t pd_version;
	uint32_t pd_msgoff;
	panic_nv_t pd_nvdata[24];
} panic_data_t;

struct regs {
	ulong_t r_savfp;
	ulong_t r_savpc;
	ulong_t r_gs;
	ulong_t r_fs;
	ulong_t r_es;
	ulong_t r_ds;
	ulong_t r_edi;
	ulong_t r_esi;
	ulong_t r_ebp;
	ulong_t r_esp;
	ulong_t r_ebx;
	ulong_t r_edx;
	ulong_t r_ecx;
	ulong_t r_eax;
	ulong_t r_trapno;
	ulong_t r_err;
	ulong_t r_eip;
	ulong_t r_cs;
	ulong_t r_efl;
	ulong_t r_uesp;
	ulong_t r_ss;
};

struct panic_frame {
	ulong_t pf_fp;
	ulong_t pf_pc;
};

/* What a panicking hypervisor hands over; it lies in its memory. */
struct panic_info {
	int pi_version;
	struct regs *pi_regs;
	void *pi_apic;
	char *pi_panicstr;
	void *pi_ram_start;
	void *pi_ram_end;
	void *pi_xen_start;
	void *pi_xen_end;
	void *pi_stktop;
	struct domain *pi_domain;
	struct vcpu *pi_vcpu;
	int pi_dom0cpu;
};

/* ---- modules ----------------------------------------------------------- */

typedef struct {
	unsigned char e_ident[16];
	uint16_t e_type;
	uint16_t e_machine;
	uint32_t e_version;
	uint32_t e_entry;
	uint32_t e_phoff;
	uint32_t e_shoff;
	uint32_t e_flags;
	uint16_t e_ehsize;
	uint16_t e_phentsize;
	uint16_t e_phnum;
	uint16_t e_shentsize;
	uint16_t e_shnum;
	uint16_t e_shstrndx;
} Ehdr;

typedef struct {
	uint32_t sh_name;
	uint32_t sh_type;
	uint32_t sh_flags;
	uint32_t sh_addr;
	uint32_t sh_offset;
	uint32_t sh_size;
	uint32_t sh_link;
	uint32_t sh_info;
	uint32_t sh_addralign;
	uint32_t sh_entsize;
} Shdr;

typedef struct {
	uint32_t st_name;
	uint32_t st_value;
	uint32_t st_size;
	unsigned char st_info;
	unsigned char st_other;
	uint16_t st_shndx;
} Sym;

struct module {
	int total_allocated;
	Ehdr hdr;
	char *shdrs;
	Shdr *symhdr;
	Shdr *strhdr;
	char *depends_on;
	size_t symsize;
	char *symspace;
	int flags;
	size_t text_size;
	size_t data_size;
	char *text;
	char *data;
	unsigned int symtbl_section;
	char *symtbl;
	char *strings;
	unsigned int hashsize;
	int *buckets;
	int *chains;
	unsigned int nsyms;
	unsigned int bss_align;
	size_t bss_size;
	uintptr_t bss;
	char *filename;
	void *head;
	void *tail;
	uintptr_t destination;
	void *machdata;
	char *ctfdata;
	size_t ctfsize;
};

struct modctl {
	struct modctl *mod_next;
	struct modctl *mod_prev;
	int mod_id;
	void *mod_mp;
	kthread_t *mod_inprogress_thread;
	void *mod_modinfo;
	void *mod_linkage;
	char *mod_filename;
	char *mod_modname;
	char mod_busy;
	char mod_want;
	char mod_prim;
	int mod_ref;
	char mod_loaded;
	char mod_installed;
	char mod_loadflags;
	char mod_delay_unload;
	void *mod_requisites;
	void *mod_dependents;
	int mod_loadcnt;
	int mod_nenabled;
	char *mod_text;
	size_t mod_text_size;
	int mod_gencount;
	struct modctl *mod_requisite_loading;
};

/* ---- streams and the message log --------------------------------------- */

typedef struct msgb {
	struct msgb *b_next;
	struct msgb *b_prev;
	struct msgb *b_cont;
	unsigned char *b_rptr;
	unsigned char *b_wptr;
	struct datab *b_datap;
	unsigned char b_band;
	unsigned char b_tag;
	unsigned short b_flag;
	struct queue *b_queue;
} mblk_t;

typedef struct datab {
	void *db_frtnp;
	unsigned char *db_base;
	unsigned char *db_lim;
	unsigned char db_ref;
	unsigned char db_type;
	unsigned char db_flags;
	unsigned char db_struioflag;
	void *db_cpid;
	void *db_cache;
	mblk_t *db_mblk;
	void *db_free;
	void *db_lastfree;
	long db_cksumstart;
} dblk_t;

typedef struct queue {
	struct qinit *q_qinfo;
	struct msgb *q_first;
	struct msgb *q_last;
	struct queue *q_next;
	struct queue *q_link;
	void *q_ptr;
	size_t q_count;
	uint_t q_flag;
	long q_minpsz;
	long q_maxpsz;
	size_t q_hiwat;
	size_t q_lowat;
} queue_t;

typedef struct log_ctl {
	short mid;
	short sid;
	char level;
	short flags;
	clock_t ltime;
	long ttime;
	int seq_no;
	int pri;
} log_ctl_t;

/* ---- the ways of the session's stack ----------------------------------- */

typedef struct page {
	u_offset_t p_offset;
	struct vnode *p_vnode;
	uint_t p_selock;
	uint_t p_vpmref;
	struct page *p_hash;
	struct page *p_vpnext;
	struct page *p_vpprev;
	struct page *p_next;
	struct page *p_prev;
	ushort_t p_lckcnt;
	ushort_t p_cowcnt;
	kcondvar_t p_cv;
	uchar_t p_toxic;
	uchar_t p_szc;
	pfn_t p_pagenum;
} page_t;

struct seg {
	caddr_t s_base;
	size_t s_size;
	uint_t s_szc;
	uint_t s_flags;
	struct as *s_as;
	struct seg_ops *s_ops;
	void *s_data;
};

struct as {
	kmutex_t a_contents;
	uchar_t a_flags;
	struct hat *a_hat;
	struct hrm *a_hrm;
	caddr_t a_userlimit;
	struct seg *a_seglast;
	size_t a_size;
};

struct hat {
	kmutex_t hat_mutex;
	struct as *hat_as;
	uint_t hat_stats;
	ulong_t hat_cpus;
	uint_t hat_flags;
	struct htable *hat_htable;
	struct hat *hat_next;
	struct hat *hat_prev;
};

#define MAXPATHLEN 1024

struct lofi_ioctl {
	uint32_t li_minor;
	boolean_t li_force;
	boolean_t li_cleanup;
	char li_filename[MAXPATHLEN];
};

#endif
