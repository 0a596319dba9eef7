/* SPDX-License-Identifier: MIT */
/*
 * ::xentimers and the walker timer: what the hypervisor's clock is to call
 * (xen/common/timer.c, 4.14 to 4.20).
 *
 * Each CPU has a heap of timers, an array of pointers whose element 0 holds its
 * length, and a list of those for which the heap had no room.
 */
#include "pcpu.h"

#include <inttypes.h>

const struct mdb_option xpv_timers_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "also those that are not set" },
	{ 'c', MDB_OPT_EXPR, "cpu", "only those of that CPU" },
	{ 0 },
};

static const struct mdb_column columns[] = {
	{ "timer", "TIMER", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct timer" },
	{ "cpu", "CPU", 4, 0, 0, "processor on which it is called" },
	{ "place", "PLACE", 8, MDB_COL_LEFT, 0,
		"running, heap and its place there, list, inactive" },
	{ "expires_ns", "EXPIRES", 14, 0, 0,
		"system time, seconds since boot" },
	{ "in_ns", "IN", 12, 0, 0,
		"seconds from the latest time that is known" },
	{ "data", "DATA", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"what the function is given" },
	{ "function", "FUNCTION", 0, MDB_COL_LEFT, 0, "what is called" },
	{ NULL },
};

const struct mdb_table xpv_timers_table = { .name = "timers",
	.columns = columns };

const struct mdb_example xpv_timers_examples[] = {
	{ "::xentimers", "the timers that are set, by CPU" },
	{ "::xentimers -c 1 -v", "all of CPU 1" },
	{ "::walk timer | ::print struct timer", "each in full" },
	{ NULL },
};

struct timer {
	int64_t expires;
	mdb_addr_t function, data;
	uint16_t cpu;
	uint8_t status;
	uint32_t heap_offset;
	mdb_addr_t list_next;
};

enum {
	F_EXPIRES,
	F_FUNCTION,
	F_DATA,
};

static const struct mdb_field timer_fields[] = {
	[F_EXPIRES] = MDB_FIELD(struct timer, expires, "expires"),
	[F_FUNCTION] = MDB_FIELD(struct timer, function, "function"),
	[F_DATA] = MDB_FIELD(struct timer, data, "data"),
	MDB_FIELD(struct timer, cpu, "cpu"),
	MDB_FIELD(struct timer, status, "status"),
	MDB_FIELD(struct timer, heap_offset, "heap_offset"),
	MDB_FIELD(struct timer, list_next, "list_next"),
	MDB_FIELD_END,
};
static const struct mdb_shape timer_shape = { "struct timer", timer_fields };

struct timers {
	mdb_addr_t heap, list, running, inactive;
};

static const struct mdb_field timers_fields[] = {
	MDB_FIELD(struct timers, heap, "heap"),
	MDB_FIELD(struct timers, list, "list"),
	MDB_FIELD_OPT(struct timers, running, "running"),
	MDB_FIELD_ADDR(struct timers, inactive, "inactive"),
	MDB_FIELD_END,
};
static const struct mdb_shape timers_shape = { "struct timers", timers_fields };

/* TIMER_STATUS_*, xen/include/xen/timer.h. */
enum {
	STATUS_RUNNING = 0, /* ours: Xen has no such timer */
	STATUS_INACTIVE = 1,
	STATUS_HEAP = 3,
	STATUS_LIST = 4,
};

/* A timer of a CPU, and where it was found: status, and the place in the heap.
 */
typedef enum mdb_status timer_fn(struct mdb_ctx *cx, struct mdb_loc loc,
	const struct timer *t, void *arg);

struct scan {
	int cpu;
	timer_fn *fn;
	void *arg;
	bool inactive;
};

/*
 * Says what is wrong with a timer that cannot be where it was found; such a
 * one is left out.
 */
static enum mdb_status
check(struct mdb_ctx *cx, const struct scan *s, const struct timer *t,
	unsigned int status, uint32_t place)
{
	if (t->status != status)
		return mdb_fail(cx, MDB_E_CORRUPT, "its status is %u, not %u",
			t->status, status);
	if (t->cpu != s->cpu)
		return mdb_fail(cx, MDB_E_CORRUPT, "it says that CPU %u has it",
			t->cpu);
	if (status == STATUS_HEAP && t->heap_offset != place)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"it says that it is number %u of the heap",
			t->heap_offset);
	return MDB_OK;
}

