/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own variables: names and versions, what the panic left, and
 * the objects on the overflowing stack's way.
 */
#include "kern.h"

extern struct as kas;

/* ---- names ------------------------------------------------------------- */

IN(unix)
struct utsname utsname = {
	.sysname = "SunOS",
	.nodename = "goldcloth",
	.release = "5.11",
	.version = "matrix-build-2007-04-02",
	.machine = "i86pc",
};
IN(unix) char platform[SYS_NMLN] = "i86xpv";
IN(unix) char hw_provider[SYS_NMLN] = "Sun Microsystems";
IN(unix) char srpc_domain[SYS_NMLN] = "";
IN(unix) int hostid = 0x1f2c6a40;
IN(unix) uintptr_t kernelbase = 0xc3000000;
IN(unix) uintptr_t xen_virt_start = 0xf5800000;
IN(unix) ulong_t *mfn_list = P(ulong_t, 0xf4400000);
IN(unix) ulong_t mfn_count = 0x1000;
IN(unix) void *HYPERVISOR_shared_info = P(void, 0xf4bfe000);

AT(0xccad8fc0) static char ver[] = "3.0.4-1-sun";
AT(0xccad1f80)
static char chgset[] = "Fri Jan 05 16:11:49 2007 +0000 13187:e2466414acc3";
AT(0xccacffc0)
static char compiler[] = "gcc version 3.4.3 (csl-sol210-3_4-20050802)";
AT(0xccad6f08) static char compile_date[] = "Mon Apr  2 06:59:37 PDT 2007";
AT(0xccad8fa0) static char compile_by[] = "xen-discuss";
AT(0xccad8f80) static char compile_domain[4] = "";
AT(0xccad8f60) static char caps[] = "xen-3.0-x86_32p";

IN(unix)
struct xenver xenver = {
	.xv_ver = ver,
	.xv_chgset = chgset,
	.xv_compiler = compiler,
	.xv_compile_date = compile_date,
	.xv_compile_by = compile_by,
	.xv_compile_domain = compile_domain,
	.xv_caps = caps,
};

/* ---- the panic --------------------------------------------------------- */

#define MESSAGE "Domain 0 crashed: "

static const char message[] = MESSAGE;

IN(unix) const char *panicstr = message;
IN(unix) int xpv_panicking = 1;
IN(unix) uintptr_t xpv_panic_cr3 = 0x00be1d00;
IN(unix) struct panic_info *xpv_panic_info = P(struct panic_info, 0xff1bff00);
IN(unix) struct regs *panic_reg = P(struct regs, 0xffbf3ea0);
IN(unix) int panic_ipl = 15;
IN(unix) char panic_stack[16384];

/* The registers by name, then the message. */
IN(unix)
union {
	struct {
		panic_data_t data;
		char text[sizeof(message)];
	} first;
	char bytes[PANICBUFSIZE];
} panicbuf = { .first = {
	.data = {
		.pd_version = 1,
		.pd_msgoff = sizeof(panic_data_t),
		.pd_nvdata = {
			{ "gs", 0x161 }, { "fs", 0 },
			{ "es", 0xe010 }, { "ds", 0xe010 },
			{ "edi", 0xf4b63000 }, { "esi", 0xff192f62 },
			{ "ebp", 0xffbf3f38 }, { "esp", 0xffbf3f1c },
			{ "ebx", 0xffbf3f44 }, { "edx", 3 },
			{ "ecx", 0x1efc }, { "eax", 3 },
			{ "trapno", 0 }, { "err", 0 },
			{ "eip", 0xff13b83f }, { "cs", 0xe008 },
			{ "eflags", 0x282 }, { "uesp", 0xffbf3fe0 },
			{ "ss", 0xe010 }, { "task", 0xe020 },
			{ "cr0", 0x8005003b }, { "cr2", 0xc5a08fd4 },
			{ "cr3", 0x00be1d00 }, { "cr4", 0x6f0 },
		},
	},
	.text = MESSAGE,
} };

/* ---- pages ------------------------------------------------------------- */

/* An inode of nothing: the identity of the kernel's own pages. */
struct vnode {
	kmutex_t v_lock;
	uint_t v_flag;
	uint_t v_count;
	struct page *v_pages;
	int v_type;
	char *v_path;
};

extern page_t page_being_taken;

