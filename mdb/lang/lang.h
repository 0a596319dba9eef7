/* SPDX-License-Identifier: MIT */
/*
 * The language: text -> meaning.  Parses mdb statements into trees, evaluates
 * expressions, and formats values by the format characters.  Runs no command:
 * the shell walks the tree.
 *
 *   statement = [expr][,expr] pipeline [! shell text] (newline or ;)
 *   pipeline  = command { | command }
 *   command   = verb formats | ::name words | $x words | :x words
 *             | $<macro | $<<macro | > variable
 */
#ifndef MDB_LANG_LANG_H
#define MDB_LANG_LANG_H

#include <mdb/sym.h>

/* ---- variables ------------------------------------------------------------
 */

#define MDB_VAR_NAME_MAX 30

struct mdb_vars; /* name -> 64-bit value; the session's */

struct mdb_vars *mdb_vars_create(void);
void mdb_vars_destroy(struct mdb_vars *vars);
bool mdb_vars_get(const struct mdb_vars *vars, const char *name,
	uint64_t *value_out);
/* MDB_E_USAGE for a bad name or a read-only variable. */
enum mdb_status mdb_vars_set(struct mdb_ctx *cx, struct mdb_vars *vars,
	const char *name, uint64_t value);
/* In name order; index past the end: false. */
bool mdb_vars_at(const struct mdb_vars *vars, size_t index,
	const char **name_out, uint64_t *value_out);

/* What an expression or a format needs to know of the session. */
struct mdb_lang {
	struct mdb_vars *vars;
	unsigned int radix; /* 2..16; 16 */
	struct mdb_loc dot;
	uint64_t increment;   /* bytes that the last format consumed */
	mdb_addr_t last_addr; /* `&` */
	/* Registers by name ("rip", "eax"), for <rip; NULL: none. */
	enum mdb_status (*reg)(struct mdb_ctx *cx, const char *name,
		uint64_t *value_out);
	/* One instruction, for `i` and `I`; NULL: none.  Text is the
	 * instruction alone. */
	enum mdb_status (*dis)(struct mdb_ctx *cx, struct mdb_loc loc,
		char *buf, size_t len, size_t *insn_len_out);
};

/* ---- syntax trees ----------------------------------------------------------
 * All memory of a tree is mdb_tmp() memory of the parsing context.
 */

struct mdb_expr; /* opaque */

/* An argument word: literal pieces and $[expr] pieces, joined. */
struct mdb_word_part {
	const char *text;	     /* or NULL */
	const struct mdb_expr *expr; /* or NULL */
};
struct mdb_word {
	struct mdb_word_part *parts;
	size_t nr_parts;
};

enum mdb_cmd_kind {
	MDB_CMD_NAMED = 0, /* ::name words */
	MDB_CMD_DOLLAR,	   /* $x words; name is "x" */
	MDB_CMD_COLON,	   /* :x words */
	MDB_CMD_FORMAT,	   /* verb is / ? \ @ =; formats */
	MDB_CMD_ASSIGN,	   /* > name, or >/l/name with size 1 2 4 8 */
	MDB_CMD_MACRO,	   /* $<name ; nested: $<<name */
	MDB_CMD_LOG,	   /* $>file */
};

struct mdb_cmd {
	enum mdb_cmd_kind kind;
	char verb;	     /* MDB_CMD_FORMAT */
	bool nested;	     /* MDB_CMD_MACRO */
	unsigned int size;   /* MDB_CMD_ASSIGN: bytes, 0: all */
	const char *name;    /* of the command, variable or macro */
	const char *formats; /* MDB_CMD_FORMAT: raw text; "" for the default */
	const struct mdb_word *words; /* also values for the write formats */
	size_t nr_words;
};

struct mdb_stmt {
	const struct mdb_expr *addr;  /* or NULL */
	const struct mdb_expr *count; /* or NULL */
	const struct mdb_cmd *cmds;   /* of the pipeline */
	size_t nr_cmds;		      /* 0: only an expression, or nothing */
	const char *shell;	      /* text after !, or NULL */
};

/*
 * Parses one statement from the front of text; used_out is how much of it
 * was taken, with its terminator.  An empty statement has nothing set.
 * MDB_E_SYNTAX with `... near "tok"`.
 */
enum mdb_status mdb_parse(struct mdb_ctx *cx, const char *text, size_t len,
	unsigned int radix, struct mdb_stmt *stmt_out, size_t *used_out);

/* Parses text that is one expression and nothing more. */
enum mdb_status mdb_parse_expr(struct mdb_ctx *cx, const char *text,
	unsigned int radix, const struct mdb_expr **expr_out);

/* The value, and the world that it names when a symbol or dot was in it. */
enum mdb_status mdb_eval(struct mdb_ctx *cx, const struct mdb_lang *lang,
	const struct mdb_expr *expr, struct mdb_loc *loc_out);

/* The text of a word, $[..] evaluated; lives until the command ends. */
enum mdb_status mdb_word_text(struct mdb_ctx *cx, const struct mdb_lang *lang,
	const struct mdb_word *word, const char **text_out);

/* ---- formats ---------------------------------------------------------------
 */

struct mdb_format_info {
	char letter;
	uint8_t size;	  /* bytes consumed; 0: none or varying */
	const char *help; /* as ::formats lists it */
};
/* Index past the last: NULL. */
const struct mdb_format_info *mdb_format_at(size_t index);

/*
 * The text that a format list prints: pieces as the shell puts them out.
 * Runs the list once at *loc (verb '/' virtual, '\\' and '@' machine, '?' as
 * '/', '=' the value itself) and advances lang->dot, increment and last_addr
 * as adb does.  first: print the symbol label line and the address margin.
 * Output is appended to buf: a struct mdb_buf (base/buf.h).
 */
struct mdb_buf;
enum mdb_status mdb_format_run(struct mdb_ctx *cx, struct mdb_lang *lang,
	char verb, const char *formats, struct mdb_loc loc, uint64_t value,
	uint64_t count, unsigned int width, struct mdb_buf *buf);

/*
 * The searching formats l L M (2, 4, 8 bytes): the first place at or after
 * loc where (memory & mask) == (value & mask), in steps of that size; dot is
 * left there.  Ends at memory that cannot be read, with its status.
 */
enum mdb_status mdb_format_match(struct mdb_ctx *cx, struct mdb_lang *lang,
	char verb, char letter, struct mdb_loc loc, uint64_t value,
	uint64_t mask, struct mdb_loc *loc_out);

#endif
