/* SPDX-License-Identifier: MIT */
/*
 * Code followed.  Each instruction is looked at a few times at most, once for
 * each depth of the stack with which it is met.  Where a path leaves the
 * function, or the stack pointer is set to what is not known, it is given up.
 * Paths behind a call that does not return, and behind a trap, wait until all
 * the others have been followed.
 */
#include "mdb/stack/flow.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"

#include <stdlib.h>
#include <string.h>

#ifdef MDB_TINY
#define MAX_PATHS 64u
#else
#define MAX_PATHS 2048u
#endif
#define MAX_RANGES 3
#define MAX_MEETINGS 3 /* of one instruction, at different depths */
#define MAX_CALLEE_DEPTH 2

enum {
	REG_BP = 5
};

struct meeting {
	uint32_t marks[MAX_MEETINGS]; /* of the states; 0 is none */
};

struct range {
	mdb_addr_t start;
	uint32_t len;
	uint8_t *code;
	struct meeting *seen;
};

struct flow {
	struct mdb_unwind *u;
	struct range ranges[MAX_RANGES];
	size_t nr_ranges;
	const char *name; /* the function's, for its other parts */
	mdb_addr_t target;
	unsigned int bits;
	int depth;	/* of functions whose return is asked for */
	bool ahead;	/* to the returns, not to the target */
	bool first;	/* the first place found will do */
	bool is_return; /* the target is where a call returns to */
	struct mdb_flow_place sure[MAX_PATHS], doubtful[MAX_PATHS];
	size_t nr_sure, nr_doubtful;
	struct mdb_flow_places *places;
	mdb_flow_exit_fn *fn; /* or NULL */
	void *arg;
	bool stopped;
};

/* ---- code ---------------------------------------------------------------- */

static bool
add_range(struct flow *f, mdb_addr_t start, uint64_t len)
{
	struct range *r;

	if (f->nr_ranges >= MAX_RANGES || len == 0 || len > MDB_FLOW_MAX_CODE)
		return false;
	r = &f->ranges[f->nr_ranges];
	*r = (struct range){ .start = start, .len = (uint32_t)len };
	r->code = mdb_xalloc(len);
	if (mdb_space_try(f->u->world->space, start, r->code, len) != MDB_OK) {
		free(r->code);
		return false;
	}
	r->seen = mdb_xarray(len, sizeof(*r->seen));
	f->nr_ranges++;
	return true;
}

static struct range *
range_of(struct flow *f, mdb_addr_t at)
{
	for (size_t i = 0; i < f->nr_ranges; i++)
		if (at >= f->ranges[i].start &&
			at - f->ranges[i].start < f->ranges[i].len)
			return &f->ranges[i];
	return NULL;
}

/* How much of a name comes before ".cold"; 0 when it is no such part. */
static size_t
before_cold(const char *name)
{
	const char *cold = strstr(name, ".cold");

	return cold ? (size_t)(cold - name) : 0;
}

/* Is it the same function, put elsewhere?  Then its code is followed, too. */
static struct range *
other_part(struct flow *f, mdb_addr_t at)
{
	struct mdb_sym sym;
	const char *name;
	size_t mine, its;

	if (f->nr_ranges == MAX_RANGES || !f->name ||
		!mdb_flow_symbol(f->u, at, &sym))
		return NULL;
	name = mdb_bare_name(sym.name);
	mine = before_cold(f->name);
	its = before_cold(name);
	if ((mine == 0) == (its == 0))
		return NULL;
	mine = mine ? mine : strlen(f->name);
	its = its ? its : strlen(name);
	if (mine != its || strncmp(name, f->name, its) != 0 ||
		!add_range(f, sym.value, sym.size))
		return NULL;
	return range_of(f, at);
}

static void
init(struct flow *f, struct mdb_unwind *u, struct mdb_flow_places *places)
{
	f->u = u;
	f->places = places;
	f->bits = u->world->arch->word == 8 ? 64 : 32;
	if (places)
		*places = (struct mdb_flow_places){ 0 };
}

static void
fini(struct flow *f)
{
	for (size_t i = 0; i < f->nr_ranges && i < MAX_RANGES; i++) {
		free(f->ranges[i].code);
		free(f->ranges[i].seen);
	}
	free(f);
}

/* ---- what an instruction does -------------------------------------------- */

