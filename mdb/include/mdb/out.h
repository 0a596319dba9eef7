/* SPDX-License-Identifier: MIT */
/*
 * Output.  A command states rows or trees of values; the shell renders them:
 * as a table, as JSON lines (-o json), or as the addresses of a pipeline.  A
 * command never formats for a terminal itself.  Text that came from the dump
 * is passed as MDB_V_STR and escaped in one place, the renderer.
 *
 * A row belongs to a table: const columns.  The table is named with the first
 * row of a command or with mdb_table().  Values follow the columns' order.
 * In the table rendering the heading is printed once for a command loop; a
 * column may be left out unless an option is given; values wider than
 * their column push the rest to the right.
 *
 * Nested rows (the stack of a thread) are a second table whose rows are
 * printed below their parent, indented; in JSON they are an array in the
 * parent's object.
 */
#ifndef MDB_OUT_H
#define MDB_OUT_H

#include <mdb/mem.h>

/* clang-format off */
enum mdb_value_kind {
	MDB_V_NONE = 0,	/* nothing there: "-"; JSON null */
	MDB_V_ERROR,	/* could not be read: "<unmapped>"; JSON {"error":..} */
	MDB_V_INT,	/* signed decimal */
	MDB_V_UINT,	/* unsigned decimal */
	MDB_V_HEX,	/* bare hex; JSON number as "0x..." string */
	MDB_V_FLAGS,	/* hex with 0x and leading zeros to the width */
	MDB_V_ADDR,	/* a location: bare hex; goes into pipelines */
	MDB_V_SYM,	/* a location shown as symbol+offset */
	MDB_V_STR,	/* bytes from the dump: escaped */
	MDB_V_TEXT,	/* our own text: printed as it is */
	MDB_V_BOOL,	/* yes / no; JSON true / false */
	MDB_V_NS,	/* nanoseconds: seconds with six decimals */
	MDB_V_BYTES,	/* a size for humans: 1.2G; JSON a number */
};
/* clang-format on */

struct mdb_value {
	enum mdb_value_kind kind;
	enum mdb_status status; /* MDB_V_ERROR */
	bool unproven; /* marked with `?`; in JSON named in "unproven" */
	union {
		int64_t i;
		uint64_t u;
		struct mdb_loc loc;
		struct {
			const char *text; /* borrowed until the row is stated */
			size_t len;
		} s;
	};
};

static inline struct mdb_value
mdb_v_none(void)
{
	return (struct mdb_value){ .kind = MDB_V_NONE };
}
static inline struct mdb_value
mdb_v_error(enum mdb_status st)
{
	return (struct mdb_value){ .kind = MDB_V_ERROR, .status = st };
}
static inline struct mdb_value
mdb_v_int(int64_t i)
{
	return (struct mdb_value){ .kind = MDB_V_INT, .i = i };
}
static inline struct mdb_value
mdb_v_uint(uint64_t u)
{
	return (struct mdb_value){ .kind = MDB_V_UINT, .u = u };
}
static inline struct mdb_value
mdb_v_hex(uint64_t u)
{
	return (struct mdb_value){ .kind = MDB_V_HEX, .u = u };
}
static inline struct mdb_value
mdb_v_flags(uint64_t u)
{
	return (struct mdb_value){ .kind = MDB_V_FLAGS, .u = u };
}
static inline struct mdb_value
mdb_v_addr(struct mdb_loc loc)
{
	return (struct mdb_value){ .kind = MDB_V_ADDR, .loc = loc };
}
static inline struct mdb_value
mdb_v_sym(struct mdb_loc loc)
{
	return (struct mdb_value){ .kind = MDB_V_SYM, .loc = loc };
}
static inline struct mdb_value
mdb_v_str(const char *text, size_t len)
{
	return (struct mdb_value){ .kind = MDB_V_STR, .s = { text, len } };
}
static inline struct mdb_value
mdb_v_bool(bool b)
{
	return (struct mdb_value){ .kind = MDB_V_BOOL, .u = b };
}
static inline struct mdb_value
mdb_v_ns(uint64_t ns)
{
	return (struct mdb_value){ .kind = MDB_V_NS, .u = ns };
}
static inline struct mdb_value
mdb_v_bytes(uint64_t n)
{
	return (struct mdb_value){ .kind = MDB_V_BYTES, .u = n };
}
/* The same value, from a member whose place is not proven (<mdb/type.h>). */
static inline struct mdb_value
mdb_v_unproven(struct mdb_value v)
{
	v.unproven = true;
	return v;
}
/* A NUL-terminated string from the dump / a text of our own. */
MDB_API struct mdb_value mdb_v_cstr(const char *text);
MDB_API struct mdb_value mdb_v_text(const char *text);

