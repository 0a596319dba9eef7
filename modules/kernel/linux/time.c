/* SPDX-License-Identifier: MIT */
/*
 * Linux's clock: struct timekeeper (include/linux/timekeeper_internal.h).
 *
 * It lies in tk_core behind a sequence counter, in a struct without a name
 * before 6.13 and in struct tk_data since; from 6.17 on in timekeeper_data[].
 * A place is believed if the seconds of both of its clocks agree there.
 */
#include "linux.h"

#include <string.h>

struct timekeeper {
	uint64_t xtime_sec;
	int64_t to_mono_sec;
	int64_t to_mono_nsec;
	uint64_t ktime_sec;
	uint64_t offs_boot;
	uint64_t xtime_nsec;
	uint32_t shift;
};

static const struct mdb_field timekeeper_fields[] = {
	MDB_FIELD(struct timekeeper, xtime_sec, "xtime_sec"),
	MDB_FIELD(struct timekeeper, to_mono_sec, "wall_to_monotonic.tv_sec"),
	MDB_FIELD(struct timekeeper, to_mono_nsec, "wall_to_monotonic.tv_nsec"),
	MDB_FIELD(struct timekeeper, ktime_sec, "ktime_sec"),
	MDB_FIELD(struct timekeeper, offs_boot, "offs_boot"),
	MDB_FIELD(struct timekeeper, xtime_nsec, "tkr_mono.xtime_nsec"),
	MDB_FIELD(struct timekeeper, shift, "tkr_mono.shift"),
	MDB_FIELD_END,
};

static const struct mdb_shape timekeeper_shape = { "struct timekeeper",
	timekeeper_fields };

#define NSEC 1000000000

/* Seconds since 1970 that Linux can count in nanoseconds: year 2262. */
#define SEC_MAX (UINT64_MAX / 2 / NSEC)

static bool
believable(const struct timekeeper *t)
{
	int64_t mono = (int64_t)(t->xtime_sec + (uint64_t)t->to_mono_sec);

	return t->xtime_sec != 0 && t->xtime_sec < SEC_MAX &&
	       mono < (int64_t)SEC_MAX && t->shift < 64 &&
	       t->to_mono_nsec >= 0 && t->to_mono_nsec < NSEC && mono >= 0 &&
	       ((int64_t)t->ktime_sec == mono ||
		       (int64_t)t->ktime_sec == mono + 1);
}

/* Is there a clock at one of the places in this variable? */
static bool
clock_in(struct mdb_ctx *cx, struct mdb_loc var, struct timekeeper *out)
{
	uint64_t tries[] = { 8, 8, 0, 16, 64 };
	size_t i;

	if (!linux_offset(cx, var.world, "struct tk_data", "timekeeper\0",
		    &tries[0]))
		tries[0] = 8;
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		if (mdb_read_shape(cx, &timekeeper_shape,
			    mdb_at(var, var.addr + tries[i]), out) == MDB_OK &&
			believable(out))
			return true;
	return false;
}

static enum mdb_status
timekeeper(struct mdb_ctx *cx, struct mdb_world *w, struct timekeeper *out)
{
	static const char *const names[] = { "tk_core", "timekeeper_data",
		"shadow_timekeeper" };
	struct mdb_loc var;
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (mdb_sym_loc(cx, w, names[i], &var) != MDB_OK ||
			!clock_in(cx, var, out))
			continue;
		mdb_forget(cx);
		return MDB_OK;
	}
	return mdb_fail(cx, MDB_E_NOTFOUND, "the kernel's clock was not found");
}

enum mdb_status
linux_time(struct mdb_ctx *cx, struct mdb_world *w, struct kern_time *out)
{
	struct timekeeper t;
	uint64_t ns, mono;
	int64_t sec;
	enum mdb_status st = timekeeper(cx, w, &t);

	if (st != MDB_OK)
		return st;
	out->has_wall = true;
	ns = t.xtime_nsec >> t.shift;
	out->wall_sec = (int64_t)(t.xtime_sec + ns / NSEC);
	out->wall_ns = ns % NSEC;
	mono = (t.xtime_sec + (uint64_t)t.to_mono_sec) * NSEC + ns +
	       (uint64_t)t.to_mono_nsec;
	out->up_ns = mono + t.offs_boot;
	/* wall - mono: what the clock said when the log's began */
	sec = out->wall_sec - (int64_t)(mono / NSEC);
	if (out->wall_ns >= mono % NSEC) {
		out->boot_sec = sec;
		out->boot_ns = out->wall_ns - mono % NSEC;
	} else {
		out->boot_sec = sec - 1;
		out->boot_ns = NSEC + out->wall_ns - mono % NSEC;
	}
	return MDB_OK;
}