static void
push(struct mdb_flow_place *s, const struct mdb_insn *insn)
{
	/* Pushed again it is an argument. */
	if (insn->reg != REG_BP || s->bp != MDB_BP_SAME || !s->sp_known ||
		s->bp_is_saved)
		return;
	s->bp_saved = s->sp;
	s->bp_is_saved = true;
}

static void
pop(struct mdb_flow_place *s, const struct mdb_insn *insn, int64_t from,
	bool ahead)
{
	if (insn->reg != REG_BP)
		return;
	if (ahead) {
		s->bp_saved = from;
		s->bp_is_saved = s->sp_known;
		s->bp = s->sp_known ? MDB_BP_SAME : MDB_BP_OTHER;
		return;
	}
	s->bp = s->sp_known && s->bp_is_saved && from == s->bp_saved
			? MDB_BP_SAME
			: MDB_BP_OTHER;
	if (s->bp == MDB_BP_SAME)
		s->bp_is_saved = false;
}

/* sp := bp + sp_off, and for `leave` bp is then popped. */
static void
set_sp(struct mdb_flow_place *s, const struct mdb_insn *insn, bool ahead)
{
	int64_t word = insn->bits == 64 ? 8 : 4;

	s->sp_known = insn->reg == REG_BP && s->bp == MDB_BP_FRAME;
	if (!s->sp_known)
		return;
	s->sp = s->bp_off + insn->sp_off;
	if (insn->kind != MDB_INSN_LEAVE)
		return;
	/* sp_off counts the word that leave pops. */
	if (ahead) {
		s->bp = MDB_BP_SAME;
		s->bp_saved = s->sp - word;
		s->bp_is_saved = true;
		return;
	}
	s->bp = s->bp_is_saved && s->bp_saved == s->sp - word ? MDB_BP_SAME
							      : MDB_BP_OTHER;
	s->bp_is_saved = false;
}

static void
apply(struct mdb_flow_place *s, const struct mdb_insn *insn, bool ahead)
{
	int64_t before = s->sp;

	if (insn->has_sp_delta && insn->kind != MDB_INSN_CALL &&
		insn->kind != MDB_INSN_RET)
		s->sp += insn->sp_delta;
	switch (insn->kind) {
	case MDB_INSN_PUSH:
		if (!ahead)
			push(s, insn);
		break;
	case MDB_INSN_POP:
		pop(s, insn, before, ahead);
		break;
	case MDB_INSN_FRAME:
		s->bp = s->sp_known ? MDB_BP_FRAME : MDB_BP_OTHER;
		s->bp_off = s->sp + insn->sp_off;
		break;
	case MDB_INSN_SP_SET:
	case MDB_INSN_LEAVE:
		set_sp(s, insn, ahead);
		break;
	case MDB_INSN_ENTER:
		s->sp_known = false;
		s->bp = MDB_BP_OTHER;
		break;
	default:
		break;
	}
}

/* ---- places -------------------------------------------------------------- */

static bool
same_place(const struct mdb_flow_place *a, const struct mdb_flow_place *b)
{
	return a->sp == b->sp && a->sp_known == b->sp_known && a->bp == b->bp &&
	       a->bp_off == b->bp_off && a->bp_is_saved == b->bp_is_saved &&
	       a->bp_saved == b->bp_saved;
}

static void
found(struct flow *f, const struct mdb_flow_place *s, bool called)
{
	struct mdb_flow_places *p = f->places;
	size_t at;

	if (!p || (!s->sp_known && s->bp != MDB_BP_FRAME))
		return;
	at = called ? p->nr_called : p->nr;
	for (size_t i = 0; i < p->nr; i++)
		if (same_place(&p->at[i], s) && (!called || i < at))
			return;
	if (at == MDB_FLOW_PLACES)
		return;
	if (p->nr == MDB_FLOW_PLACES)
		p->nr--;
	memmove(&p->at[at + 1], &p->at[at], (p->nr - at) * sizeof(p->at[0]));
	p->at[at] = *s;
	p->nr++;
	p->nr_called += called ? 1 : 0;
	f->stopped = f->first;
}

/* The same instruction again in the same state, or too often? */
static bool
met(struct range *r, const struct mdb_flow_place *s)
{
	struct meeting *m = &r->seen[s->at - r->start];
	uint32_t mark =
		((uint32_t)s->sp * 16u + (uint32_t)s->bp_off * 128u +
			(s->sp_known ? 8u : 0u) + (uint32_t)s->bp * 2u) |
		1u;

	for (size_t i = 0; i < MAX_MEETINGS; i++) {
		if (m->marks[i] == mark)
			return true;
		if (m->marks[i] == 0) {
			m->marks[i] = mark;
			return false;
		}
	}
	return true;
}

