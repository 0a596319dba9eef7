/* SPDX-License-Identifier: MIT */
/*
 * Where the hypervisor's data is, beyond what its own table says: by the
 * symbols of its xen-syms, by VMCOREINFO_XEN, by a pack that knows its build,
 * and else by the code that refers to it.
 *
 * By code: a pack says of a variable which references of which functions mean
 * it.  The functions of this hypervisor, which its table names, are
 * disassembled; each that still has as many references as it had gives one
 * vote.  What most agree on is taken if at least three do, or two of two, and
 * if it lies in the data, aligned as it was, and covers no other.
 */
#include "mdb/world/xen_types.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/sym/coderef.h"
#include "mdb/sym/elfsyms.h"
#include "mdb/sym/vmcoreinfo.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FUNCTION_LEN 65536u
#define MAX_FUNCTION_REFS 4096u
#define MAX_VOTES 255u
#define MAX_NAME 128u

/* The references of one function; NULL targets: not the same any more. */
struct function {
	bool tried;
	bool lost; /* its code, or its symbol */
	uint64_t *targets;
	uint32_t nr;
};

struct finder {
	struct mdb_ctx *cx;
	struct mdb_xen *xen;
	struct mdb_pack *pack;
	struct function *functions;
	uint8_t *code; /* MAX_FUNCTION_LEN */
};

/* What was found, before it is added. */
struct found {
	struct mdb_pack_sym sym;
	mdb_addr_t value;
	size_t votes;
};

/* ---- adding -------------------------------------------------------------- */

static bool
is_known(struct mdb_ctx *cx, struct mdb_xen *xen, const char *name)
{
	struct mdb_sym sym;
	enum mdb_status st =
		mdb_xensyms_ops.by_name(cx, xen->object, name, &sym);

	mdb_forget(cx);
	return st != MDB_E_NOTFOUND;
}

static bool
is_percpu_name(const char *name)
{
	return strncmp(name, "per_cpu__", 9) == 0;
}

/*
 * What one source says waits until it has said all: a table that changes is
 * put in order again when it is asked.
 */
struct queue {
	struct mdb_ctx *cx;
	struct mdb_xen *xen;
	struct mdb_xensym *syms;
	char **names; /* owned */
	size_t nr, room;
};

static void
add(struct queue *q, const char *name, mdb_addr_t value, uint64_t size,
	bool local)
{
	if (is_known(q->cx, q->xen, name))
		return;
	if (q->nr == q->room) {
		q->room = q->room ? 2 * q->room : 256;
		q->syms = mdb_xrealloc(q->syms, q->room, sizeof(*q->syms));
		q->names = mdb_xrealloc(q->names, q->room, sizeof(char *));
	}
	q->names[q->nr] = mdb_xstrdup(name);
	q->syms[q->nr] = (struct mdb_xensym){ .name = q->names[q->nr],
		.value = value,
		.size = size,
		.letter = local ? 'd' : 'D',
		.kind = is_percpu_name(name) ? MDB_SYM_PERCPU : MDB_SYM_DATA };
	q->nr++;
}

/* How many there were. */
static size_t
flush(struct queue *q)
{
	size_t nr = q->nr;

	for (size_t i = 0; i < nr; i++) {
		(void)mdb_xensyms_add(q->xen->symbols, &q->syms[i]);
		free(q->names[i]);
	}
	q->nr = 0;
	return nr;
}

/* ---- by VMCOREINFO_XEN --------------------------------------------------- */

static void
add_stated(void *arg, const char *name, size_t name_len, uint64_t value)
{
	struct queue *q = arg;
	char text[MAX_NAME];

	if (name_len == 0 || name_len >= sizeof(text) ||
		value < MDB_XEN_RANGE_START || value > MDB_XEN_RANGE_LAST)
		return;
	memcpy(text, name, name_len);
	text[name_len] = '\0';
	add(q, text, value, 0, false);
}

/* ---- by the symbols of xen-syms ------------------------------------------ */

static void
add_of_file(void *arg, const struct mdb_elfsym *sym)
{
	struct queue *q = arg;

	if (!sym->is_func && sym->value >= q->xen->text_end &&
		sym->value < q->xen->image_end)
		add(q, sym->name, sym->value, sym->size, sym->is_local);
}

/* ---- by a build that the pack knows -------------------------------------- */

static void
add_by_build(struct queue *q, struct mdb_xen_types *t)
{
	uint64_t base = mdb_pack_info_of(t->pack)->base, value;

	for (size_t i = 0; i < mdb_pack_nr_syms(t->pack); i++) {
		struct mdb_pack_sym s = mdb_pack_sym_at(t->pack, i);

		if (mdb_pack_value(t->pack, (size_t)t->build, i, &value))
			add(q, s.name, base + value, s.size,
				s.flags & MDB_PACK_SYM_LOCAL);
	}
}

/* ---- by references ------------------------------------------------------- */

static void
load_function(struct finder *f, const struct mdb_pack_ref *ref,
	struct function *fn)
{
	struct mdb_sym sym;
	uint64_t *targets;
	size_t nr;

