/* SPDX-License-Identifier: MIT */
/*
 * Where the hypervisor is in the dump: xen_place.c finds it for find_xen.c.
 */
#ifndef MDB_WORLD_XEN_PLACE_H
#define MDB_WORLD_XEN_PLACE_H

#include "mdb/sym/kallsyms.h"
#include "mdb/world/xen_world.h"

/* The image is linked at XEN_VIRT_START + 2 MiB and is smaller than this. */
#define MDB_XEN_TEXT_OFFSET 0x200000ull
#define MDB_XEN_MAX_IMAGE (64ull << 20)
/* Where nothing says how long it is. */
#define MDB_XEN_USUAL_IMAGE (16ull << 20)

/* What a crash kernel's notes say. */
struct mdb_xen_stated {
	const char *info; /* VMCOREINFO_XEN, or NULL */
	size_t info_len;
	bool has_crash_info;
	size_t crash_note;
	uint64_t crash_info[10];
};

/* space is the taker's. */
struct mdb_xen_place {
	struct mdb_space *space;
	mdb_addr_t virt_start, text_start, text_end;
	mdb_paddr_t phys_start;
	struct mdb_kallsyms_layout layout;
	bool has_layout;
	bool is_fixed; /* the tables do not say where the image is */
};

/* False: no place is like that of a hypervisor. */
bool mdb_xen_place_find(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_xen_stated *stated, struct mdb_xen_place *place_out);

#endif