static void
add_path(struct flow *f, const struct mdb_flow_place *s, mdb_addr_t at,
	bool doubt)
{
	struct mdb_flow_place *to = doubt ? f->doubtful : f->sure;
	size_t *nr = doubt ? &f->nr_doubtful : &f->nr_sure;

	if (*nr == MAX_PATHS)
		return;
	to[*nr] = *s;
	to[(*nr)++].at = at;
}

static void
tell(struct flow *f, enum mdb_flow_exit kind, mdb_addr_t target,
	mdb_addr_t next)
{
	if (f->fn && !f->stopped)
		f->stopped = !f->fn(f->arg, kind, target, next);
}

/* ---- where it goes ------------------------------------------------------- */

static bool may_return(struct mdb_unwind *u, mdb_addr_t entry, int depth);

static bool
callee_returns(struct flow *f, const struct mdb_insn *insn)
{
	if (f->first || !insn->has_target || f->depth >= MAX_CALLEE_DEPTH)
		return true;
	if (insn->target == insn->addr + insn->len)
		return true; /* to learn where it is */
	return may_return(f->u, insn->target, f->depth + 1);
}

/* Out of the function: it ends there, for its caller. */
static void
leave(struct flow *f, const struct mdb_flow_place *s,
	const struct mdb_insn *insn, mdb_addr_t target, bool known)
{
	bool returns = known && mdb_flow_is_return_thunk(f->u, target);
	bool away = !known || mdb_flow_is_thunk(f->u, target);

	tell(f,
		returns ? MDB_FLOW_RETURN
		: away	? MDB_FLOW_AWAY
			: MDB_FLOW_JUMP,
		target, insn->addr + insn->len);
	if (f->ahead && (returns || !away))
		found(f, s, returns);
}

static void
jump(struct flow *f, const struct mdb_flow_place *s,
	const struct mdb_insn *insn)
{
	if (!insn->has_target)
		leave(f, s, insn, 0, false);
	else if (range_of(f, insn->target) || other_part(f, insn->target))
		add_path(f, s, insn->target, false);
	else
		leave(f, s, insn, insn->target, true);
}

/* To a place in itself: it has pushed, as thunks do to pick their way. */
static void
call_within(struct flow *f, const struct mdb_flow_place *s,
	const struct mdb_insn *insn)
{
	struct mdb_flow_place deeper = *s;

	if (f->first || f->ahead || !insn->has_target ||
		insn->target == f->ranges[0].start ||
		!range_of(f, insn->target))
		return;
	deeper.sp -= insn->bits == 64 ? 8 : 4;
	add_path(f, &deeper, insn->target, true);
}

/* After a call.  False: the path ends, or waits. */
static bool
call(struct flow *f, const struct mdb_flow_place *s,
	const struct mdb_insn *insn)
{
	mdb_addr_t next = insn->addr + insn->len;

	tell(f, insn->has_target ? MDB_FLOW_CALL : MDB_FLOW_INDIRECT,
		insn->target, next);
	if (!f->ahead && f->places && next == f->target)
		found(f, s, f->is_return);
	call_within(f, s, insn);
	if (callee_returns(f, insn))
		return true;
	add_path(f, s, next, true);
	return false;
}

/* False: the path ends here. */
static bool
goes_on(struct flow *f, const struct mdb_flow_place *s,
	const struct mdb_insn *insn)
{
	switch (insn->kind) {
	case MDB_INSN_INVALID:
		return false;
	case MDB_INSN_RET:
		tell(f, MDB_FLOW_RETURN, 0, 0);
		if (f->ahead)
			found(f, s, true);
		return false;
	case MDB_INSN_JUMP:
		jump(f, s, insn);
		return false;
	case MDB_INSN_BRANCH:
		jump(f, s, insn);
		return true;
	case MDB_INSN_CALL:
		return call(f, s, insn);
	case MDB_INSN_TRAP:
		add_path(f, s, insn->addr + insn->len, true);
		return false;
	default:
		return true;
	}
}