static enum mdb_status
one(struct mdb_ctx *cx, const struct scan *s, struct mdb_loc loc,
	unsigned int status, uint32_t place, struct timer *t)
{
	enum mdb_status st = mdb_read_shape(cx, &timer_shape, loc, t);
	enum mdb_status bad = st;

	if (st == MDB_OK)
		bad = check(cx, s, t, status, place);
	if (bad == MDB_OK)
		return s->fn(cx, loc, t, s->arg);
	mdb_warn(cx, bad, "CPU %d, %s: timer %" PRIx64 " is left out", s->cpu,
		status == STATUS_HEAP	? mdb_tmp_printf(cx, "heap[%u]", place)
		: status == STATUS_LIST ? "list"
					: "inactive",
		loc.addr);
	return MDB_OK;
}

/* struct heap_metadata { u16 size, limit; } in the place of element 0. */
static enum mdb_status
scan_heap(struct mdb_ctx *cx, const struct scan *s, struct mdb_loc heap)
{
	size_t word = mdb_world_word(heap.world);
	uint64_t size = 0, limit = 0;
	struct mdb_loc at = heap;
	struct timer t;
	enum mdb_status st = mdb_read_uint(cx, heap, 2, &size);

	if (st == MDB_OK)
		st = mdb_read_uint(cx, mdb_at(heap, heap.addr + 2), 2, &limit);
	if (st == MDB_OK && size > limit)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"%" PRIu64 " timers, but room for %" PRIu64, size,
			limit);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the heap of CPU %d", s->cpu);
	for (uint32_t i = 1; i <= size && st == MDB_OK; i++) {
		st = mdb_read_ptr(cx, mdb_at(heap, heap.addr + i * word),
			&at.addr);
		if (st == MDB_OK)
			st = one(cx, s, at, STATUS_HEAP, i, &t);
	}
	return st;
}

static enum mdb_status
scan_list(struct mdb_ctx *cx, const struct scan *s, struct mdb_loc at)
{
	enum mdb_status st = MDB_OK;
	unsigned int met = 0, power = 1;
	mdb_addr_t mark = 0;
	struct timer t;

	while (at.addr != 0 && st == MDB_OK) {
		if (at.addr == mark)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the list of CPU %d comes back to %" PRIx64,
				s->cpu, mark);
		/* The one met at the last power of two; a cycle meets it. */
		if (met++ == power) {
			mark = at.addr;
			power *= 2;
		}
		t.list_next = 0;
		st = one(cx, s, at, STATUS_LIST, 0, &t);
		at.addr = t.list_next;
	}
	return st;
}

static enum mdb_status
inactive_one(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct timer t;

	return one(cx, arg, loc, STATUS_INACTIVE, 0, &t);
}

/* That which is being called: it is on the heap again if it was set again. */
static enum mdb_status
running(struct mdb_ctx *cx, const struct scan *s, struct mdb_loc loc)
{
	struct timer t;
	enum mdb_status st = mdb_read_shape(cx, &timer_shape, loc, &t);

	if (st != MDB_OK || t.status == STATUS_HEAP || t.status == STATUS_LIST)
		return st;
	t.status = STATUS_RUNNING;
	return s->fn(cx, loc, &t, s->arg);
}

static enum mdb_status
scan_cpu(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	struct scan *s = arg;
	struct mdb_loc loc;
	struct timers ts = { 0 };
	uint64_t offset;
	enum mdb_status st = xpv_percpu_loc(cx, world, "timers", cpu, &loc);

	s->cpu = cpu;
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &timers_shape, loc, &ts);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, world, "struct timer", "inactive\0",
			&offset);
	if (st == MDB_OK && ts.running != 0)
		st = running(cx, s, mdb_at(loc, ts.running));
	if (st == MDB_OK)
		st = scan_heap(cx, s, mdb_at(loc, ts.heap));
	if (st == MDB_OK)
		st = scan_list(cx, s, mdb_at(loc, ts.list));
	if (st == MDB_OK && s->inactive)
		st = xpv_each_in_list(cx, mdb_at(loc, ts.inactive), offset,
			inactive_one, s);
	return st;
}

/* ---- the command --------------------------------------------------------- */

