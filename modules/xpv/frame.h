/* SPDX-License-Identifier: MIT */
/*
 * Frames of the machine as the hypervisor keeps them: the frame table, one
 * struct page_info for each, at the place that the direct map has the frame.
 *
 * Both are indexed by pdx: the machine's frame number (mfn) from which a hole
 * of always-zero bits may have been cut out (PDX compression, xen/pdx.h).
 * Without compression the pdx is the mfn.
 */
#ifndef XPV_FRAME_H
#define XPV_FRAME_H

#include "xpv.h"

#define XPV_PAGE_SHIFT 12
#define XPV_PAGE_LEN 4096u
/* CONFIG_PAGEALLOC_MAX_ORDER, asm/config.h */
#define XPV_MAX_ORDER 18u

/* xen/arch/x86/include/asm/config.h; CONFIG_BIGMEM moves the latter two. */
#define XPV_RO_MPT 0xffff800000000000ull
#define XPV_RDWR_MPT 0xffff828000000000ull
#define XPV_MPT_LEN 0x4000000000ull
#define XPV_FRAME_TABLE 0xffff82e000000000ull
#define XPV_DIRECTMAP 0xffff830000000000ull
#define XPV_FRAME_TABLE_BIG 0xffff830000000000ull
#define XPV_DIRECTMAP_BIG 0xffff848000000000ull
#define XPV_HYPERVISOR_END 0xffff880000000000ull

/* A struct domain is smaller than the page that it begins
 * (xen/arch/x86/domain.c: alloc_domain_struct). */
#define XPV_DOMAIN_ROOM XPV_PAGE_LEN

/* xen/include/public/xen.h, xen/sched.h */
#define XPV_DOMID_FIRST_RESERVED 0x7ff0u
#define XPV_DOMID_SELF 0x7ff0u
#define XPV_DOMID_IO 0x7ff1u
#define XPV_DOMID_XEN 0x7ff2u
#define XPV_DOMID_COW 0x7ff3u
#define XPV_DOMID_INVALID 0x7ff4u
#define XPV_DOMID_IDLE 0x7fffu

/* Where the flags of count_info are: they moved in 4.17, 4.18 and 4.22. */
struct xpv_pgc {
	unsigned int state_shift; /* two bits: in use .. free */
	unsigned int count_bits;  /* width of the reference count */
	uint64_t broken, extra, page_table, shadowed, need_scrub;
};

/* One struct page_info, taken apart. */
struct xpv_page {
	uint64_t mfn, pdx;
	mdb_addr_t addr;
	uint64_t count_info, type_info;
	mdb_addr_t owner;    /* struct domain, or 0 */
	uint64_t next, prev; /* pdx of its neighbours in a list */
	uint32_t order;	     /* of a free block that it heads */
};

/*
 * What is needed for frames.  MDB_E_NOTFOUND without types; MDB_E_CORRUPT when
 * the frame table does not say that the shared page of a domain is that
 * domain's; MDB_E_UNSUPPORTED when PDX compression is on and its masks are not
 * known.
 */
enum mdb_status xpv_frames_get(struct mdb_ctx *cx, struct mdb_world *world,
	struct xpv_frames *frames_out);

/* False: no frame that the frame table could have. */
bool xpv_pdx_of_mfn(const struct xpv_frames *f, uint64_t mfn,
	uint64_t *pdx_out);
uint64_t xpv_mfn_of_pdx(const struct xpv_frames *f, uint64_t pdx);

enum mdb_status xpv_page_read(struct mdb_ctx *cx, const struct xpv_frames *f,
	uint64_t pdx, struct xpv_page *page_out);
/* Out of bytes that were read; page_len of them. */
void xpv_page_decode(const struct xpv_frames *f, uint64_t pdx, const void *raw,
	struct xpv_page *page_out);

/* xen/mm.h: PGC_state */
enum xpv_page_state {
	XPV_INUSE = 0,
	XPV_OFFLINING,
	XPV_OFFLINED,
	XPV_FREE,
};
enum xpv_page_state xpv_page_state(const struct xpv_frames *f,
	const struct xpv_page *p);