AT(0xf502ed14)
struct vnode kvp = { .v_count = 1, .v_pages = &page_being_taken };

/* Off its free list, and not yet where it is wanted. */
AT(0xf3328700)
page_t page_being_taken = {
	.p_offset = 0xffffffffffffffffULL,
	.p_selock = 0x80000000,
	.p_next = &page_being_taken,
	.p_prev = &page_being_taken,
	.p_pagenum = 0x2a3b,
};

IN(unix) pfn_t page_freemem = 0x1c43;
IN(unix) kmutex_t page_ctr_mutex = { { P(void, 0xc5a0ade0) } };
IN(unix) ulong_t page_freecnt[2][24] = { { 0, 0x1c43, 0x12, 0, 0x84 } };
IN(unix) page_t *pages = P(page_t, 0xf3300000);

/* The segment that lends the page its address space: on the stack. */
struct vmem {
	char vm_name[30];
	kmutex_t vm_lock;
	uint32_t vm_id;
	uint32_t vm_mtbf;
	int vm_cflags;
	int vm_qshift;
	size_t vm_quantum;
	size_t vm_qcache_max;
	size_t vm_min_import;
};

struct kmem_cache {
	uint64_t cache_slab_create;
	uint64_t cache_slab_destroy;
	char cache_name[32];
	size_t cache_bufsize;
	size_t cache_align;
	struct vmem *cache_arena;
};

AT(0xc5401000)
static struct vmem heap_vmem = { .vm_name = "heap",
	.vm_id = 2,
	.vm_quantum = 4096 };
AT(0xc5402000)
static struct vmem default_vmem = { .vm_name = "kmem_default",
	.vm_id = 11,
	.vm_quantum = 4096 };
AT(0xc57e2888)
static struct kmem_cache zio_cache = { .cache_name = "zio_cache",
	.cache_bufsize = 0x1e0,
	.cache_align = 4,
	.cache_arena = &default_vmem };

IN(unix) struct vmem *heap_arena = &heap_vmem;
IN(unix) struct vmem *kmem_default_arena = &default_vmem;
IN(unix) struct kmem_cache *zio_cache_ptr = &zio_cache;

/* ---- the file to be mapped --------------------------------------------- */

AT(0xcd326e78)
struct cred {
	uint_t cr_ref;
	uid_t cr_uid;
	gid_t cr_gid;
	uid_t cr_ruid;
	gid_t cr_rgid;
	uid_t cr_suid;
	gid_t cr_sgid;
} kcred_cred = { .cr_ref = 214 };
IN(unix) struct cred *kcred = &kcred_cred;

struct dev_info {
	struct dev_info *devi_parent;
	struct dev_info *devi_child;
	struct dev_info *devi_sibling;
	char *devi_binding_name;
	char *devi_addr;
	char *devi_node_name;
	int devi_instance;
	void *devi_driver_data;
};
typedef struct dev_info dev_info_t;

struct xdb {
	dev_info_t *xs_dip;
	int xs_peer;
	int xs_type;
	kmutex_t xs_iomutex;
	char *xs_params_path;
	int xs_if_status;
	int xs_dev_status;
};
typedef struct xdb xdb_t;

AT(0xc66c9088)
static dev_info_t xdb_dip = { .devi_binding_name = "xdb",
	.devi_addr = "1,0",
	.devi_node_name = "xdb",
	.devi_instance = 5,
	.devi_driver_data = P(void, 0xe52e1000) };
AT(0xe52e1000)
static xdb_t xdb = { .xs_dip = &xdb_dip, .xs_peer = 1, .xs_type = 2 };
AT(0xdfb15310)
struct ldi_handle {
	struct ldi_handle *lh_next;
	uint_t lh_ref;
	uint_t lh_flags;
	struct ldi_ident *lh_ident;
	struct vnode *lh_vp;
} lofi_handle = { .lh_ref = 1 };
AT(0xc54f0d80)
struct ndi_event_hdl {
	dev_info_t *ndi_evthdl_dip;
	kmutex_t ndi_evthdl_mutex;
	uint_t ndi_evthdl_high_plevel;
} xpvd_events = { .ndi_evthdl_high_plevel = 0 };
AT(0xc57e5c40)
struct ddi_event_cookie {
	char *name;
	int plevel;
} oe_state_cookie = { "SUNW,xendev:oestate", 0 };
