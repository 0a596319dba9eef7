/* SPDX-License-Identifier: MIT */
/*
 * ::stacks: the distinct stacks of all threads, with how many have each.
 *
 * Two stacks are one if their lists of program counters, the kinds of their
 * frames, and the threads' states agree.  The filters look at functions and
 * objects of any frame.  Groups are shown by count, largest first; the one
 * of the thread that panicked is last, where it is still on the screen.
 */
#include "kern.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAMES 256
#define NR_BUCKETS 1024

const struct mdb_option kern_stacks_options[] = {
	{ 'a', MDB_OPT_FLAG, NULL, "list the threads of each group too" },
	{ 'c', MDB_OPT_STR, "func", "only stacks with this function" },
	{ 'C', MDB_OPT_STR, "func", "only stacks without this function" },
	{ 'm', MDB_OPT_STR, "module", "only stacks through this module" },
	{ 'M', MDB_OPT_STR, "module", "only stacks not through this module" },
	{ 't', MDB_OPT_STR, "state", "only threads in this state: SLEEP" },
	{ 'T', MDB_OPT_STR, "state", "only threads not in this state" },
	{ 0 },
};

static const struct mdb_column stacks_columns[] = {
	{ "thread", "THREAD", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"one of the group" },
	{ "state", "STATE", 8, MDB_COL_LEFT, 0, "as in ::thread" },
	{ "name", "NAME", 16, MDB_COL_LEFT, 0, "of that thread" },
	{ "count", "COUNT", 8, 0, 0, "threads with this stack" },
	{ "note", "", 0, MDB_COL_LEFT, 0, "why the stack ends early" },
	{ NULL },
};

const struct mdb_table kern_stacks_table = { .name = "stacks",
	.columns = stacks_columns };

static const struct mdb_column frame_columns[] = {
	{ "func", NULL, 0, MDB_COL_LEFT, 0, "function and offset" },
	{ "pc", NULL, 0, MDB_COL_JSON_ONLY, 0, "program counter" },
	{ NULL },
};

static const struct mdb_table frame_table = { .name = "frames",
	.columns = frame_columns,
	.indent = 17 };

static const struct mdb_column member_columns[] = {
	{ "thread", NULL, MDB_WIDTH_ADDR, MDB_COL_ZERO, 0, "task" },
	{ "tid", NULL, 6, 0, 0, "its id" },
	{ "name", NULL, 0, MDB_COL_LEFT, 0, "its name" },
	{ NULL },
};

static const struct mdb_table member_table = { .name = "members",
	.columns = member_columns,
	.indent = 2 };

struct pc {
	struct mdb_world *world;
	mdb_addr_t addr;
	uint8_t kind; /* enum mdb_frame_kind */
	uint8_t trap; /* enum mdb_trap_kind */
	bool is_return;
	bool guess;
};

struct stack {
	struct pc pcs[MAX_FRAMES];
	size_t count;
};

struct member {
	struct member *next;
	struct kern_thread thread;
};

struct group {
	struct group *chain;
	uint64_t hash;
	enum kern_state state;
	struct pc *pcs;
	size_t nr_pcs;
	enum mdb_stack_end end;
	const char *why; /* no stack, or its early end; NULL: whole */
	size_t count;
	size_t order; /* in which it was first seen */
	bool is_panic;
	struct member *members, **tail;
};

struct stacks {
	const struct mdb_call *call;
	struct group *buckets[NR_BUCKETS];
	size_t nr_groups;
};

static enum mdb_status
frame_note(struct mdb_ctx *cx, const struct mdb_frame *f, void *arg)
{
	struct stack *s = arg;

	(void)cx;
	if (s->count == MAX_FRAMES)
		return MDB_DONE;
	s->pcs[s->count++] = (struct pc){
		.world = f->world,
		.addr = f->kind == MDB_FRAME_USER ? 0 : f->pc,
		.kind = (uint8_t)f->kind,
		.trap = (uint8_t)f->trap,
		.is_return = f->pc_is_return,
		.guess = f->guess,
	};
	return MDB_OK;
}

