/* SPDX-License-Identifier: MIT */
/*
 * Stacks as rows: one row a frame; in text also lines of their own for what
 * lies between two frames (an exception, a system call, another stack) and
 * for why a stack ended before its outermost function.
 *
 * A frame is printed when the next one is known, so that the last row can
 * say how the stack ended.
 */
#include "mdb/dcmd/stackprint.h"

#include "mdb/base/ctx.h"
#include "mdb/mem/arch.h"
#include "mdb/stack/unwind.h"
#include "mdb/world/native.h"

#include <inttypes.h>
#include <stdio.h>

/* clang-format off */
#define FRAME_COLUMNS(fp_flags)                                               \
	{ .name = "fp", .width = MDB_WIDTH_ADDR,                              \
		.flags = MDB_COL_ZERO | (fp_flags),                           \
		.help = "where the saved frame pointer and return address "   \
			"lie, or the registers that an exception saved" },    \
	{ .name = "text", .flags = MDB_COL_LEFT | MDB_COL_TEXT_ONLY,          \
		.help = "function and offset; ? when it is a guess" },        \
	{ .name = "cpu", .flags = MDB_COL_JSON_ONLY,                          \
		.help = "the CPU whose registers the stack starts from" },    \
	{ .name = "pc", .flags = MDB_COL_JSON_ONLY | MDB_COL_PIPE,            \
		.help = "where the function is, or returns to" },             \
	{ .name = "symbol", .flags = MDB_COL_JSON_ONLY,                       \
		.help = "the function" },                                     \
	{ .name = "args", .flags = MDB_COL_JSON_ONLY,                         \
		.help = "of the function, as printed, where known" },         \
	{ .name = "offset", .flags = MDB_COL_JSON_ONLY,                       \
		.help = "of pc in it, in bytes" },                            \
	{ .name = "object", .flags = MDB_COL_JSON_ONLY,                       \
		.help = "the kernel or module that it belongs to" },          \
	{ .name = "world", .flags = MDB_COL_JSON_ONLY,                        \
		.help = "whose code it is" },                                 \
	{ .name = "kind", .flags = MDB_COL_JSON_ONLY,                         \
		.help = "call, trap (was interrupted), user, crossing" },     \
	{ .name = "trap", .flags = MDB_COL_JSON_ONLY,                         \
		.help = "how control left it: exception, irq, nmi, syscall" }, \
	{ .name = "vector", .flags = MDB_COL_JSON_ONLY,                       \
		.help = "of the exception or interrupt" },                    \
	{ .name = "error", .flags = MDB_COL_JSON_ONLY,                        \
		.help = "the exception's error code" },                       \
	{ .name = "syscall", .flags = MDB_COL_JSON_ONLY,                      \
		.help = "number of the system call" },                        \
	{ .name = "guess", .flags = MDB_COL_JSON_ONLY,                        \
		.help = "found by scanning, or could not be verified" },      \
	{ .name = "returned", .flags = MDB_COL_JSON_ONLY,                     \
		.help = "the call out of it has ended and its return address " \
			"is written over: the place in it is not known" },    \
	{ .name = "guest", .flags = MDB_COL_JSON_ONLY,                        \
		.help = "whose entry into the hypervisor it was: d0v1" },     \
	{ .name = "note", .flags = MDB_COL_JSON_ONLY,                         \
		.help = "the change of stacks before it" },                       \
	{ .name = "end", .flags = MDB_COL_JSON_ONLY,                          \
		.help = "in the last row: how the stack ended" },             \
	{ .name = "why", .flags = MDB_COL_JSON_ONLY,                          \
		.help = "more on that" },                                     \
	{ 0 }
/* clang-format on */

static const struct mdb_column name_columns[] = { FRAME_COLUMNS(
	MDB_COL_JSON_ONLY) };
static const struct mdb_column fp_columns[] = { FRAME_COLUMNS(0u) };

const struct mdb_table mdb_stack_table = { .name = "stack",
	.columns = name_columns };
const struct mdb_table mdb_stack_fp_table = { .name = "stack",
	.columns = fp_columns };