/* Bits of struct mdb_column.flags */
#define MDB_COL_LEFT 0x1u      /* left-justified; else right */
#define MDB_COL_PIPE 0x2u      /* its value is what a pipeline gets */
#define MDB_COL_JSON_ONLY 0x4u /* not in the table: raw facts */
#define MDB_COL_TEXT_ONLY 0x8u /* not in JSON: composed for reading */
#define MDB_COL_ZERO 0x10u     /* MDB_V_ADDR, MDB_V_HEX: zero padded */

/* Width of an address of the current world: 8 or 16. */
#define MDB_WIDTH_ADDR (-1)

struct mdb_column {
	const char *name;    /* JSON key, lower case: "pid"; for ::help */
	const char *heading; /* "PID"; NULL: no heading for the whole table */
	int width;	     /* 0: the rest of the line, unpadded */
	unsigned int flags;
	char option;	  /* shown only with this option letter; 0: always */
	const char *help; /* one line: what it means, in which unit */
};

/* Columns end with an entry whose name is NULL. */
struct mdb_table {
	const char *name; /* JSON: "table":"NAME" is not printed; for children
			     the key of the array */
	const struct mdb_column *columns;
	int indent;	       /* blanks before each row of a nested table */
	const char *separator; /* between values in text; NULL: one blank */
};

/*
 * States a row of the command's table: as many values as the table has
 * columns.  MDB_E_INTERRUPTED on ^C, MDB_DONE when nobody reads any more
 * (a pager was left, ::head has enough): return it.
 */
MDB_API enum mdb_status mdb_row(struct mdb_ctx *cx,
	const struct mdb_table *table, const struct mdb_value *values);

/* A row nested under the last mdb_row(). */
MDB_API enum mdb_status mdb_subrow(struct mdb_ctx *cx,
	const struct mdb_table *table, const struct mdb_value *values);

/* The heading is printed again before the next row: a record has its own. */
MDB_API void mdb_heading_again(struct mdb_ctx *cx);

/* A blank line between records; nothing in JSON or a pipeline. */
MDB_API enum mdb_status mdb_blank(struct mdb_ctx *cx);

/*
 * A line of our own prose, for output that is no record (::status, help).
 * In JSON it becomes {"text": ...}; nothing in a pipeline.  No newline at
 * its end.  What came from the dump must have gone through mdb_escape.
 */
MDB_API enum mdb_status mdb_line(struct mdb_ctx *cx, const char *fmt, ...)
	MDB_PRINTF(2, 3);

/* A copy with everything but printable ASCII and UTF-8 escaped; until the
 * command ends. */
MDB_API const char *mdb_escape(struct mdb_ctx *cx, const char *text,
	size_t len);

/* Sends a location into the pipeline; prints 0x... when it is the last. */
MDB_API enum mdb_status mdb_emit_loc(struct mdb_ctx *cx, struct mdb_loc loc);

/*
 * Value trees (::print): opened and closed branches, leaves between.  In
 * text `name = value`, `name = {` ... `}` indented by 4, `name = [ a, b ]`;
 * in JSON one object.  The name may be NULL (the root, array elements).
 * prefix is printed before the name in text (address, type, hole) or NULL.
 * text is the leaf's whole text form ("1 (NAME)", "0xffff... \"bash\""),
 * json the value for JSON and pipelines.
 */
enum mdb_branch {
	MDB_BRANCH_STRUCT = 0,
	MDB_BRANCH_ARRAY
};
MDB_API enum mdb_status mdb_tree_open(struct mdb_ctx *cx, const char *prefix,
	const char *name, enum mdb_branch branch);
MDB_API enum mdb_status mdb_tree_leaf(struct mdb_ctx *cx, const char *prefix,
	const char *name, const char *text, struct mdb_value json);
MDB_API enum mdb_status mdb_tree_close(struct mdb_ctx *cx);

/* Is the output a pipeline to another command? */
MDB_API bool mdb_is_piped(const struct mdb_ctx *cx);

#endif
