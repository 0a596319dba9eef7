/* SPDX-License-Identifier: MIT */
/*
 * The context that every call carries: the error trail, memory that lives
 * until the command ends, the interrupt flag, and what "current" means.
 *
 * The upper layers' objects are opaque here: base knows nothing of debugging.
 * One context per command at a time; a session makes one and resets it
 * between commands.  Tests make their own.
 */
#ifndef MDB_BASE_CTX_H
#define MDB_BASE_CTX_H

#include <mdb/status.h>

#include <signal.h>
#include <stdarg.h>

struct mdb_chunk; /* a piece of the arena */

struct mdb_arena {
	struct mdb_chunk *chunks;
	size_t bytes; /* handed out and not yet freed */
};

struct mdb_ctx {
	char *trail; /* heap; NULL: nothing failed */
	struct mdb_arena tmp;
	const volatile sig_atomic_t *interrupted; /* may be NULL */
	unsigned int nr_warnings;
	/* How far below an address its symbol may lie; 0: it contains it. */
	uint64_t sym_distance;
	/* Where a line of mdb_warn goes, without its newline; NULL: stderr.
	 * The shell sets it, to flush its own output first. */
	void (*warn)(struct mdb_ctx *cx, const char *text);

	struct mdb_target *target;   /* world/target.h */
	struct mdb_world *world;     /* current; world/world.h */
	struct mdb_space *space;     /* current process's, or NULL */
	struct mdb_session *session; /* shell/session.h */
	struct mdb_out *out;	     /* shell/out.h: where rows go */
};

void mdb_ctx_init(struct mdb_ctx *cx);
void mdb_ctx_fini(struct mdb_ctx *cx);

/* Free what mdb_tmp gave since the mark (0: all). */
void mdb_arena_release(struct mdb_arena *arena);
void *mdb_arena_alloc(struct mdb_arena *arena, size_t len);

/* A copy of a NUL-terminated text from the dump in which everything but
 * printable ASCII is escaped; the text itself when nothing needs to be. */
const char *mdb_escape_name(struct mdb_ctx *cx, const char *text);

/* va_list form of mdb_fail. */
enum mdb_status mdb_vfail(struct mdb_ctx *cx, enum mdb_status st,
	const char *fmt, va_list ap);

#endif
