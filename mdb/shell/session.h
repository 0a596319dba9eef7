/* SPDX-License-Identifier: MIT */
/*
 * A debugging session: one target, the commands, the language's state, and
 * where output goes.  Created by cmd/mdb.c; a test makes two at once.
 *
 * A session is one thread.  Text is fed to it with mdb_session_eval(); what
 * it prints goes to its sinks.
 */
#ifndef MDB_SHELL_SESSION_H
#define MDB_SHELL_SESSION_H

#include "mdb/base/buf.h"
#include "mdb/base/ctx.h"
#include "mdb/lang/lang.h"
#include "mdb/shell/registry.h"
#include "mdb/shell/sink.h"

/* Options of -o and ::set. */
struct mdb_options {
	bool json;		  /* -o json: rows as JSON lines */
	bool pager;		  /* -o pager: page on a terminal */
	bool ignoreeof;		  /* ^D does not end the session */
	bool repeatlast;	  /* an empty line repeats the last command */
	bool allow_shell;	  /* `!` and logs; off in fuzzing */
	uint64_t array_mem_limit; /* elements that ::print shows; 0: all */
	uint64_t array_str_limit; /* characters of a string; 0: all */
	uint64_t sym_distance;	  /* -s; 0: within the symbol's size */
	char prompt[32];
};

struct mdb_session {
	struct mdb_ctx cx; /* of statements; commands get their own */
	volatile sig_atomic_t *interrupted; /* or NULL */
	struct mdb_target *target;	    /* owned; or NULL */
	struct mdb_lang lang;
	struct mdb_registry registry;
	struct mdb_options opts;
	struct mdb_sink *out;	      /* stdout; owned */
	struct mdb_sink *err;	      /* stderr; owned */
	struct mdb_module_mem *state; /* mdb_module_state without a world */
	char *macro_path;	      /* directories joined by ':'; or NULL */
	char *last;	  /* the last statement that had a command; or NULL */
	char *log_path;	  /* `$>file`; or NULL */
	int log_fd;	  /* or -1 */
	int depth;	  /* of nested evaluation */
	bool quit;	  /* $q */
	bool interactive; /* on a terminal */
	unsigned int nr_errors; /* commands that failed */
};

/*
 * interrupted may be NULL.  The sinks become the session's.  The session has
 * no commands yet: see mdb_builtin_register, mdb_load_modules.
 */
struct mdb_session *mdb_session_create(struct mdb_sink *out,
	struct mdb_sink *err, volatile sig_atomic_t *interrupted);
void mdb_session_destroy(struct mdb_session *s);

/* Makes target the session's; takes it over. */
void mdb_session_set_target(struct mdb_session *s, struct mdb_target *target);

/*
 * A command's own context over the same target: the world and the interrupt
 * flag of parent, an arena and a trail of its own.  fini counts its warnings
 * to the session.
 */
void mdb_session_ctx_init(struct mdb_session *s, struct mdb_ctx *cx,
	const struct mdb_ctx *parent);
void mdb_session_ctx_fini(struct mdb_session *s, struct mdb_ctx *cx);

/* Where text comes from, for messages. */
struct mdb_source {
	const char *name;  /* "(stdin)", "/root/.mdbrc"; NULL: not said */
	unsigned int line; /* of the text's front */
	bool interactive;  /* an expression alone repeats the last command */
};

/*
 * Runs the statements of text, one line or several.  Each failure is printed
 * as it comes and counted in nr_errors; the status is that of the last
 * statement.  source may be NULL.
 */
enum mdb_status mdb_session_eval(struct mdb_session *s, const char *text,
	size_t len, const struct mdb_source *source);

/*
 * The same from within a command (::eval): what the last command of a
 * pipeline prints goes where the command that asks prints.  Fails only on ^C
 * and when nested too deep.
 */
enum mdb_status mdb_session_eval_nested(struct mdb_ctx *cx, const char *text);
/* So, the text of a file of at most 1 MiB. */
enum mdb_status mdb_session_eval_file(struct mdb_ctx *cx, const char *path);

/* Copies all output to a file from now on; NULL: no more. */
enum mdb_status mdb_session_log(struct mdb_ctx *cx, struct mdb_session *s,
	const char *path);

/*
 * Sets an option by its name as for -o; on false: +o.  MDB_E_USAGE names the
 * option when there is none such.
 */
enum mdb_status mdb_session_set(struct mdb_ctx *cx, struct mdb_session *s,
	const char *option, bool on);

/* Prints `mdb: COMMAND: TRAIL` for cx, counts it, and forgets the trail;
 * command may be NULL. */
void mdb_session_error(struct mdb_session *s, struct mdb_ctx *cx,
	enum mdb_status st, const char *command);

/* The ownership list of mdb_module_state. */
void mdb_module_mem_free(struct mdb_module_mem *list);

#endif