static const struct mdb_table nested_table = { .name = "stack",
	.columns = name_columns,
	.indent = 2 };
static const struct mdb_table nested_fp_table = { .name = "stack",
	.columns = fp_columns,
	.indent = 2 };

/* What is said between the rows, for people only. */
static const struct mdb_column line_columns[] = {
	{ .name = "text",
		.flags = MDB_COL_LEFT | MDB_COL_TEXT_ONLY,
		.help = "a remark" },
	{ 0 },
};
static const struct mdb_table line_table = { .name = "remarks",
	.columns = line_columns,
	.indent = 4 };
static const struct mdb_table nested_line_table = { .name = "remarks",
	.columns = line_columns,
	.indent = 6 };

#define DEFAULT_ARGS 6 /* as mdb */
#define MAX_ARGS 32

struct printer {
	int cpu;
	unsigned int flags;
	size_t max_args;
	const char *recorded; /* the frame as the dump has it in words */
	bool has_frame;
	struct mdb_frame frame; /* not printed yet */
};

static enum mdb_status
row(struct mdb_ctx *cx, unsigned int flags, const struct mdb_value *values)
{
	if (flags & MDB_STACK_NESTED)
		return mdb_subrow(cx,
			flags & MDB_STACK_FP ? &nested_fp_table : &nested_table,
			values);
	return mdb_row(cx,
		flags & MDB_STACK_FP ? &mdb_stack_fp_table : &mdb_stack_table,
		values);
}

static enum mdb_status
line(struct mdb_ctx *cx, bool nested, const char *text)
{
	struct mdb_value value = mdb_v_cstr(text);

	return nested ? mdb_subrow(cx, &nested_line_table, &value)
		      : mdb_row(cx, &line_table, &value);
}

static const char *
kind_name(const struct mdb_frame *f)
{
	static const char *const names[] = { "call", "trap", "user",
		"crossing" };

	return names[f->kind];
}

static const char *
trap_name(enum mdb_trap_kind trap)
{
	static const char *const names[] = { NULL, "exception", "irq", "nmi",
		"syscall", "unknown", "hypercall", "vmexit", "upcall" };

	return names[trap];
}

/* ---- between two frames -------------------------------------------------- */

/* "%rip 0010:ffff...  %rsp 0018:ffff...  %rflags 00010246" */
static enum mdb_status
print_iret_frame(struct mdb_ctx *cx, const struct mdb_frame *f, bool nested)
{
	int digits = 2 * (int)f->world->arch->word;
	const char *r = f->world->arch->word == 8 ? "r" : "e";

	if (!mdb_reg_known(&f->regs, MDB_R_CS))
		return line(cx, nested,
			mdb_tmp_printf(cx,
				"%%%sip %0*" PRIx64 "  %%%ssp %0*" PRIx64
				"  %%%sflags %08" PRIx64,
				r, digits, f->regs.r[MDB_R_IP], r, digits,
				f->regs.r[MDB_R_SP], r,
				f->regs.r[MDB_R_FLAGS]));

	return line(cx, nested,
		mdb_tmp_printf(cx,
			"%%%sip %04" PRIx64 ":%0*" PRIx64 "  %%%ssp %04" PRIx64
			":%0*" PRIx64 "  %%%sflags %08" PRIx64,
			r, f->regs.r[MDB_R_CS], digits, f->regs.r[MDB_R_IP], r,
			f->regs.r[MDB_R_SS], digits, f->regs.r[MDB_R_SP], r,
			f->regs.r[MDB_R_FLAGS]));
}

static enum mdb_status
print_between(struct mdb_ctx *cx, const struct mdb_frame *f, bool nested)
{
	enum mdb_status st = MDB_OK;

	if (f->trap != MDB_TRAP_NONE || f->kind == MDB_FRAME_CROSSING)
		st = line(cx, nested,
			mdb_tmp_printf(cx, "--- %s ---",
				mdb_stack_trap_text(cx, f)));
	else if (f->kind == MDB_FRAME_USER)
		st = line(cx, nested, "--- user mode ---");
	if (st == MDB_OK && f->trap != MDB_TRAP_NONE)
		st = print_iret_frame(cx, f, nested);
	if (st == MDB_OK && f->note)
		st = line(cx, nested,
			mdb_tmp_printf(cx, "--- %s ---", f->note));
	return st;
}

