/* SPDX-License-Identifier: MIT */
/* Call frame information.  Numbers: DWARF 5, figure 40 and table 7.29. */
#include "mdb/stack/cfi.h"

#include "mdb/base/alloc.h"
#include "mdb/base/endian.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES (1u << 20)
#define MAX_STEPS 65536
#define MAX_SAVED 8 /* rows remembered at a time */

/* A function's description. */
struct entry {
	mdb_addr_t start, end;
	size_t program, program_end; /* offsets of its instructions */
	size_t common;		     /* of what it shares with others */
};

struct mdb_cfi {
	const uint8_t *bytes;
	size_t len;
	struct entry *entries;
	size_t nr, cap;
};

/* ---- bytes --------------------------------------------------------------- */

struct reader {
	const uint8_t *p;
	size_t at, end;
	bool bad;
};

static uint64_t
fixed(struct reader *r, size_t len)
{
	uint64_t v;

	if (r->bad || r->end - r->at < len) {
		r->bad = true;
		return 0;
	}
	v = len == 1 ? r->p[r->at] : mdb_le(r->p + r->at, len);
	r->at += len;
	return v;
}

static uint64_t
uleb(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned int shift = 0;; shift += 7) {
		uint64_t b = fixed(r, 1);

		if (r->bad || shift > 63) {
			r->bad = true;
			return 0;
		}
		v |= (b & 0x7f) << shift;
		if ((b & 0x80) == 0)
			return v;
	}
}

static int64_t
sleb(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned int shift = 0;; shift += 7) {
		uint64_t b = fixed(r, 1);

		if (r->bad || shift > 63) {
			r->bad = true;
			return 0;
		}
		v |= (b & 0x7f) << shift;
		if ((b & 0x80) == 0) {
			if ((b & 0x40) != 0 && shift + 7 < 64)
				v |= UINT64_MAX << (shift + 7);
			return (int64_t)v;
		}
	}
}

static void
skip(struct reader *r, uint64_t len)
{
	if (r->bad || r->end - r->at < len)
		r->bad = true;
	else
		r->at += len;
}

/* ---- entries ------------------------------------------------------------- */

/* Common to several functions (CIE). */
struct common {
	uint64_t code_align;
	int64_t data_align;
	size_t program, program_end;
};

/* The length of an entry; the id behind it has as many bytes as is said. */
static bool
read_length(struct reader *r, size_t *end_out, size_t *id_len_out)
{
	uint64_t len = fixed(r, 4);

	*id_len_out = 4;
	if (len == 0xffffffff) {
		len = fixed(r, 8);
		*id_len_out = 8;
	}
	if (r->bad || len > r->end - r->at || len < *id_len_out)
		return false;
	*end_out = r->at + (size_t)len;
	return true;
}

static bool
is_common(uint64_t id, size_t id_len)
{
	return id == (id_len == 8 ? UINT64_MAX : 0xffffffffu);
}

static bool
read_common(const struct mdb_cfi *cfi, size_t at, struct common *c)
{
	struct reader r = { .p = cfi->bytes, .at = at, .end = cfi->len };
	size_t end, id_len;
	uint64_t version, augmentation, ra;

	if (at >= cfi->len || !read_length(&r, &end, &id_len))
		return false;
	r.end = end;
	if (!is_common(fixed(&r, id_len), id_len))
		return false;
	version = fixed(&r, 1);
	augmentation = fixed(&r, 1);
	/* An augmentation may change the meaning of all that follows. */
	if ((version != 1 && version != 3 && version != 4) || augmentation != 0)
		return false;
	if (version == 4) {
		uint64_t word = fixed(&r, 1), segment = fixed(&r, 1);

		if (word != 8 || segment != 0)
			return false;
	}
	c->code_align = uleb(&r);
	c->data_align = sleb(&r);
	ra = version == 1 ? fixed(&r, 1) : uleb(&r);
	if (r.bad || ra != MDB_CFI_IP)
		return false;
	c->program = r.at;
	c->program_end = end;
	return true;
}