static const char *
place_of(struct mdb_ctx *cx, const struct timer *t)
{
	switch (t->status) {
	case STATUS_HEAP:
		return mdb_tmp_printf(cx, "heap %u", t->heap_offset);
	case STATUS_LIST:
		return "list";
	case STATUS_INACTIVE:
		return "inactive";
	default:
		return "running";
	}
}

/* Seconds with a sign, as a text; the JSON value is the number. */
static struct mdb_value
in_cell(struct mdb_ctx *cx, struct mdb_world *world, int64_t expires)
{
	uint64_t now, d;

	if (xpv_time_latest(cx, world, &now) != MDB_OK) {
		mdb_forget(cx);
		return mdb_v_none();
	}
	if (expires >= (int64_t)now)
		return mdb_v_ns((uint64_t)expires - now);
	d = now - (uint64_t)expires;
	return mdb_v_text(mdb_tmp_printf(cx, "-%" PRIu64 ".%06" PRIu64,
		d / 1000000000, d % 1000000000 / 1000));
}

static enum mdb_status
row(struct mdb_ctx *cx, struct mdb_loc loc, const struct timer *t, void *arg)
{
	struct scan *s = arg;
	bool set = t->status != STATUS_INACTIVE;
#define MEMBER(field, v) \
	xpv_shape_cell(cx, loc.world, &timer_shape, F_##field, (v))
	struct mdb_value v[] = {
		mdb_v_addr(loc),
		mdb_v_int(s->cpu),
		mdb_v_text(place_of(cx, t)),
		set ? MEMBER(EXPIRES, mdb_v_ns((uint64_t)t->expires))
		    : mdb_v_none(),
		set ? MEMBER(EXPIRES, in_cell(cx, loc.world, t->expires))
		    : mdb_v_none(),
		MEMBER(DATA, mdb_v_addr(mdb_at(loc, t->data))),
		MEMBER(FUNCTION, mdb_v_sym(mdb_at(loc, t->function))),
	};

	return mdb_row(cx, &xpv_timers_table, v);
}

enum mdb_status
xpv_timers(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world;
	struct scan s = { .fn = row, .inactive = mdb_opt(call, 'v') };
	enum mdb_status st = xpv_world(cx, &world);
	uint64_t cpu = mdb_opt_uint(call, 'c', 0);

	s.arg = &s;
	if (st != MDB_OK)
		return st;
	if (!mdb_opt(call, 'c'))
		return xpv_each_cpu(cx, world, scan_cpu, &s);
	if (cpu >= mdb_nr_cpu_ids(world))
		return mdb_fail(cx, MDB_E_NOTFOUND, "there is no CPU %" PRIu64,
			cpu);
	return scan_cpu(cx, world, (int)cpu, &s);
}

static enum mdb_status
count_one(struct mdb_ctx *cx, struct mdb_loc loc, const struct timer *t,
	void *arg)
{
	struct xpv_cpu_timers *n = arg;

	(void)cx;
	if (t->status == STATUS_HEAP)
		n->heap++;
	else if (t->status == STATUS_LIST)
		n->list++;
	else
		return MDB_OK;
	if (n->first.addr == 0 || t->expires < n->expires) {
		n->first = loc;
		n->expires = t->expires;
		n->function = mdb_at(loc, t->function);
	}
	return MDB_OK;
}

enum mdb_status
xpv_cpu_timers(struct mdb_ctx *cx, struct mdb_world *world, int cpu,
	struct xpv_cpu_timers *out)
{
	struct xpv_cpu_timers n = { 0 };
	struct scan s = { .fn = count_one, .arg = &n };
	enum mdb_status st = scan_cpu(cx, world, cpu, &s);

	if (st == MDB_OK)
		*out = n;
	return st;
}

static enum mdb_status
walk_one(struct mdb_ctx *cx, struct mdb_loc loc, const struct timer *t,
	void *arg)
{
	(void)t;
	return xpv_found_add(cx, loc, arg);
}

enum mdb_status
xpv_walk_timer_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct xpv_found *f = mdb_tmp(cx, sizeof(*f));
	struct scan s = { .fn = walk_one, .arg = f };
	enum mdb_status st = xpv_world(cx, &f->world);

	w->state = f;
	return st == MDB_OK ? xpv_each_cpu(cx, f->world, scan_cpu, &s) : st;
}