/* ---- registers ----------------------------------------------------------- */

static const struct {
	const char *name;
	enum mdb_reg reg;
} general_regs[] = {
	{ "ax", MDB_R_AX },
	{ "bx", MDB_R_BX },
	{ "cx", MDB_R_CX },
	{ "dx", MDB_R_DX },
	{ "si", MDB_R_SI },
	{ "di", MDB_R_DI },
	{ "bp", MDB_R_BP },
	{ "8", MDB_R_8 },
	{ "9", MDB_R_9 },
	{ "10", MDB_R_10 },
	{ "11", MDB_R_11 },
	{ "12", MDB_R_12 },
	{ "13", MDB_R_13 },
	{ "14", MDB_R_14 },
	{ "15", MDB_R_15 },
};
#define NR_GENERAL (sizeof(general_regs) / sizeof(general_regs[0]))
#define NR_GENERAL_32 7

enum mdb_status
mdb_stack_print_regs(struct mdb_ctx *cx, const struct mdb_regs *regs,
	size_t word, bool nested)
{
	size_t count = word == 8 ? NR_GENERAL : NR_GENERAL_32;
	enum mdb_status st = MDB_OK;
	char text[160];
	size_t len = 0, in_line = 0;

	for (size_t i = 0; i < count && st == MDB_OK; i++) {
		if (mdb_reg_known(regs, general_regs[i].reg)) {
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%s%%%s%-2s %0*" PRIx64, in_line ? "  " : "",
				word == 8 ? "r" : "e", general_regs[i].name,
				2 * (int)word, regs->r[general_regs[i].reg]);
			in_line++;
		}
		if (in_line == 3 || (i + 1 == count && in_line > 0)) {
			st = line(cx, nested, text);
			len = in_line = 0;
		}
	}
	return st;
}

/* ---- a frame ------------------------------------------------------------- */

struct place {
	struct mdb_sym sym; /* name NULL: none */
	const char *object; /* or NULL */
	uint64_t offset;
	bool lost;	  /* offset and pc mean nothing */
	const char *text; /* "nfs`func+0x12" */
};

static void
find_place(struct mdb_ctx *cx, const struct mdb_frame *f, struct place *p)
{
	struct mdb_loc loc = mdb_kernel_loc(f->world, mdb_frame_lookup_pc(f));
	const char *prefix;

	*p = (struct place){ 0 };
	if (f->kind == MDB_FRAME_USER ||
		mdb_sym_by_addr(cx, loc, false, &p->sym) != MDB_OK) {
		mdb_forget(cx);
		p->sym.name = NULL;
		p->text = mdb_tmp_printf(cx, "0x%" PRIx64, f->pc);
		return;
	}
	p->offset = f->pc - p->sym.value;
	p->lost = f->returned;
	p->object = p->sym.object ? p->sym.object->name : NULL;
	prefix = p->object ? mdb_sym_prefix(cx, &p->sym) : NULL;
	p->text = mdb_tmp_printf(cx, "%s%s%s%s", prefix ? prefix : "",
		prefix ? "`" : "", p->sym.name,
		p->lost ? "" : mdb_sym_offset(cx, p->offset));
}

/* "f3328700, 1": as far as they are known, at most as many as asked for. */
static const char *
args_text(struct mdb_ctx *cx, const struct printer *p)
{
	uint64_t args[MAX_ARGS];
	size_t count = mdb_frame_args(&p->frame, p->max_args, args);
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = mdb_tmp_printf(cx, "%s%s%" PRIx64, text, i ? ", " : "",
			args[i]);
	return text;
}

static struct mdb_value
text_or_none(const char *text)
{
	return text ? mdb_v_cstr(text) : mdb_v_none();
}

