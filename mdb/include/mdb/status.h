/* SPDX-License-Identifier: MIT */
/*
 * The outcome of every call that can fail, and the error trail.
 *
 * The trail is text that grows at the front as a failure travels up:
 *   ::domain: walking the domain list: reading 8 bytes at 0xffff82d0: not in
 *   the dump
 * The shell prints it once and clears it.  No other code prints an error.
 */
#ifndef MDB_STATUS_H
#define MDB_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MDB_API __attribute__((visibility("default")))
#define MDB_NODISCARD [[nodiscard]]
#define MDB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

struct mdb_ctx;

/* clang-format off */
/* On the type, so that the compiler refuses every ignored outcome. */
enum MDB_NODISCARD mdb_status {
	MDB_OK = 0,
	MDB_DONE,	   /* no more items, or enough of them; not an error */
	MDB_E_UNMAPPED,	   /* no page table entry maps that address */
	MDB_E_EXCLUDED,	   /* left out of the dump by choice */
	MDB_E_LOST,	   /* should be in the dump: truncated or corrupt */
	MDB_E_RANGE,	   /* beyond the machine's memory */
	MDB_E_NOTFOUND,	   /* no such symbol, type, member or command */
	MDB_E_CORRUPT,	   /* target data contradicts itself */
	MDB_E_FORMAT,	   /* a file is malformed or of an unknown kind */
	MDB_E_USAGE,	   /* bad arguments; the shell adds the synopsis */
	MDB_E_SYNTAX,	   /* the text typed does not parse */
	MDB_E_UNSUPPORTED, /* this target cannot do that */
	MDB_E_SYSTEM,	   /* the host said no; its reason is in the trail */
	MDB_E_INTERRUPTED, /* the user pressed ^C */
};
/* clang-format on */

/* Is this one of the four ways in which memory cannot be read? */
static inline bool
mdb_is_fault(enum mdb_status st)
{
	return st >= MDB_E_UNMAPPED && st <= MDB_E_RANGE;
}

/* "unmapped", "excluded", "lost", ...: what is printed in place of a value. */
MDB_API const char *mdb_status_name(enum mdb_status st);

/*
 * Start a trail and return st, so that failing is one statement.  A trail
 * that nobody printed is replaced.
 */
MDB_API enum mdb_status mdb_fail(struct mdb_ctx *cx, enum mdb_status st,
	const char *fmt, ...) MDB_PRINTF(3, 4);

/* Put "context: " in front of the trail and return st unchanged. */
MDB_API enum mdb_status mdb_context(struct mdb_ctx *cx, enum mdb_status st,
	const char *fmt, ...) MDB_PRINTF(3, 4);

/*
 * For a caller that handles a failure: the trail so far (borrowed until the
 * next failure), and forgetting it.
 */
MDB_API const char *mdb_trail(const struct mdb_ctx *cx);
MDB_API void mdb_forget(struct mdb_ctx *cx);

/*
 * A remark that is not a failure of the command ("cannot read the name of
 * task 0x...: excluded"): printed on stderr as `mdb: TEXT`, escaped.  With
 * st not MDB_OK the trail is appended and cleared.
 */
MDB_API void mdb_warn(struct mdb_ctx *cx, enum mdb_status st, const char *fmt,
	...) MDB_PRINTF(3, 4);

/* MDB_E_INTERRUPTED once the user pressed ^C, else MDB_OK: for long loops. */
MDB_API enum mdb_status mdb_check_interrupt(struct mdb_ctx *cx);

/*
 * Memory that lives until the command ends; zeroed; never NULL.  For sizes
 * that come from the dump use mdb_alloc_capped: MDB_E_CORRUPT when count *
 * size exceeds cap bytes.
 */
MDB_API void *mdb_tmp(struct mdb_ctx *cx, size_t len)
	__attribute__((returns_nonnull));
MDB_API char *mdb_tmp_printf(struct mdb_ctx *cx, const char *fmt, ...)
	MDB_PRINTF(2, 3);
MDB_API enum mdb_status mdb_alloc_capped(struct mdb_ctx *cx, uint64_t count,
	size_t size, size_t cap, void *mem_out);

#endif
