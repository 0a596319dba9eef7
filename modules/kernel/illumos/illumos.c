/* SPDX-License-Identifier: MIT */
/*
 * The illumos provider: its operations, and what its files share.
 */
#include "illumos.h"

#include <inttypes.h>
#include <string.h>

const struct kern_thread_ops illumos_thread_ops = {
	.threads = illumos_threads,
	.procs = illumos_procs,
	.of_proc = illumos_threads_of,
	.info = illumos_thread_info,
	.regs = illumos_thread_regs,
	.proc_info = illumos_proc_info,
	.proc_args = illumos_proc_args,
};

const struct kern_sys_ops illumos_sys_ops = {
	.cpu_next = illumos_cpu_next,
	.cpu = illumos_cpu,
	.runq = illumos_runq,
	.log = illumos_log,
	.mods = illumos_mods,
	.mod_info = illumos_mod_info,
	.time = illumos_time,
	.panic = illumos_panic,
	.panic_pairs = illumos_panic_pairs,
};

/* sys/cpuvar.h: CPU_RUNNING and what follows it */
static const char *const cpu_flags[] = { "RUNNING", "READY", "QUIESCED",
	"EXISTS", "ENABLE", "OFFLINE", "POWEROFF", "FROZEN", "SPARE", "FAULTED",
	NULL };

const struct kern_provider kern_illumos = {
	.name = "illumos",
	.thread = &illumos_thread_ops,
	.sys = &illumos_sys_ops,
	.view = &illumos_view,
	.cpu_flags = cpu_flags,
	.pid_is_proc = true,
};

/* ---- variables ----------------------------------------------------------- */

enum mdb_status
illumos_var(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	struct mdb_loc *loc_out)
{
	struct mdb_loc loc;
	enum mdb_status st = mdb_sym_loc(cx, world, name, &loc);

	if (st == MDB_OK && loc.world != world)
		st = mdb_fail(cx, MDB_E_NOTFOUND, "world %s has no %s",
			mdb_world_name(world), name);
	if (st == MDB_OK)
		*loc_out = loc;
	return st;
}

enum mdb_status
illumos_var_ptr(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	mdb_addr_t *addr_out)
{
	struct mdb_loc loc;
	enum mdb_status st = illumos_var(cx, world, name, &loc);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, loc, addr_out);
	return st == MDB_OK ? st : mdb_context(cx, st, "variable %s", name);
}

mdb_addr_t
illumos_var_ptr_or_0(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name)
{
	mdb_addr_t addr;

	if (illumos_var_ptr(cx, world, name, &addr) == MDB_OK)
		return addr;
	mdb_forget(cx);
	return 0;
}

void
illumos_str(struct mdb_ctx *cx, struct mdb_loc loc, char *buf, size_t len)
{
	if (loc.addr != 0 && mdb_read_str(cx, loc, buf, len) == MDB_OK)
		return;
	mdb_forget(cx);
	buf[0] = '\0';
}

/* ---- lists --------------------------------------------------------------- */

static enum mdb_status
link_of(struct mdb_ctx *cx, const struct kern_set *set, mdb_addr_t addr,
	uint64_t offset, mdb_addr_t *next_out)
{
	return mdb_read_ptr(cx, mdb_kernel_loc(set->world, addr + offset),
		next_out);
}

/*
 * Follows the links from `first` on until they end there or at NULL.  Brent's
 * way to find a cycle: `mark` is the object met at the last power of two.
 */
static enum mdb_status
follow(struct mdb_ctx *cx, mdb_addr_t first, mdb_addr_t start, uint64_t offset,
	struct kern_set *set)
{
	mdb_addr_t at = start, mark = 0;
	uint64_t met = 0, power = 1;
	enum mdb_status st = MDB_OK;

	while (at != 0 && (met == 0 || at != first)) {
		if (at == mark) {
			set->why = mdb_tmp_printf(cx,
				"it comes back to %" PRIx64, at);
			return MDB_E_CORRUPT;
		}
		if (met++ == power) {
			mark = at;
			power *= 2;
		}
		st = kern_set_add(cx, set, at);
		if (st == MDB_OK)
			st = mdb_check_interrupt(cx);
		if (st != MDB_OK)
			return st;
		st = link_of(cx, set, at, offset, &at);
		if (st != MDB_OK) {
			set->why = kern_strdup(cx, mdb_trail(cx));
			mdb_forget(cx);
			return st;
		}
	}
	return MDB_OK;
}

/* Each address once, in the order of its first place. */
static void
drop_repeats(struct kern_set *set, size_t from)
{
	size_t kept = from;

	for (size_t i = from; i < set->count; i++) {
		bool seen = false;

		for (size_t j = 0; j < kept && !seen; j++)
			seen = set->addrs[j] == set->addrs[i];
		if (!seen)
			set->addrs[kept++] = set->addrs[i];
	}
	set->count = kept;
}

/* A damaged list of more objects than this is not compared with itself. */
#define MAX_COMPARED 20000

enum mdb_status
illumos_collect(struct mdb_ctx *cx, const struct illumos_list *list,
	mdb_addr_t first, struct kern_set *set)
{
	size_t before = set->count, forward;
	mdb_addr_t last = 0;
	uint64_t next, prev;
	enum mdb_status st;

	st = mdb_offset_of(cx, set->world, list->type, list->next, &next);
	if (st != MDB_OK || first == 0)
		return st;
	st = follow(cx, first, first, next, set);
	if (st == MDB_OK || st == MDB_E_INTERRUPTED || set->why == NULL)
		return st;
	forward = set->count;
	if (list->prev != NULL &&
		mdb_offset_of(cx, set->world, list->type, list->prev, &prev) ==
			MDB_OK &&
		link_of(cx, set, first, prev, &last) == MDB_OK &&
		last != first) {
		const char *why = set->why;

		st = follow(cx, first, last, prev, set);
		set->why = why;
		if (st == MDB_E_INTERRUPTED)
			return st;
	}
	mdb_forget(cx);
	if (set->count - before <= MAX_COMPARED)
		drop_repeats(set, before);
	else
		set->count = forward;
	return MDB_OK;
}