/* "panic+0x33()"; one that only the dump can name, in its words. */
static const char *
frame_text(struct mdb_ctx *cx, const struct printer *p, const struct place *at,
	const char *args)
{
	if (p->recorded && !at->sym.name)
		return p->recorded;
	return mdb_tmp_printf(cx, "%s(%s)%s%s", at->text, args,
		at->lost ? " [place lost]" : "", p->frame.guess ? " ?" : "");
}

static enum mdb_status
print_row(struct mdb_ctx *cx, const struct printer *p, const char *end,
	const char *why)
{
	const struct mdb_frame *f = &p->frame;
	const char *args;
	struct place at;

	find_place(cx, f, &at);
	args = args_text(cx, p);
	const struct mdb_value values[] = {
		mdb_v_addr(mdb_kernel_loc(f->world, f->fp)),
		mdb_v_cstr(frame_text(cx, p, &at, args)),
		p->cpu < 0 ? mdb_v_none() : mdb_v_int(p->cpu),
		at.lost ? mdb_v_none()
			: mdb_v_addr(mdb_kernel_loc(f->world, f->pc)),
		text_or_none(at.sym.name),
		*args ? mdb_v_text(args) : mdb_v_none(),
		at.sym.name && !at.lost ? mdb_v_uint(at.offset) : mdb_v_none(),
		text_or_none(at.object),
		mdb_v_text(mdb_world_name(f->world)),
		mdb_v_text(kind_name(f)),
		text_or_none(trap_name(f->trap)),
		f->vector < 0 ? mdb_v_none() : mdb_v_int(f->vector),
		f->has_error ? mdb_v_hex(f->error_code) : mdb_v_none(),
		mdb_stack_has_syscall(f) ? mdb_v_uint(f->regs.r[MDB_R_ORIG_AX])
					 : mdb_v_none(),
		mdb_v_bool(f->guess),
		mdb_v_bool(f->returned),
		text_or_none(f->guest),
		text_or_none(f->note),
		text_or_none(end),
		text_or_none(why),
	};

	return row(cx, p->flags, values);
}

static enum mdb_status
print_frame(struct mdb_ctx *cx, const struct printer *p, const char *end,
	const char *why)
{
	const struct mdb_frame *f = &p->frame;
	bool nested = (p->flags & MDB_STACK_NESTED) != 0;
	enum mdb_status st = print_between(cx, f, nested);

	if (st == MDB_OK)
		st = print_row(cx, p, end, why);
	if (st == MDB_OK && (p->flags & MDB_STACK_REGS) &&
		(f->trap != MDB_TRAP_NONE || f->kind == MDB_FRAME_USER))
		st = mdb_stack_print_regs(cx, &f->regs, f->world->arch->word,
			nested);
	return st;
}

static enum mdb_status
take_frame(struct mdb_ctx *cx, const struct mdb_frame *frame, void *arg)
{
	struct printer *p = arg;
	enum mdb_status st = MDB_OK;

	if (p->has_frame)
		st = print_frame(cx, p, NULL, NULL);
	p->frame = *frame;
	p->has_frame = true;
	return st;
}

/* A stack that did not come to its end says so. */
static enum mdb_status
print_end(struct mdb_ctx *cx, const struct printer *p, enum mdb_stack_end end,
	const char *why)
{
	bool nested = (p->flags & MDB_STACK_NESTED) != 0;

	if (end == MDB_END_USER || end == MDB_END_ENTRY ||
		end == MDB_END_STOPPED)
		return MDB_OK;
	return line(cx, nested,
		mdb_tmp_printf(cx, "--- the stack ends here: %s%s%s ---",
			mdb_stack_end_name(end), why ? ": " : "",
			why ? why : ""));
}

/* ---- what the panicking program saw of its stack ------------------------- */

static struct mdb_world *
world_of_record(struct mdb_ctx *cx, uint32_t index)
{
	const struct mdb_native *n = cx->target->native;

	return n && index < n->nr_worlds && n->worlds[index]
		       ? n->worlds[index]
		       : mdb_world_current(cx);
}

