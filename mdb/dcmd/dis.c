/* SPDX-License-Identifier: MIT */
/*
 * ::dis: instructions.  At the start of a function all of it; in its middle
 * ten instructions before and after, the one asked for marked.
 *
 * Instructions are found by decoding from the start of the function, as they
 * cannot be found backwards.  Where no symbol says where one begins, the
 * window begins at the address.
 */
#include "mdb/stack/dis.h"

#include "mdb/dcmd/dcmd.h"
#include "mdb/mem/arch.h"
#include "mdb/world/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WINDOW 10
#define MAX_COUNT 100000
/* A function larger than this is not decoded from its start. */
#define MAX_FUNCTION 0x100000u

static const struct mdb_column columns[] = {
	{ .name = "label",
		.width = 32,
		.flags = MDB_COL_LEFT | MDB_COL_TEXT_ONLY,
		.help = "the address, as a symbol or a number" },
	{ .name = "text",
		.flags = MDB_COL_LEFT | MDB_COL_TEXT_ONLY,
		.help = "the instruction" },
	{ .name = "addr",
		.flags = MDB_COL_JSON_ONLY | MDB_COL_PIPE,
		.help = "where it is" },
	{ .name = "symbol", .flags = MDB_COL_JSON_ONLY, .help = "its label" },
	{ .name = "bytes", .flags = MDB_COL_JSON_ONLY, .help = "of it, hex" },
	{ .name = "insn", .flags = MDB_COL_JSON_ONLY, .help = "its text" },
	{ .name = "target",
		.flags = MDB_COL_JSON_ONLY,
		.help = "where it jumps or calls, if it says so" },
	{ .name = "current",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the one that was asked for" },
	{ 0 },
};
static const struct mdb_table table = { .name = "dis",
	.columns = columns,
	.separator = "" };

struct dis {
	struct mdb_loc loc; /* where the next instruction is */
	mdb_addr_t current; /* marked; ~0: none */
	unsigned int bits;
	bool raw, both; /* -a, -b */
	uint8_t window[64];
	mdb_addr_t window_addr;
	size_t window_len;
};

/* The instruction at an address; fails only if no byte can be read. */
static enum mdb_status
decode(struct mdb_ctx *cx, struct dis *d, mdb_addr_t addr,
	struct mdb_insn *insn_out)
{
	size_t skip = (size_t)(addr - d->window_addr);

	if (addr < d->window_addr || skip >= d->window_len ||
		d->window_len - skip < MDB_INSN_MAX) {
		enum mdb_status st = mdb_read_some(cx, mdb_at(d->loc, addr),
			d->window, sizeof(d->window), &d->window_len);

		if (st != MDB_OK)
			return st;
		d->window_addr = addr;
		skip = 0;
	}
	mdb_insn_decode(d->window + skip, d->window_len - skip, addr, d->bits,
		insn_out);
	return MDB_OK;
}

struct names {
	struct mdb_ctx *cx;
	struct mdb_world *world;
};

static size_t
name_of(void *arg, uint64_t addr, char *buf, size_t len)
{
	const struct names *n = arg;
	struct mdb_sym sym;
	struct mdb_loc loc = mdb_kernel_loc(n->world, addr);
	int width;

	if (len > 0)
		buf[0] = '\0';
	if (addr < 0x1000 ||
		mdb_sym_by_addr(n->cx, loc, false, &sym) != MDB_OK) {
		mdb_forget(n->cx);
		return 0;
	}
	width = snprintf(buf, len, "%s", mdb_sym_format(n->cx, loc));
	return width < 0 ? 0 : (size_t)width < len ? (size_t)width : len - 1;
}

static const char *
label_of(struct mdb_ctx *cx, const struct dis *d, mdb_addr_t addr)
{
	const char *symbol = mdb_sym_format(cx, mdb_at(d->loc, addr));

	if (d->raw)
		return mdb_tmp_printf(cx, "%" PRIx64, addr);
	if (d->both)
		return mdb_tmp_printf(cx, "%" PRIx64 " %s", addr, symbol);
	return symbol;
}

static const char *
bytes_of(struct mdb_ctx *cx, const struct mdb_insn *insn)
{
	char text[2 * MDB_INSN_MAX + 1] = "";

	for (size_t i = 0; i < insn->len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", insn->bytes[i]);
	return mdb_tmp_printf(cx, "%s", text);
}

static enum mdb_status
print(struct mdb_ctx *cx, const struct dis *d, const struct mdb_insn *insn)
{
	struct names names = { cx, d->loc.world };
	bool current = insn->addr == d->current;
	const char *label = label_of(cx, d, insn->addr);
	char text[MDB_INSN_TEXT * 2];
	size_t pad;

	(void)mdb_insn_format(insn, name_of, &names, text, sizeof(text));
	/* As mdb: to column 32, or to the next multiple of 8 beyond. */
	label = mdb_tmp_printf(cx, "%s:", label);
	pad = strlen(label) < 32 ? 0 : 8 - strlen(label) % 8;
	const struct mdb_value values[] = {
		mdb_v_cstr(mdb_tmp_printf(cx, "%s%*s", label, (int)pad, "")),
		mdb_v_cstr(mdb_tmp_printf(cx, "%s%s", text,
			current ? "    <-- here" : "")),
		mdb_v_addr(mdb_at(d->loc, insn->addr)),
		mdb_v_cstr(mdb_sym_format(cx, mdb_at(d->loc, insn->addr))),
		mdb_v_text(bytes_of(cx, insn)),
		mdb_v_cstr(text),
		insn->has_target ? mdb_v_addr(mdb_at(d->loc, insn->target))
				 : mdb_v_none(),
		mdb_v_bool(current),
	};

	return mdb_row(cx, &table, values);
}

/* Prints until end or count instructions. */
static enum mdb_status
print_run(struct mdb_ctx *cx, struct dis *d, mdb_addr_t end, uint64_t count)
{
	enum mdb_status st = MDB_OK;

	while (st == MDB_OK && count-- > 0 && d->loc.addr < end) {
		struct mdb_insn insn;

		st = decode(cx, d, d->loc.addr, &insn);
		if (st == MDB_OK && insn.len == 0)
			return MDB_OK;
		if (st == MDB_OK)
			st = print(cx, d, &insn);
		if (st == MDB_OK)
			d->loc.addr += insn.len;
	}
	return st;
}

/* The address of the instruction up to `before` ones ahead of d->current. */
static mdb_addr_t
window_start(struct mdb_ctx *cx, struct dis *d, mdb_addr_t start,
	unsigned int before)
{
	mdb_addr_t ring[WINDOW + 1];
	size_t nr = 0;
	mdb_addr_t at = start;

	while (at < d->current) {
		struct mdb_insn insn;

		if (decode(cx, d, at, &insn) != MDB_OK || insn.len == 0)
			break;
		ring[nr++ % (WINDOW + 1)] = at;
		at += insn.len;
	}
	mdb_forget(cx);
	/* Not met: the function is not what the symbols say it is. */
	if (at != d->current || nr == 0)
		return d->current;
	if (nr < before)
		before = (unsigned int)nr;
	return before == 0 ? d->current : ring[(nr - before) % (WINDOW + 1)];
}

static enum mdb_status
print_around(struct mdb_ctx *cx, struct dis *d, const struct mdb_sym *sym,
	unsigned int window)
{
	enum mdb_status st;

	d->current = d->loc.addr;
	if (sym->name && d->current - sym->value < MAX_FUNCTION)
		d->loc.addr = window_start(cx, d, sym->value, window);
	st = print_run(cx, d, d->current, MAX_COUNT);
	if (st == MDB_OK)
		st = print_run(cx, d, UINT64_MAX, window + 1ull);
	return st;
}

static enum mdb_status
start(struct mdb_ctx *cx, const struct mdb_call *call, struct dis *d)
{
	struct mdb_regs regs;
	enum mdb_status st;

	*d = (struct dis){ .loc = call->loc,
		.current = UINT64_MAX,
		.raw = mdb_opt(call, 'a'),
		.both = mdb_opt(call, 'b') };
	d->bits = (unsigned int)(8 * mdb_world_word(
					     call->loc.world
						     ? call->loc.world
						     : mdb_world_current(cx)));
	if (call->argc == 1) {
		st = mdb_eval_expr(cx, call->argv[0], &d->loc.addr);
		if (st != MDB_OK)
			return st;
		d->loc = mdb_locate(cx, d->loc.addr);
	} else if (call->argc > 1) {
		return mdb_fail(cx, MDB_E_USAGE, "one address at a time");
	} else if (!call->has_addr) {
		st = mdb_context_regs(cx, &regs, NULL);
		if (st != MDB_OK)
			return st;
		d->loc = mdb_locate(cx, regs.r[MDB_R_IP]);
	}
	return MDB_OK;
}

static enum mdb_status
run(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_sym sym = { 0 };
	struct dis d;
	enum mdb_status st = start(cx, call, &d);

	if (st != MDB_OK)
		return st;
	if (mdb_sym_by_addr(cx, d.loc, false, &sym) != MDB_OK)
		sym.name = NULL;
	mdb_forget(cx);
	/* A count is one list here, not a command repeated. */
	if (call->has_count && !call->first)
		return MDB_OK;
	if (call->has_count && call->count > 0)
		return print_run(cx, &d, UINT64_MAX,
			call->count < MAX_COUNT ? call->count : MAX_COUNT);
	if (mdb_opt(call, 'n')) {
		uint64_t n = mdb_opt_uint(call, 'n', WINDOW);

		if (n > WINDOW && sym.name && sym.value != d.loc.addr)
			n = WINDOW;
		return print_around(cx, &d, &sym, (unsigned int)n);
	}
	/* A whole function, unless it is large or has no known end. */
	if (sym.name && sym.value == d.loc.addr && sym.size > 0 &&
		!mdb_opt(call, 'w'))
		return print_run(cx, &d, sym.value + sym.size, MAX_COUNT);
	return print_around(cx, &d, &sym, WINDOW);
}

static const struct mdb_option options[] = {
	{ 'a', MDB_OPT_FLAG, NULL, "addresses as numbers" },
	{ 'b', MDB_OPT_FLAG, NULL, "addresses as numbers and symbols" },
	{ 'n', MDB_OPT_EXPR, "count", "so many before and after (up to 10)" },
	{ 'w', MDB_OPT_FLAG, NULL,
		"the instructions around, also at the start of a function" },
	{ 0 },
};

static const struct mdb_example examples[] = {
	{ "panic::dis", "all of the function panic" },
	{ "panic+0x118::dis", "the instructions around that one" },
	{ "<rip,5::dis", "five from where the CPU is" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_dis[] = {
	{
		.name = "dis",
		.operands = "[address]",
		.summary = "disassemble",
		.help = "Shows the whole function when the address is its "
			"start, else the instructions around the address, "
			"with a mark at its own; with a count so many "
			"instructions from the address on. Without an "
			"address: where the CPU is that panicked.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "address",
		.options = options,
		.table = &table,
		.examples = examples,
		.run = run,
	},
	{ 0 },
};
