/* SPDX-License-Identifier: MIT */
/*
 * Sets of addresses, as the providers collect them, and small texts.
 *
 * A set's memory is the command's; growing leaves the old array to the end
 * of the command, which doubles what a set costs at most.
 */
#include "kern.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum mdb_status
kern_set_add(struct mdb_ctx *cx, struct kern_set *set, mdb_addr_t addr)
{
	if (set->count >= KERN_SET_MAX)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"more than %u objects in one list", KERN_SET_MAX);
	if (set->count == set->room) {
		size_t room = set->room == 0 ? 16 : set->room * 2;
		mdb_addr_t *addrs = mdb_tmp(cx, room * sizeof(*addrs));

		if (set->count != 0)
			memcpy(addrs, set->addrs, set->count * sizeof(*addrs));
		set->addrs = addrs;
		set->room = room;
	}
	set->addrs[set->count++] = addr;
	return MDB_OK;
}

void
kern_set_warn(struct mdb_ctx *cx, const struct kern_set *set, const char *what)
{
	if (set->missing != 0 && set->why != NULL)
		mdb_warn(cx, MDB_OK,
			"%" PRIu64
			" %s are missing here: the list is damaged: %s",
			set->missing, what, set->why);
	else if (set->why != NULL && set->counted)
		mdb_warn(cx, MDB_OK,
			"the list of %s is damaged, but none is missing: %s",
			what, set->why);
	else if (set->why != NULL)
		mdb_warn(cx, MDB_OK,
			"some %s may be missing: the list is damaged: %s", what,
			set->why);
	else if (set->missing != 0)
		mdb_warn(cx, MDB_OK,
			"%" PRIu64 " %s that the kernel counts are not listed",
			set->missing, what);
}

const char *
kern_strdup(struct mdb_ctx *cx, const char *text)
{
	size_t len = strlen(text) + 1;

	return memcpy(mdb_tmp(cx, len), text, len);
}

static bool
contains(const struct mdb_sym *sym, mdb_addr_t addr)
{
	return sym->size == 0 || addr - sym->value < sym->size;
}

const char *
kern_pc_text(struct mdb_ctx *cx, struct mdb_loc pc, bool is_return)
{
	struct mdb_loc call = mdb_at(pc, pc.addr - 1);
	struct mdb_sym sym;

	if (!is_return)
		return mdb_sym_format(cx, pc);
	if (mdb_sym_by_addr(cx, call, false, &sym) != MDB_OK) {
		mdb_forget(cx);
		return mdb_tmp_printf(cx, "%#" PRIx64, pc.addr);
	}
	if (contains(&sym, pc.addr))
		return mdb_sym_format(cx, pc);
	return mdb_tmp_printf(cx, "%s+%#" PRIx64,
		mdb_sym_format(cx, mdb_at(pc, sym.value)), pc.addr - sym.value);
}

const char *
kern_date(struct mdb_ctx *cx, int64_t sec)
{
	time_t t = sec;
	struct tm tm;
	char *buf = mdb_tmp(cx, 64);

	if (gmtime_r(&t, &tm) == NULL ||
		strftime(buf, 64, "%a %b %e %H:%M:%S %Y", &tm) == 0)
		return mdb_tmp_printf(cx, "%" PRId64 " s", sec);
	return buf;
}

const char *
kern_state_name(enum kern_state state)
{
	static const char *const names[] = {
		[KERN_RUN] = "RUN",
		[KERN_ONPROC] = "ONPROC",
		[KERN_SLEEP] = "SLEEP",
		[KERN_DISK] = "DISK",
		[KERN_IDLE] = "IDLE",
		[KERN_STOPPED] = "STOPPED",
		[KERN_TRACED] = "TRACED",
		[KERN_PARKED] = "PARKED",
		[KERN_ZOMB] = "ZOMB",
		[KERN_DEAD] = "DEAD",
		[KERN_PANIC] = "PANIC",
		[KERN_FREE] = "FREE",
		[KERN_WAIT] = "WAIT",
	};

	return names[state];
}