bool
mdb_stack_is_readable(const struct mdb_unwind_start *start)
{
	const struct mdb_world *w =
		mdb_world_of_addr(start->world, start->regs.r[MDB_R_IP]);
	uint8_t word[8];

	return w->space && mdb_reg_known(&start->regs, MDB_R_SP) &&
	       mdb_space_try(w->space, start->regs.r[MDB_R_SP], word,
		       w->arch->word) == MDB_OK;
}

static enum mdb_status
print_recorded_frame(struct mdb_ctx *cx, const struct dfmt *d, size_t i,
	const struct printer *like)
{
	struct dfmt_frame f = dfmt_frame_at(d, i);
	bool last = i + 1 == dfmt_nr_frames(d);
	struct printer p = *like;

	p.recorded = f.text;
	p.frame = (struct mdb_frame){ .world = world_of_record(cx, f.world),
		.pc = f.pc,
		.fp = f.fp,
		.pc_is_return = i > 0,
		.vector = -1,
		.note = "recorded at the panic" };
	return print_row(cx, &p,
		last ? mdb_stack_end_name(MDB_END_UNREADABLE) : NULL, NULL);
}

/* Those behind the first one so many. */
static enum mdb_status
print_recorded(struct mdb_ctx *cx, const struct dfmt *d, size_t first,
	const struct printer *like)
{
	enum mdb_status st;

	st = line(cx, (like->flags & MDB_STACK_NESTED) != 0,
		first == 0 ? "--- the stack is not in the dump: as it was "
			     "recorded at the panic ---"
			   : "--- the rest, as it was recorded at the "
			     "panic ---");
	for (size_t i = first; i < dfmt_nr_frames(d) && st == MDB_OK; i++)
		st = print_recorded_frame(cx, d, i, like);
	return st;
}

/* A walk that came to memory that is lost: what was recorded beyond. */
static enum mdb_status
print_rest(struct mdb_ctx *cx, const struct printer *p)
{
	const struct dfmt *d = mdb_memory_dump(cx->target->memory);
	size_t count = d ? dfmt_nr_frames(d) : 0, i = 0;

	while (i < count && dfmt_frame_at(d, i).fp != p->frame.fp)
		i++;
	return i + 1 < count ? print_recorded(cx, d, i + 1, p) : MDB_OK;
}

enum mdb_status
mdb_stack_print_recorded(struct mdb_ctx *cx, int cpu, unsigned int flags)
{
	const struct dfmt *d = mdb_memory_dump(cx->target->memory);
	struct printer p = { .cpu = cpu, .flags = flags, .has_frame = true };

	if (!d || dfmt_nr_frames(d) == 0)
		return MDB_E_NOTFOUND;
	return print_recorded(cx, d, 0, &p);
}

/* ---- the whole ------------------------------------------------------------
 */

static size_t
max_args_of(unsigned int flags)
{
	size_t n = flags >> 8;

	if (n == 0)
		return DEFAULT_ARGS;
	return n - 1 < MAX_ARGS ? n - 1 : MAX_ARGS;
}

enum mdb_status
mdb_stack_print_from(struct mdb_ctx *cx, const struct mdb_unwind_start *start,
	int cpu, unsigned int flags)
{
	struct printer p = { .cpu = cpu,
		.flags = flags,
		.max_args = max_args_of(flags) };
	enum mdb_stack_end end;
	const char *why;
	enum mdb_status st =
		mdb_unwind_walk(cx, start, take_frame, &p, &end, &why);

	if (st == MDB_OK && p.has_frame)
		st = print_frame(cx, &p, mdb_stack_end_name(end), why);
	if (st == MDB_OK)
		st = print_end(cx, &p, end, why);
	if (st == MDB_OK && (flags & MDB_STACK_RECORDED) &&
		end == MDB_END_UNREADABLE)
		st = print_rest(cx, &p);
	return st;
}

enum mdb_status
mdb_stack_print(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_regs *regs, unsigned int flags)
{
	const struct mdb_unwind_start start = { .world = world, .regs = *regs };

	return mdb_stack_print_from(cx, &start, -1, flags);
}