	fn->tried = true;
	fn->lost = !f->xen->is_table_whole;
	if (mdb_xensyms_ops.by_name(f->cx, f->xen->object, ref->function,
		    &sym) != MDB_OK ||
		sym.kind != MDB_SYM_FUNC || sym.size == 0 ||
		sym.size > MAX_FUNCTION_LEN)
		return;
	/* None begins with zeroes: that was wiped. */
	fn->lost = mdb_space_try(f->xen->world->space, sym.value, f->code,
			   sym.size) != MDB_OK ||
		   (f->code[0] == 0 && f->code[sym.size > 1] == 0);
	if (fn->lost)
		return;
	targets =
		mdb_xarray((size_t)ref->nr_function_refs + 1, sizeof(*targets));
	nr = mdb_coderef_list(f->code, sym.size, sym.value, targets,
		ref->nr_function_refs);
	if (nr != ref->nr_function_refs) {
		free(targets);
		return;
	}
	fn->targets = targets;
	fn->nr = (uint32_t)nr;
}

/* What one reference says; 0: nothing. */
static mdb_addr_t
vote_of(struct finder *f, size_t index, bool *lost)
{
	struct mdb_pack_ref ref = mdb_pack_ref_at(f->pack, index);
	struct function *fn = &f->functions[ref.function_index];

	if (ref.function[0] == '\0' || ref.ordinal >= ref.nr_function_refs)
		return 0;
	if (!fn->tried)
		load_function(f, &ref, fn);
	*lost = *lost || fn->lost;
	if (!fn->targets || ref.ordinal >= fn->nr)
		return 0;
	return fn->targets[ref.ordinal] - (uint64_t)(int64_t)ref.addend;
}

static bool
is_plausible(const struct finder *f, const struct mdb_pack_sym *s, size_t index,
	mdb_addr_t value)
{
	uint64_t there, alignment = 8;

	if (value < f->xen->text_end || value >= f->xen->image_end ||
		s->size > f->xen->image_end - value)
		return false;
	if (!mdb_pack_value(f->pack, 0, index, &there))
		return false;
	while (alignment > 1 && there % alignment != 0)
		alignment /= 2;
	return value % alignment == 0;
}

/* The majority among a symbol's votes. */
static bool
decide(struct finder *f, size_t index, struct found *found)
{
	mdb_addr_t values[MAX_VOTES];
	size_t nr = 0, best = 0;
	bool lost = false; /* who might have voted otherwise */

	found->sym = mdb_pack_sym_at(f->pack, index);
	for (size_t i = 0; i < found->sym.nr_refs && nr < MAX_VOTES; i++) {
		mdb_addr_t v = vote_of(f, found->sym.first_ref + i, &lost);

		if (v)
			values[nr++] = v;
	}
	for (size_t i = 0; i < nr; i++) {
		size_t same = 0;

		for (size_t j = 0; j < nr; j++)
			same += values[j] == values[i];
		if (same > best) {
			best = same;
			found->value = values[i];
		}
	}
	found->votes = best;
	return best * 2 > nr &&
	       (best >= 3 || (best == 2 && nr == 2 && !lost)) &&
	       is_plausible(f, &found->sym, index, found->value);
}

static int
by_value(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

/* Two that lie in one place cannot both be right: fewer votes lose. */
static void
add_found(struct queue *q, struct found *found, size_t nr)
{
	qsort(found, nr, sizeof(*found), by_value);
	for (size_t i = 0; i + 1 < nr; i++) {
		struct found *a = &found[i], *b = &found[i + 1];

		if (a->value == 0 || a->value + a->sym.size <= b->value)
			continue;
		if (a->votes > b->votes) {
			struct found kept = *a;

			*a = *b;
			*b = kept;
			a->value = 0;
		} else {
			if (a->votes == b->votes && a->votes < 4)
				b->value = 0;
			a->value = 0;
		}
	}
	for (size_t i = 0; i < nr; i++) {
		if (found[i].value != 0)
			add(q, found[i].sym.name, found[i].value,
				found[i].sym.size,
				found[i].sym.flags & MDB_PACK_SYM_LOCAL);
	}
}

static void
add_by_code(struct queue *q, struct mdb_xen_types *t)
{
	size_t nr_syms = mdb_pack_nr_syms(t->pack), nr = 0;
	size_t nr_functions = mdb_pack_nr_functions(t->pack);
	struct finder f = { .cx = q->cx, .xen = q->xen, .pack = t->pack };
	struct found *found = mdb_xarray(nr_syms + 1, sizeof(*found));

	f.functions = mdb_xarray(nr_functions + 1, sizeof(*f.functions));
	f.code = mdb_xalloc(MAX_FUNCTION_LEN);
	for (size_t i = 0; i < nr_syms; i++)
		if (decide(&f, i, &found[nr]))
			nr++;
	mdb_forget(q->cx);
	add_found(q, found, nr);
	for (size_t i = 0; i < nr_functions; i++)
		free(f.functions[i].targets);
	free(f.functions);
	free(f.code);
	free(found);
}

void
mdb_xen_data_symbols(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	struct mdb_xen *xen = arg;
	struct mdb_xen_types *t = mdb_xen_types(cx, xen);
	struct queue q = { .cx = cx, .xen = xen };
	const char *path;

	if (mdb_object_debug_path(cx, object, &path) == MDB_OK)
		(void)!mdb_elfsyms_each(cx, path, add_of_file, &q);
	(void)flush(&q);
	if (t->pack && t->build >= 0)
		add_by_build(&q, t);
	t->nr_named = flush(&q);
	if (xen->world->vmcoreinfo)
		mdb_vmcoreinfo_each_symbol(xen->world->vmcoreinfo,
			xen->world->vmcoreinfo_len, add_stated, &q);
	(void)flush(&q);
	if (t->pack && t->build < 0)
		add_by_code(&q, t);
	t->nr_voted = flush(&q);
	free(q.syms);
	/* NOLINTNEXTLINE(bugprone-multi-level-implicit-pointer-conversion) */
	free(q.names);
	mdb_forget(cx);
}