uint64_t xpv_page_refs(const struct xpv_frames *f, const struct xpv_page *p);
bool xpv_page_is_xenheap(const struct xpv_page *p);
#define XPV_NR_PAGE_TYPES 8
unsigned int xpv_page_type(const struct xpv_page *p);
uint64_t xpv_page_type_refs(const struct xpv_page *p);
/* "none" "l1" .. "writable" */
const char *xpv_page_type_name(unsigned int type);
/* "inuse" .. "free" */
const char *xpv_page_state_name(enum xpv_page_state state);
/* Flags in words, blanks between, "" if none; lives until the command ends. */
const char *xpv_page_count_flags(struct mdb_ctx *cx, const struct xpv_frames *f,
	const struct xpv_page *p);
const char *xpv_page_type_flags(struct mdb_ctx *cx, const struct xpv_page *p);

/*
 * The frame that a command's address means: an entry of the frame table, an
 * address of the direct map or elsewhere in the hypervisor or in a kernel (what
 * is mapped there), a frame number, else a machine address.
 */
enum mdb_status xpv_frame_meant(struct mdb_ctx *cx, const struct xpv_frames *f,
	struct mdb_loc loc, uint64_t *pdx_out);

/* The free block that holds a free frame: its first one and its order. */
bool xpv_free_block(struct mdb_ctx *cx, const struct xpv_frames *f,
	uint64_t pdx, struct xpv_page *head_out);

/* fn for each entry of the frame table that can be read, in order. */
typedef enum mdb_status xpv_page_fn(struct mdb_ctx *cx,
	const struct xpv_page *page, void *arg);
enum mdb_status xpv_each_page(struct mdb_ctx *cx, const struct xpv_frames *f,
	xpv_page_fn *fn, void *arg);

/* ---- the machine-to-guest table (M2P) ------------------------------------
 */

/* The gfn that the hypervisor has for a machine frame. */
enum mdb_status xpv_m2p_read(struct mdb_ctx *cx, struct mdb_world *world,
	uint64_t mfn, uint64_t *gfn_out);
/* What an entry means that is no gfn: "invalid", "shared", "never set"; NULL:
 * it is one. */
const char *xpv_m2p_name(uint64_t entry);

/* ---- commands ------------------------------------------------------------
 */

enum mdb_status xpv_xenpage(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_page_table;
extern const struct mdb_option xpv_page_options[];
extern const struct mdb_example xpv_page_examples[];
enum mdb_status xpv_walk_xenpage_init(struct mdb_ctx *cx, struct mdb_walk *w);
enum mdb_status xpv_walk_xenpage_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out);

/* The module's whatis. */
enum mdb_status xpv_whatis(struct mdb_ctx *cx, struct mdb_loc loc,
	bool *found_out);

/* ---- domains by number ---------------------------------------------------
 */

/* As xpv_domain_by_id, also those that are in no list: xen, io, cow. */
enum mdb_status xpv_domain_any(struct mdb_ctx *cx, struct mdb_world *world,
	uint64_t id, struct mdb_loc *domain_out);

/* "d0", "xen", "io", "cow", "idle", "d7" ; of an id. */
const char *xpv_domid_name(struct mdb_ctx *cx, uint64_t id);
/* The same of a struct domain that a frame names; "?ADDR" if it is none. */
const char *xpv_owner_name(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t domain);
enum mdb_status xpv_domid_of(struct mdb_ctx *cx, struct mdb_loc domain,
	uint64_t *id_out);

/* ---- small things --------------------------------------------------------
 */

/* A variable of the hypervisor's, of 1, 2, 4 or 8 bytes. */
enum mdb_status xpv_var_uint(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, size_t len, uint64_t *value_out);
enum mdb_status xpv_type_len(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, uint64_t *len_out);

/* "a b": the words of the bits that are set, and of no others; "" for none. */
const char *xpv_words(struct mdb_ctx *cx, const struct xpv_bit *bits,
	uint64_t value);

/* xen/common/radix-tree.c: the item at an index; 0: none. */
enum mdb_status xpv_radix_lookup(struct mdb_ctx *cx, struct mdb_loc root,
	uint64_t index, uint64_t *item_out);

#endif