static uint64_t
hash_bytes(uint64_t hash, uint64_t value)
{
	hash ^= value;
	hash *= 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

static bool
same_pcs(const struct pc *a, const struct pc *b, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (a[i].addr != b[i].addr || a[i].world != b[i].world ||
			a[i].kind != b[i].kind || a[i].trap != b[i].trap)
			return false;
	return true;
}

/* The symbol that a frame is in; a return address may lie past its end. */
static bool
frame_sym(struct mdb_ctx *cx, const struct pc *pc, struct mdb_sym *sym_out)
{
	mdb_addr_t addr = pc->addr - (pc->is_return ? 1 : 0);

	if (pc->kind == MDB_FRAME_USER)
		return false;
	if (mdb_sym_by_addr(cx, mdb_kernel_loc(pc->world, addr), false,
		    sym_out) == MDB_OK)
		return true;
	mdb_forget(cx);
	return false;
}

/* Does any frame's function, or object, have this name? */
static bool
mentions(struct mdb_ctx *cx, const struct stack *s, const char *name,
	bool object)
{
	struct mdb_object_info info;
	struct mdb_sym sym;
	size_t i;

	for (i = 0; i < s->count; i++) {
		if (!frame_sym(cx, &s->pcs[i], &sym))
			continue;
		if (!object && strcmp(sym.name, name) == 0)
			return true;
		if (!object || sym.object == NULL)
			continue;
		mdb_object_info(sym.object, &info);
		if (strcmp(info.name, name) == 0)
			return true;
	}
	return false;
}

static bool
wanted(struct mdb_ctx *cx, const struct mdb_call *call,
	const struct kern_thread *t, const struct stack *s)
{
	const char *state = kern_state_name(t->state);
	const char *is = mdb_opt_str(call, 't'), *not = mdb_opt_str(call, 'T');
	const char *c = mdb_opt_str(call, 'c'), *C = mdb_opt_str(call, 'C');
	const char *m = mdb_opt_str(call, 'm'), *M = mdb_opt_str(call, 'M');

	return (is == NULL || strcasecmp(is, state) == 0) &&
	       (not == NULL || strcasecmp(not, state) != 0) &&
	       (c == NULL || mentions(cx, s, c, false)) &&
	       (C == NULL || !mentions(cx, s, C, false)) &&
	       (m == NULL || mentions(cx, s, m, true)) &&
	       (M == NULL || !mentions(cx, s, M, true));
}

static struct group *
group_find(struct mdb_ctx *cx, struct stacks *all, const struct kern_thread *t,
	const struct stack *s, bool whole)
{
	uint64_t hash = hash_bytes((uint64_t)t->state, whole);
	struct group *g;
	size_t i;

	for (i = 0; i < s->count; i++)
		hash = hash_bytes(hash, s->pcs[i].addr + s->pcs[i].kind);
	for (g = all->buckets[hash % NR_BUCKETS]; g != NULL; g = g->chain)
		if (g->hash == hash && g->state == t->state &&
			g->nr_pcs == s->count && (g->why == NULL) == whole &&
			same_pcs(g->pcs, s->pcs, s->count))
			return g;
	g = mdb_tmp(cx, sizeof(*g));
	g->hash = hash;
	g->state = t->state;
	g->nr_pcs = s->count;
	g->pcs = mdb_tmp(cx, s->count * sizeof(*g->pcs) + 1);
	memcpy(g->pcs, s->pcs, s->count * sizeof(*g->pcs));
	g->tail = &g->members;
	g->order = all->nr_groups++;
	g->chain = all->buckets[hash % NR_BUCKETS];
	all->buckets[hash % NR_BUCKETS] = g;
	return g;
}

/* The stack of a thread; *why_out is NULL if it is whole. */
static enum mdb_status
stack_of(struct mdb_ctx *cx, const struct kern_thread *t, struct stack *s,
	const char **why_out)
{
	enum mdb_stack_end end = MDB_END_NO_REGS;
	struct mdb_regs regs;
	const char *why = NULL;
	enum mdb_status st;

	s->count = 0;
	*why_out = NULL;
	st = kern_thread_regs(cx, t, &regs);
	if (st == MDB_E_INTERRUPTED)
		return st;
	if (st != MDB_OK) {
		*why_out = kern_strdup(cx, mdb_trail(cx));
		mdb_forget(cx);
		return MDB_OK;
	}
	st = mdb_stack_walk(cx, t->loc.world, &regs, frame_note, s, &end, &why);
	if (st != MDB_OK && st != MDB_DONE)
		return st;
	if (end != MDB_END_USER && end != MDB_END_ENTRY)
		*why_out = why != NULL ? why : mdb_stack_end_name(end);
	return MDB_OK;
}

static enum mdb_status
add_thread(struct mdb_ctx *cx, struct stacks *all, const struct kern_thread *t,
	struct stack *s)
{
	struct member *m;
	struct group *g;
	const char *why;
	enum mdb_status st = stack_of(cx, t, s, &why);

	if (st != MDB_OK)
		return st;
	if (!wanted(cx, all->call, t, s))
		return MDB_OK;
	g = group_find(cx, all, t, s, why == NULL);
	if (g->count++ == 0)
		g->why = why;
	if (t->state == KERN_PANIC)
		g->is_panic = true;
	m = mdb_tmp(cx, sizeof(*m));
	m->thread = *t;
	*g->tail = m;
	g->tail = &m->next;
	return MDB_OK;
}

static int
by_count(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a;
	const struct group *y = *(struct group *const *)b;

	if (x->is_panic != y->is_panic)
		return x->is_panic ? 1 : -1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static enum mdb_status
frame_rows(struct mdb_ctx *cx, const struct group *g)
{
	size_t i;

	for (i = 0; i < g->nr_pcs; i++) {
		struct mdb_loc pc =
			mdb_kernel_loc(g->pcs[i].world, g->pcs[i].addr);
		const char *name;
		enum mdb_status st;

		if (g->pcs[i].kind == MDB_FRAME_USER)
			name = "<user mode>";
		else
			name = mdb_tmp_printf(cx, "%s%s",
				kern_pc_text(cx, pc, g->pcs[i].is_return),
				g->pcs[i].guess ? " (guess)" : "");
		struct mdb_value v[] = { mdb_v_cstr(name),
			g->pcs[i].addr == 0 ? mdb_v_none() : mdb_v_addr(pc) };
		st = mdb_subrow(cx, &frame_table, v);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

static enum mdb_status
member_rows(struct mdb_ctx *cx, const struct group *g)
{
	const struct member *m;

	for (m = g->members; m != NULL; m = m->next) {
		struct mdb_value v[] = { mdb_v_addr(m->thread.loc),
			mdb_v_int(m->thread.tid), mdb_v_cstr(m->thread.name) };
		enum mdb_status st = mdb_subrow(cx, &member_table, v);

		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

static enum mdb_status
group_show(struct mdb_ctx *cx, const struct mdb_call *call,
	const struct group *g)
{
	const struct kern_thread *t = &g->members->thread;
	const char *why =
		g->why == NULL ? "" : mdb_tmp_printf(cx, "<%s>", g->why);
	struct mdb_value v[] = {
		mdb_v_addr(t->loc),
		mdb_v_text(kern_state_name(g->state)),
		mdb_v_cstr(t->name),
		mdb_v_uint(g->count),
		mdb_v_cstr(why),
	};
	enum mdb_status st = mdb_row(cx, &kern_stacks_table, v);

	if (st != MDB_OK || mdb_is_piped(cx))
		return st;
	st = frame_rows(cx, g);
	if (st == MDB_OK && mdb_opt(call, 'a'))
		st = member_rows(cx, g);
	return st != MDB_OK ? st : mdb_blank(cx);
}

static enum mdb_status
show(struct mdb_ctx *cx, const struct stacks *all)
{
	struct group **groups, *g;
	size_t i, n = 0;
	enum mdb_status st;

	groups = mdb_tmp(cx, (all->nr_groups + 1) * sizeof(struct group *));
	for (i = 0; i < NR_BUCKETS; i++)
		for (g = all->buckets[i]; g != NULL; g = g->chain)
			groups[n++] = g;
	qsort(groups, n, sizeof(struct group *), by_count);
	for (i = 0; i < n; i++) {
		st = group_show(cx, all->call, groups[i]);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

/* One thread, given by its address, or all. */
static enum mdb_status
threads_of_call(struct mdb_ctx *cx, const struct mdb_call *call,
	struct kern_set *set_out)
{
	struct kern_set set = { .world = call->loc.world };
	enum mdb_status st;

	if (!call->has_addr)
		return kern_threads(cx, set_out);
	st = kern_set_add(cx, &set, call->loc.addr);
	if (st == MDB_OK)
		*set_out = set;
	return st;
}

enum mdb_status
kern_stacks(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct stacks *all = mdb_tmp(cx, sizeof(*all));
	struct stack *scratch = mdb_tmp(cx, sizeof(*scratch));
	struct mdb_loc panic;
	struct kern_thread t;
	struct kern_set set;
	enum mdb_status st = threads_of_call(cx, call, &set);
	size_t i;

	if (st != MDB_OK)
		return st;
	all->call = call;
	panic = kern_panic_thread(cx, set.world);
	for (i = 0; i < set.count; i++) {
		st = kern_thread_info(cx,
			mdb_kernel_loc(set.world, set.addrs[i]), &t);
		if (st == MDB_E_INTERRUPTED)
			return st;
		if (st != MDB_OK) {
			mdb_warn(cx, st, "thread %llx is left out",
				(unsigned long long)set.addrs[i]);
			continue;
		}
		if (panic.addr != 0 && panic.addr == t.loc.addr)
			t.state = KERN_PANIC;
		st = mdb_check_interrupt(cx);
		if (st == MDB_OK)
			st = add_thread(cx, all, &t, scratch);
		if (st != MDB_OK)
			return st;
	}
	kern_set_warn(cx, &set, "threads");
	return show(cx, all);
}
