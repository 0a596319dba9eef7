/* SPDX-License-Identifier: MIT */
/*
 * The module interface: everything a debugger module may use starts here.
 *
 * A module is one constant manifest (struct mdb_module) naming its commands
 * and walkers.  The debugger reads the manifest; a module registers nothing
 * by calling in, and runs no code when it is loaded.
 *
 * Handles.  A module receives a struct mdb_ctx and passes it back on each
 * call.  It is valid until the entry point returns; never store it.
 *
 * Errors.  A function that can fail returns enum mdb_status and, unless that
 * is MDB_OK or MDB_DONE, has already said why with mdb_fail().  The caller
 * adds its own context, or returns the status as it is.  On failure, out
 * parameters are untouched.
 */
#ifndef MDB_MODULE_H
#define MDB_MODULE_H

#include <mdb/mem.h>
#include <mdb/out.h>
#include <mdb/stack.h>
#include <mdb/status.h>
#include <mdb/sym.h>
#include <mdb/type.h>
#include <mdb/world.h>

#define MDB_API_VERSION 1

/* ---- commands ------------------------------------------------------------ */

enum mdb_opt_kind {
	MDB_OPT_FLAG = 0,
	MDB_OPT_STR,  /* -c TEXT */
	MDB_OPT_EXPR, /* -c EXPR: evaluated, a number */
};

struct mdb_option {
	char letter;
	enum mdb_opt_kind kind;
	const char *arg; /* what the value is called in the synopsis, or NULL */
	const char *help; /* one line */
};

struct mdb_example {
	const char *line; /* "::ps -f" */
	const char *help; /* what it shows */
};

/* How a command was invoked: `ADDR,COUNT::name [-opts] ARG...` */
struct mdb_call {
	const char *name;	 /* under which it was called */
	const char *const *argv; /* the operands after the options */
	int argc;
	struct mdb_loc loc; /* meaningful if has_addr; else dot */
	bool has_addr;
	uint64_t count; /* of `addr,count`; 1 without */
	bool has_count;
	bool first; /* first of a loop or pipeline: print a heading */
	bool piped; /* output goes to another command */
	const struct mdb_optval *opts; /* see mdb_opt() */
};

/* Was the option given?  Its value. */
MDB_API bool mdb_opt(const struct mdb_call *call, char letter);
MDB_API const char *mdb_opt_str(const struct mdb_call *call, char letter);
MDB_API uint64_t mdb_opt_uint(const struct mdb_call *call, char letter,
	uint64_t otherwise);

/* May the command be given an address? */
enum mdb_addr_use {
	MDB_ADDR_NONE = 0, /* an address is a usage error */
	MDB_ADDR_OPTIONAL,
	MDB_ADDR_REQUIRED,
};

/* A command.  Everything the help text shows is data in this table. */
struct mdb_dcmd {
	const char *name;
	const char *operands; /* "[type] [member ...]" after the options */
	const char *summary;  /* one line, no full stop */
	const char *help;     /* paragraphs, or NULL */
	enum mdb_addr_use addr;
	const char *addr_what; /* "task", "address": what the address is */
	bool raw_args;	       /* options are the command's own to parse */
	const struct mdb_option *options;   /* ended by letter 0, or NULL */
	const struct mdb_table *table;	    /* its rows, or NULL */
	const struct mdb_example *examples; /* ended by line NULL, or NULL */
	enum mdb_status (*run)(struct mdb_ctx *cx, const struct mdb_call *call);
};

/* ---- walkers --------------------------------------------------------------
 */

/* One walk in progress. */
struct mdb_walk {
	struct mdb_loc start; /* where to begin, if has_start */
	bool has_start;
	const char *const *argv; /* operands after the walker's name */
	int argc;
	void *state; /* the walker's own, from init to fini */
};

/*
 * A walker yields the location of each object of one kind.  step stores the
 * next one and returns MDB_OK, or MDB_DONE after the last.  The debugger ends
 * a walk that yields one address twice, checks for ^C between steps, and
 * calls fini once for each init that returned MDB_OK.  init and fini may be
 * NULL.
 */
struct mdb_walker {
	const char *name;
	const char *summary;
	enum mdb_addr_use addr;
	const char *operands; /* or NULL */
	enum mdb_status (*init)(struct mdb_ctx *cx, struct mdb_walk *w);
	enum mdb_status (*step)(struct mdb_ctx *cx, struct mdb_walk *w,
		struct mdb_loc *loc_out);
	void (*fini)(struct mdb_ctx *cx, struct mdb_walk *w);
};

/* Runs a walker by name over fn; fn may end it with MDB_DONE. */
typedef enum mdb_status mdb_walk_fn(struct mdb_ctx *cx, struct mdb_loc loc,
	void *arg);
MDB_API enum mdb_status mdb_walk(struct mdb_ctx *cx, const char *name,
	const struct mdb_loc *start, mdb_walk_fn *fn, void *arg);

/* Evaluates an expression in the current context, as an operand may need. */
MDB_API enum mdb_status mdb_eval_expr(struct mdb_ctx *cx, const char *text,
	uint64_t *value_out);

/*
 * whatis: each module may know what an address is.  It states each finding
 * with mdb_line() in whatis' form ("ffff... is ffff...+8, allocated from
 * task_struct") and sets *found_out when it stated any.
 */
typedef enum mdb_status mdb_whatis_fn(struct mdb_ctx *cx, struct mdb_loc loc,
	bool *found_out);

/* ---- synthetic objects ----------------------------------------------------
 */

/*
 * A variable that no memory of the dump holds, made up of what is known of a
 * world: `name::print` prints it like any other.  It is a structure of its own
 * name whose members are texts (char *); a text that is not known is a null
 * pointer.  A symbol of the name that the dump has comes first.
 */
struct mdb_synthetic {
	const char *name;
	enum mdb_world_kind kind; /* of the worlds that have it */
	/* Where nothing of such a world can be, for MDB_SYNTHETIC_MAX bytes; a
	 * world with shorter addresses does not have it. */
	mdb_addr_t addr;
	const char *const *members; /* ended by NULL */
	/* The text of a member, until the command ends; NULL: not known. */
	const char *(*text)(struct mdb_ctx *cx, struct mdb_world *world,
		const char *member);
};
#define MDB_SYNTHETIC_MAX 0x10000u

/* ---- the manifest ---------------------------------------------------------
 */

/*
 * NAME.so exports exactly one symbol, mdb_module_NAME.  The tables end with
 * an entry whose name is NULL.
 */
struct mdb_module {
	unsigned int api_version; /* MDB_API_VERSION */
	const char *name;
	const char *summary;
	/* Does this dump hold what the module understands?  Must not print. */
	bool (*probe)(struct mdb_ctx *cx);
	const struct mdb_dcmd *dcmds;
	const struct mdb_walker *walkers;
	mdb_whatis_fn *whatis; /* emits mdb_line()s; or NULL */
	const struct mdb_synthetic *synthetics; /* ended by name NULL; or NULL */
};

/*
 * State that a module keeps until the session ends: zeroed at first use, one
 * per module and world (NULL: the session as a whole), of the size asked at
 * first.  The debugger frees it, but nothing that it points to.
 */
MDB_API void *mdb_module_state(struct mdb_ctx *cx,
	const struct mdb_module *module, struct mdb_world *world, size_t len);

#endif
