/* SPDX-License-Identifier: MIT */
/*
 * From the frames of a guest (gfn; pseudo-physical in a PV guest) to those of
 * the machine and back.
 */
#ifndef XPV_P2M_H
#define XPV_P2M_H

#include "frame.h"

/* clang-format off */
enum xpv_p2m_kind {
	XPV_P2M_LINEAR,	/* PV: an array in the guest's own virtual memory */
	XPV_P2M_TREE,	/* PV: frame list list, frame lists, frames of entries */
	XPV_P2M_NPT,	/* page tables in the processor's own form (AMD, shadow) */
	XPV_P2M_EPT,	/* Intel's extended page tables */
};
/* clang-format on */

struct xpv_p2m {
	struct mdb_loc domain;
	uint64_t domid;
	enum xpv_p2m_kind kind;
	uint64_t nr_gfns;	 /* exclusive */
	size_t word;		 /* PV: size of an entry */
	struct mdb_space *space; /* LINEAR: the guest's kernel's */
	mdb_addr_t array;	 /* LINEAR */
	mdb_paddr_t root;	 /* the others */
	unsigned int levels;	 /* NPT, EPT */
	/* the PV entries last read */
	uint64_t cached_first;
	bool cached;
	uint8_t cache[XPV_PAGE_LEN];
};

/* One step of a walk. */
struct xpv_p2m_step {
	const char *level;
	uint64_t entry_addr; /* machine address; LINEAR: the guest's virtual */
	uint64_t entry;
};
#define XPV_P2M_MAX_STEPS 5

struct xpv_p2m_entry {
	uint64_t gfn;	  /* the first of them */
	uint64_t count;	  /* frames that this entry maps, or says nothing of */
	bool mapped;	  /* mfn is one */
	uint64_t mfn;	  /* of gfn */
	const char *type; /* in words */
	const char *access; /* "rwx", or NULL */
	struct xpv_p2m_step steps[XPV_P2M_MAX_STEPS];
	size_t nr_steps;
};

/*
 * The p2m of a domain.  MDB_E_UNSUPPORTED with the reason where it has none
 * that is known.
 */
enum mdb_status xpv_p2m_get(struct mdb_ctx *cx, struct mdb_loc domain,
	struct xpv_p2m *p2m_out);
/* steps are filled as far as the walk came also when it fails. */
enum mdb_status xpv_p2m_lookup(struct mdb_ctx *cx, struct xpv_p2m *p2m,
	uint64_t gfn, struct xpv_p2m_entry *entry_out);
const char *xpv_p2m_kind_name(enum xpv_p2m_kind kind);

/* p2mtables.c: those of NPT and EPT */
enum mdb_status xpv_p2m_tables_get(struct mdb_ctx *cx, struct xpv_p2m *p2m);
enum mdb_status xpv_p2m_tables_lookup(struct mdb_ctx *cx,
	const struct xpv_p2m *p2m, uint64_t gfn, struct xpv_p2m_entry *e);

enum mdb_status xpv_pfn2mfn(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_mfn2pfn(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_p2m(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_m2p(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_pfn2mfn_table, xpv_mfn2pfn_table,
	xpv_p2m_table, xpv_m2p_table;
extern const struct mdb_option xpv_p2m_options[];
extern const struct mdb_example xpv_pfn2mfn_examples[], xpv_mfn2pfn_examples[],
	xpv_p2m_examples[], xpv_m2p_examples[];

#endif
