/* SPDX-License-Identifier: MIT */
/*
 * x86 page tables: Intel SDM volume 3, chapter 4.  Tables are taken one after
 * the other from the frames behind the root.
 */
#include "mkdump.h"

#include <string.h>

#define P_PRESENT 0x1u
#define P_BIG 0x80u
#define P_TABLE 0x67u	/* present, writable, user, accessed, dirty */
#define P_DEFAULT 0x63u /* present, writable, accessed, dirty */
#define P_FRAME UINT64_C(0x000ffffffffff000)

struct shape {
	int levels;
	unsigned int entry; /* bytes */
	unsigned int bits;  /* of index per level */
};

static struct shape
shape_of(enum mk_paging p)
{
	switch (p) {
	case MK_PG_32:
		return (struct shape){ 2, 4, 10 };
	case MK_PG_PAE:
		return (struct shape){ 3, 8, 9 };
	case MK_PG_4:
		return (struct shape){ 4, 8, 9 };
	case MK_PG_5:
		break;
	}
	return (struct shape){ 5, 8, 9 };
}

/* The machine address of the entry for vaddr in a table of this level. */
static uint64_t
entry_at(struct shape s, uint64_t table, uint64_t vaddr, int level)
{
	unsigned int shift = 12 + s.bits * (unsigned int)(level - 1);

	return table + (vaddr >> shift & ((1u << s.bits) - 1)) * s.entry;
}

/* Walks to the entry of `level`, making the tables above it. */
static uint64_t
entry_make(struct mk *m, uint64_t vaddr, int level)
{
	struct shape s = shape_of(m->paging);
	uint64_t table = m->pg_root;

	for (int l = s.levels; l > level; l--) {
		uint64_t at = entry_at(s, table, vaddr, l);
		uint64_t e = mk_peek(m, at, s.entry);

		if (!(e & P_PRESENT)) {
			/* PAE's top level has no flags but present. */
			bool pdpte = m->paging == MK_PG_PAE && l == 3;

			e = m->pg_next | (pdpte ? P_PRESENT : P_TABLE);
			mk_frame(m, m->pg_next / MK_PAGE);
			m->pg_next += MK_PAGE;
			mk_poke(m, at, e, s.entry);
		}
		table = e & P_FRAME;
	}
	return entry_at(s, table, vaddr, level);
}

static int
level_of_size(struct mk *m, const char *size, uint64_t *size_out)
{
	bool pg_32 = m->paging == MK_PG_32;

	if (!size || !strcmp(size, "4k")) {
		*size_out = 1 << 12;
		return 1;
	}
	if (!strcmp(size, "2m") || !strcmp(size, "4m")) {
		*size_out = pg_32 ? 4 << 20 : 2 << 20;
		return 2;
	}
	if (!strcmp(size, "1g") && !pg_32) {
		*size_out = 1 << 30;
		return 3;
	}
	mk_die(m, "map: size is 4k, 2m (4m) or 1g");
}

static void
map(struct mk *m, const struct mk_token *t, size_t nr)
{
	uint64_t vaddr = mk_expr(m, t[1].text), paddr = mk_expr(m, t[2].text);
	uint64_t len = mk_expr(m, t[3].text), size;
	const char *flags = mk_option(t, nr, "flags");
	uint64_t bits = flags ? mk_expr(m, flags) : P_DEFAULT;
	int level = level_of_size(m, mk_option(t, nr, "size"), &size);

	if (!m->pg_root)
		mk_die(m, "map before pgtable");
	if (len / size > 1 << 20)
		mk_die(m, "map: too long");
	if (level > 1 && !(mk_word(t, nr, "notbig")))
		bits |= P_BIG;
	if (mk_word(t, nr, "nx"))
		bits |= UINT64_C(1) << 63;
	m->places = mk_grow(m->places, m->nr_places, sizeof(*m->places));
	m->places[m->nr_places++] = (struct mk_place){ vaddr, paddr, len };
	for (uint64_t off = 0; off < len; off += size)
		mk_poke(m, entry_make(m, vaddr + off, level),
			(paddr + off) | bits, shape_of(m->paging).entry);
}

/* pgtable NAME MODE at=PADDR */
static void
pgtable(struct mk *m, const struct mk_token *t, size_t nr)
{
	static const char *const modes[] = { "32bit", "pae", "4level",
		"5level" };
	const char *at = mk_option(t, nr, "at");

	for (int i = 0; i < 4; i++) {
		if (!at || strcmp(t[2].text, modes[i]) != 0)
			continue;
		m->paging = (enum mk_paging)i;
		m->pg_root = mk_expr(m, at);
		m->pg_next = (m->pg_root & ~(uint64_t)(MK_PAGE - 1)) + MK_PAGE;
		mk_frame(m, m->pg_root / MK_PAGE);
		mk_label_set(m, t[1].text, m->pg_root);
		return;
	}
	mk_die(m, "pgtable NAME 32bit|pae|4level|5level at=PADDR");
}

bool
mk_paging(struct mk *m, const struct mk_token *t, size_t nr)
{
	const char *w = t[0].text;

	if (!strcmp(w, "pgtable") && nr == 4) {
		pgtable(m, t, nr);
	} else if (!strcmp(w, "map") && nr >= 4) {
		map(m, t, nr);
	} else if (!strcmp(w, "pte") && nr == 4) {
		/* pte VADDR LEVEL VALUE: an entry as it stands. */
		int level = (int)mk_expr(m, t[2].text);

		if (level < 1 || level > shape_of(m->paging).levels)
			mk_die(m, "pte: no such level");
		mk_poke(m, entry_make(m, mk_expr(m, t[1].text), level),
			mk_expr(m, t[3].text), shape_of(m->paging).entry);
	} else {
		return false;
	}
	return true;
}
