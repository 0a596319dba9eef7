/* SPDX-License-Identifier: MIT */
/* For tests: a hypervisor's image of symbols, in fake memory. */
#ifndef MDB_SYM_XENSYMS_BUILD_H
#define MDB_SYM_XENSYMS_BUILD_H

#include <stdio.h>

#include "mdb/sym/kallsyms_build.h"
#include "mdb/sym/xensyms.h"

#define XB_ORIGIN 0xffff82d040000000ull
#define XB_TEXT (XB_ORIGIN + 0x200000)
#define XB_TABLES (XB_ORIGIN + 0x400000)
#define XB_NR 1200u

/*
 * Symbols f0, f1, ... of 64 bytes; every fifth is a static of one of ten
 * files, every hundredth of these is named dup.
 */
static inline void
xb_symbols(struct ksym_in syms[XB_NR])
{
	for (uint32_t i = 0; i < XB_NR; i++) {
		char *text = syms[i].text;

		syms[i].value = i ? XB_TEXT + 64ull * (i - 1) : XB_ORIGIN;
		if (i % 100 == 50)
			(void)snprintf(text, sizeof(syms[i].text),
				"tfile%u.c#dup", i / 100);
		else if (i % 5 == 0 && i)
			(void)snprintf(text, sizeof(syms[i].text),
				"tfile%u.c#f%u", i % 10, i);
		else
			(void)snprintf(text, sizeof(syms[i].text), "Tf%u", i);
	}
}

static inline void
xb_make(struct ksym_build *b, const struct ksym_in *syms)
{
	memset(b, 0, sizeof(*b));
	b->syms = syms;
	b->nr = XB_NR;
	b->base = XB_TABLES;
	b->relative_base = XB_ORIGIN;
	b->form = MDB_KALLSYMS_BASE;
	b->marker_size = 4;
	b->align = 4;
	b->xen = true;
	ksym_make(b);
}

/* The tables at their place in a space of their own. */
static inline struct mdb_space *
xb_space(struct mdb_memory *mem, const struct ksym_build *b)
{
	struct mdb_space *space = mdb_space_create("xpv", mem, &mdb_arch_x86_64,
		MDB_PAGING_NONE, 0);

	mdb_fake_write(mem, XB_TABLES - XB_ORIGIN, b->bytes.data, b->bytes.len);
	mdb_space_add_window(space, XB_ORIGIN, XB_ORIGIN + (16u << 20),
		-XB_ORIGIN);
	return space;
}

static inline enum mdb_status
xb_scan(struct mdb_ctx *cx, struct mdb_space *space, const struct ksym_build *b,
	struct mdb_kallsyms_layout *layout_out)
{
	const struct mdb_kallsyms_xen where = { .start = XB_TABLES & ~4095ull,
		.end = XB_TABLES + b->bytes.len,
		.origin = XB_ORIGIN,
		.first = XB_TEXT };

	return mdb_kallsyms_scan_xen(cx, space, &where, layout_out);
}

#endif