static void
add(struct mdb_cfi *cfi, const struct entry *e)
{
	if (cfi->nr == cfi->cap) {
		cfi->cap = cfi->cap ? 2 * cfi->cap : 256;
		cfi->entries = mdb_xrealloc(cfi->entries, cfi->cap,
			sizeof(*cfi->entries));
	}
	cfi->entries[cfi->nr++] = *e;
}

static int
by_start(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

struct mdb_cfi *
mdb_cfi_create(const uint8_t *bytes, size_t len)
{
	struct mdb_cfi *cfi = mdb_xalloc(sizeof(*cfi));
	struct reader r = { .p = bytes, .end = len };

	cfi->bytes = bytes;
	cfi->len = len;
	while (r.at < len && cfi->nr < MAX_ENTRIES) {
		struct entry e = { 0 };
		size_t end, id_len;
		uint64_t id, size;

		if (!read_length(&r, &end, &id_len))
			break;
		r.end = end;
		id = fixed(&r, id_len);
		if (!r.bad && !is_common(id, id_len) && id < len) {
			e.start = fixed(&r, 8);
			size = fixed(&r, 8);
			e.end = e.start + size;
			e.common = (size_t)id;
			e.program = r.at;
			e.program_end = end;
			if (!r.bad && e.end > e.start)
				add(cfi, &e);
		}
		r = (struct reader){ .p = bytes, .at = end, .end = len };
	}
	if (cfi->nr > 0)
		qsort(cfi->entries, cfi->nr, sizeof(*cfi->entries), by_start);
	return cfi;
}

void
mdb_cfi_destroy(struct mdb_cfi *cfi)
{
	if (!cfi)
		return;
	free(cfi->entries);
	free(cfi);
}

size_t
mdb_cfi_count(const struct mdb_cfi *cfi)
{
	return cfi->nr;
}

/* ---- programs ------------------------------------------------------------ */

struct machine {
	const struct common *common;
	struct mdb_cfi_row row, initial;
	struct mdb_cfi_row saved[MAX_SAVED];
	size_t nr_saved;
	mdb_addr_t loc, pc;
	bool done, bad;
};

/* clang-format off */
enum {
	OP_NOP = 0x00, OP_SET_LOC = 0x01, OP_ADVANCE1 = 0x02, OP_ADVANCE2 = 0x03,
	OP_ADVANCE4 = 0x04, OP_OFFSET_EXTENDED = 0x05,
	OP_RESTORE_EXTENDED = 0x06, OP_UNDEFINED = 0x07, OP_SAME_VALUE = 0x08,
	OP_REGISTER = 0x09, OP_REMEMBER = 0x0a, OP_RESTORE_STATE = 0x0b,
	OP_DEF_CFA = 0x0c, OP_DEF_CFA_REGISTER = 0x0d, OP_DEF_CFA_OFFSET = 0x0e,
	OP_DEF_CFA_EXPRESSION = 0x0f, OP_EXPRESSION = 0x10,
	OP_OFFSET_EXTENDED_SF = 0x11, OP_DEF_CFA_SF = 0x12,
	OP_DEF_CFA_OFFSET_SF = 0x13, OP_VAL_OFFSET = 0x14,
	OP_VAL_OFFSET_SF = 0x15, OP_VAL_EXPRESSION = 0x16,
	OP_GNU_ARGS_SIZE = 0x2e,
	OP_ADVANCE = 0x40, OP_OFFSET = 0x80, OP_RESTORE = 0xc0,

	EXPR_DEREF = 0x06, EXPR_BREG0 = 0x70, EXPR_BREG31 = 0x8f,
};
/* clang-format on */

static int64_t
factored(const struct machine *m, uint64_t value)
{
	return (int64_t)(value * (uint64_t)m->common->data_align);
}

static void
set_rule(struct machine *m, uint64_t reg, enum mdb_cfi_kind kind, int64_t off)
{
	if (reg < MDB_CFI_REGS)
		m->row.rules[reg] =
			(struct mdb_cfi_rule){ .kind = kind, .off = off };
}

static void
restore_rule(struct machine *m, uint64_t reg)
{
	if (reg < MDB_CFI_REGS)
		m->row.rules[reg] = m->initial.rules[reg];
}

static void
advance(struct machine *m, uint64_t delta)
{
	uint64_t step = delta * m->common->code_align;

	if (m->loc + step < m->loc || m->loc + step > m->pc)
		m->done = true;
	else
		m->loc += step;
}

static void
def_cfa(struct machine *m, uint64_t reg, int64_t off)
{
	m->row.has_cfa = reg < MDB_CFI_REGS;
	m->row.cfa_is_read = false;
	m->row.cfa_reg = (unsigned int)reg;
	m->row.cfa_off = off;
}

/* The forms that compilers use: a register and an offset, perhaps read. */
static void
cfa_expression(struct machine *m, struct reader *r)
{
	uint64_t len = uleb(r);
	struct reader e = { .p = r->p, .at = r->at };
	uint64_t op;
	int64_t off;

	skip(r, len);
	if (r->bad)
		return;
	e.end = r->at;
	op = fixed(&e, 1);
	off = sleb(&e);
	m->row.has_cfa = false;
	if (e.bad || op < EXPR_BREG0 || op > EXPR_BREG31)
		return;
	def_cfa(m, op - EXPR_BREG0, off);
	if (e.at == e.end)
		return;
	m->row.cfa_is_read = fixed(&e, 1) == EXPR_DEREF && e.at == e.end;
	m->row.has_cfa = m->row.has_cfa && m->row.cfa_is_read;
}

/* A register saved at a place relative to bp is of no use without it. */
static void
expression(struct machine *m, struct reader *r)
{
	uint64_t reg = uleb(r);

	skip(r, uleb(r));
	set_rule(m, reg, MDB_CFI_OTHER, 0);
}

static void
remember(struct machine *m, bool restores)
{
	if (restores && m->nr_saved > 0) {
		m->nr_saved--;
		m->row = m->saved[m->nr_saved];
	} else if (!restores && m->nr_saved < MAX_SAVED) {
		m->saved[m->nr_saved++] = m->row;
	} else {
		m->bad = true;
	}
}

static void
step_cfa(struct machine *m, struct reader *r, uint64_t op)
{
	uint64_t reg;

	switch (op) {
	case OP_DEF_CFA:
		reg = uleb(r);
		def_cfa(m, reg, (int64_t)uleb(r));
		break;
	case OP_DEF_CFA_SF:
		reg = uleb(r);
		def_cfa(m, reg, factored(m, (uint64_t)sleb(r)));
		break;
	case OP_DEF_CFA_REGISTER:
		def_cfa(m, uleb(r), m->row.cfa_off);
		break;
	case OP_DEF_CFA_OFFSET:
		m->row.cfa_off = (int64_t)uleb(r);
		break;
	case OP_DEF_CFA_OFFSET_SF:
		m->row.cfa_off = factored(m, (uint64_t)sleb(r));
		break;
	default:
		cfa_expression(m, r);
		break;
	}
}

static void
step_rule(struct machine *m, struct reader *r, uint64_t op)
{
	uint64_t reg = uleb(r);

	switch (op) {
	case OP_OFFSET_EXTENDED:
		set_rule(m, reg, MDB_CFI_AT, factored(m, uleb(r)));
		break;
	case OP_OFFSET_EXTENDED_SF:
		set_rule(m, reg, MDB_CFI_AT, factored(m, (uint64_t)sleb(r)));
		break;
	case OP_VAL_OFFSET:
		set_rule(m, reg, MDB_CFI_VALUE, factored(m, uleb(r)));
		break;
	case OP_VAL_OFFSET_SF:
		set_rule(m, reg, MDB_CFI_VALUE, factored(m, (uint64_t)sleb(r)));
		break;
	case OP_RESTORE_EXTENDED:
		restore_rule(m, reg);
		break;
	case OP_UNDEFINED:
		set_rule(m, reg, MDB_CFI_UNDEFINED, 0);
		break;
	case OP_SAME_VALUE:
		set_rule(m, reg, MDB_CFI_SAME, 0);
		break;
	default: /* OP_REGISTER */
		(void)uleb(r);
		set_rule(m, reg, MDB_CFI_OTHER, 0);
		break;
	}
}

static void
step_extended(struct machine *m, struct reader *r, uint64_t op)
{
	switch (op) {
	case OP_NOP:
		break;
	case OP_SET_LOC: {
		uint64_t to = fixed(r, 8);

		if (to < m->loc || to > m->pc)
			m->done = true;
		else
			m->loc = to;
		break;
	}
	case OP_ADVANCE1:
		advance(m, fixed(r, 1));
		break;
	case OP_ADVANCE2:
		advance(m, fixed(r, 2));
		break;
	case OP_ADVANCE4:
		advance(m, fixed(r, 4));
		break;
	case OP_REMEMBER:
	case OP_RESTORE_STATE:
		remember(m, op == OP_RESTORE_STATE);
		break;
	case OP_GNU_ARGS_SIZE:
		(void)uleb(r);
		break;
	case OP_EXPRESSION:
	case OP_VAL_EXPRESSION:
		expression(m, r);
		break;
	case OP_DEF_CFA:
	case OP_DEF_CFA_SF:
	case OP_DEF_CFA_REGISTER:
	case OP_DEF_CFA_OFFSET:
	case OP_DEF_CFA_OFFSET_SF:
	case OP_DEF_CFA_EXPRESSION:
		step_cfa(m, r, op);
		break;
	case OP_OFFSET_EXTENDED:
	case OP_OFFSET_EXTENDED_SF:
	case OP_VAL_OFFSET:
	case OP_VAL_OFFSET_SF:
	case OP_RESTORE_EXTENDED:
	case OP_UNDEFINED:
	case OP_SAME_VALUE:
	case OP_REGISTER:
		step_rule(m, r, op);
		break;
	default:
		m->bad = true; /* its length is not known */
		break;
	}
}

static bool
run(const struct mdb_cfi *cfi, struct machine *m, size_t program, size_t end)
{
	struct reader r = { .p = cfi->bytes, .at = program, .end = end };

	m->done = false;
	for (int n = 0; r.at < r.end && !m->done; n++) {
		uint64_t op = fixed(&r, 1), low = op & 0x3f;

		if ((op & 0xc0) == OP_ADVANCE)
			advance(m, low);
		else if ((op & 0xc0) == OP_OFFSET)
			set_rule(m, low, MDB_CFI_AT, factored(m, uleb(&r)));
		else if ((op & 0xc0) == OP_RESTORE)
			restore_rule(m, low);
		else
			step_extended(m, &r, op);
		if (r.bad || m->bad || n == MAX_STEPS)
			return false;
	}
	return true;
}

static const struct entry *
entry_of(const struct mdb_cfi *cfi, mdb_addr_t pc)
{
	size_t low = 0, high = cfi->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cfi->entries[mid].start <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || pc >= cfi->entries[low - 1].end)
		return NULL;
	return &cfi->entries[low - 1];
}

bool
mdb_cfi_find(const struct mdb_cfi *cfi, mdb_addr_t pc,
	struct mdb_cfi_row *row_out)
{
	const struct entry *e = entry_of(cfi, pc);
	struct common common;
	struct machine m = { .common = &common, .pc = pc };

	if (!e || !read_common(cfi, e->common, &common))
		return false;
	m.loc = e->start;
	if (!run(cfi, &m, common.program, common.program_end) || m.done)
		return false;
	m.initial = m.row;
	if (!run(cfi, &m, e->program, e->program_end) || !m.row.has_cfa)
		return false;
	m.row.start = e->start;
	m.row.end = e->end;
	*row_out = m.row;
	return true;
}
