/* SPDX-License-Identifier: MIT */
/*
 * The clock of illumos: what the panic noted of it, else the variables that
 * the clock interrupt keeps.
 */
#include "illumos.h"

#define NSEC 1000000000

static bool
read_pair(struct mdb_ctx *cx, struct mdb_world *w, const char *name,
	int64_t *sec_out, uint64_t *ns_out)
{
	size_t word = mdb_world_word(w);
	struct mdb_loc loc;
	uint64_t sec, ns;

	if (illumos_var(cx, w, name, &loc) == MDB_OK &&
		mdb_read_uint(cx, loc, word, &sec) == MDB_OK &&
		mdb_read_uint(cx, mdb_at(loc, loc.addr + word), word, &ns) ==
			MDB_OK &&
		sec != 0 && ns < NSEC) {
		*sec_out = word == 4 ? (int32_t)sec : (int64_t)sec;
		*ns_out = ns;
		return true;
	}
	mdb_forget(cx);
	return false;
}

static bool
read_ns(struct mdb_ctx *cx, struct mdb_world *w, const char *name,
	uint64_t *ns_out)
{
	struct mdb_loc loc;

	if (illumos_var(cx, w, name, &loc) == MDB_OK &&
		mdb_read_uint(cx, loc, 8, ns_out) == MDB_OK && *ns_out != 0)
		return true;
	mdb_forget(cx);
	return false;
}

/* How long it had run, by the finest clock that there is. */
static bool
uptime(struct mdb_ctx *cx, struct mdb_world *w, uint64_t *ns_out)
{
	int64_t ticks;

	if (read_ns(cx, w, "panic_hrtime", ns_out) ||
		read_ns(cx, w, "hrtime_base", ns_out))
		return true;
	if (!illumos_ticks(cx, w, &ticks) || ticks < 0)
		return false;
	*ns_out = (uint64_t)ticks * (NSEC / 100);
	return true;
}

enum mdb_status
illumos_time(struct mdb_ctx *cx, struct mdb_world *w, struct kern_time *out)
{
	struct kern_time t = { 0 };

	if (!uptime(cx, w, &t.up_ns))
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"how long the kernel had run was not found");
	t.has_wall =
		read_pair(cx, w, "panic_hrestime", &t.wall_sec, &t.wall_ns) ||
		read_pair(cx, w, "hrestime", &t.wall_sec, &t.wall_ns);
	t.boot_sec = t.wall_sec - (int64_t)(t.up_ns / NSEC);
	t.boot_ns = t.wall_ns;
	if (t.boot_ns < t.up_ns % NSEC) {
		t.boot_sec--;
		t.boot_ns += NSEC;
	}
	t.boot_ns -= t.up_ns % NSEC;
	*out = t;
	return MDB_OK;
}