static void
follow(struct flow *f, struct mdb_flow_place s)
{
	while (!f->stopped) {
		struct range *r = range_of(f, s.at);
		uint32_t at;
		struct mdb_insn insn;

		if (!f->ahead && f->places && s.at == f->target) {
			found(f, &s, false);
			return;
		}
		if (!r || met(r, &s))
			return;
		at = (uint32_t)(s.at - r->start);
		mdb_insn_decode(r->code + at, r->len - at, s.at, f->bits,
			&insn);
		if (insn.len == 0)
			return;
		apply(&s, &insn, f->ahead);
		if (!goes_on(f, &s, &insn))
			return;
		s.at += insn.len;
	}
}

static void
run(struct flow *f, mdb_addr_t from, const struct mdb_flow_place *s)
{
	add_path(f, s, from, false);
	while (!f->stopped && (f->nr_sure > 0 || f->nr_doubtful > 0)) {
		if (f->nr_sure > 0)
			follow(f, f->sure[--f->nr_sure]);
		else
			follow(f, f->doubtful[--f->nr_doubtful]);
	}
}

/* ---- ways through a function --------------------------------------------- */

void
mdb_flow_to(struct mdb_unwind *u, const struct mdb_flow_function *function,
	mdb_addr_t pc, struct mdb_flow_places *places_out)
{
	const struct mdb_flow_place entry = { .sp_known = true };
	struct flow *f = mdb_xalloc(sizeof(*f));

	init(f, u, places_out);
	f->name = function->name;
	f->target = pc;
	f->is_return = u->frame.pc_is_return;
	/* Where return addresses cannot be held against their calls, more
	 * places are of no use, and cost the reading of more code. */
	f->first = !mdb_unwind_is_xen_64(u->world);
	if (add_range(f, function->start, function->size))
		run(f, function->start, &entry);
	fini(f);
}

void
mdb_flow_ahead(struct mdb_unwind *u, mdb_addr_t pc, bool bp_known,
	int64_t bp_off, struct mdb_flow_places *places_out)
{
	const struct mdb_flow_place here = { .sp_known = true,
		.bp = bp_known ? MDB_BP_FRAME : MDB_BP_OTHER,
		.bp_off = bp_off };
	struct mdb_flow_function fn;
	struct flow *f = mdb_xalloc(sizeof(*f));

	init(f, u, places_out);
	f->ahead = true;
	if (mdb_flow_bounds(u, pc, &fn)) {
		f->name = fn.name;
		if (add_range(f, fn.start, fn.size))
			run(f, pc, &here);
	}
	fini(f);
}

static void
exits(struct mdb_unwind *u, mdb_addr_t entry, int depth, mdb_flow_exit_fn *fn,
	void *arg)
{
	const struct mdb_flow_place start = { .sp_known = true };
	struct mdb_flow_function function;
	struct flow *f;

	if (!mdb_flow_bounds(u, entry, &function))
		return;
	f = mdb_xalloc(sizeof(*f));
	init(f, u, NULL);
	f->name = function.name;
	f->depth = depth;
	f->fn = fn;
	f->arg = arg;
	if (add_range(f, function.start, function.size))
		run(f, entry, &start);
	fini(f);
}

void
mdb_flow_exits(struct mdb_unwind *u, mdb_addr_t entry, mdb_flow_exit_fn *fn,
	void *arg)
{
	exits(u, entry, MAX_CALLEE_DEPTH, fn, arg);
}

struct returning {
	bool it_does, any;
};

static bool
note_return(void *arg, enum mdb_flow_exit kind, mdb_addr_t target,
	mdb_addr_t next)
{
	struct returning *r = arg;

	(void)target;
	(void)next;
	r->any = true;
	r->it_does = kind == MDB_FLOW_RETURN || kind == MDB_FLOW_JUMP ||
		     kind == MDB_FLOW_AWAY;
	return !r->it_does;
}

/* What cannot be followed may. */
static bool
may_return(struct mdb_unwind *u, mdb_addr_t entry, int depth)
{
	struct mdb_object *object = mdb_unwind_object(u, entry);
	struct returning r = { 0 };
	struct mdb_unwind_table *t;
	size_t slot = (entry ^ entry >> 7) % MDB_TABLE_RETURNS;

	if (!object)
		return true;
	t = mdb_unwind_table_of(object);
	if (t->returns[slot].entry == entry)
		return t->returns[slot].it_does;
	exits(u, entry, depth, note_return, &r);
	t->returns[slot].entry = entry;
	t->returns[slot].it_does = r.it_does || !r.any;
	return t->returns[slot].it_does;
}
