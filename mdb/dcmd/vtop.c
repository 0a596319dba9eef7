/* SPDX-License-Identifier: MIT */
/* ::vtop: from a virtual address to machine memory, level by level. */
#include <mdb/xen.h>

#include "mdb/dcmd/dcmd.h"
#include "mdb/dcmd/remark.h"
#include "mdb/mem/space.h"
#include "mdb/world/world.h"

#include <inttypes.h>
#include <string.h>

static const struct mdb_column columns[] = {
	{ .name = "virtual", .flags = MDB_COL_JSON_ONLY, .help = "address" },
	{ .name = "physical",
		.flags = MDB_COL_JSON_ONLY,
		.help = "machine address, or a hardware guest's "
			"physical one; null: not mapped" },
	{ .name = "page_size",
		.flags = MDB_COL_JSON_ONLY,
		.help = "of the page, in bytes" },
	{ .name = "writable", .flags = MDB_COL_JSON_ONLY, .help = "by it all" },
	{ .name = "user", .flags = MDB_COL_JSON_ONLY, .help = "mode may" },
	{ .name = "executable", .flags = MDB_COL_JSON_ONLY, .help = "by all" },
	{ .name = "guest_physical",
		.flags = MDB_COL_JSON_ONLY,
		.help = "what the domain takes for its physical address; null: "
			"no domain's, or not known" },
	{ 0 },
};
static const struct mdb_table table = { .name = "vtop", .columns = columns };

static const struct mdb_column step_columns[] = {
	{ .name = "level", .width = 6, .flags = MDB_COL_LEFT, .help = "table" },
	{ .name = "entry_addr",
		.width = 16,
		.flags = MDB_COL_ZERO,
		.help = "machine address of the entry" },
	{ .name = "entry",
		.width = 16,
		.flags = MDB_COL_ZERO,
		.help = "the entry" },
	{ .name = "flags", .flags = MDB_COL_LEFT, .help = "what its bits say" },
	{ 0 },
};
static const struct mdb_table step_table = { .name = "levels",
	.columns = step_columns,
	.indent = 4 };

/* The bits of an entry (Intel SDM volume 3, 4.5). */
static const char *
flags_text(struct mdb_ctx *cx, const struct mdb_vtop_step *step)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} bits[] = { { "writable", 1 }, { "user", 2 }, { "write-through", 3 },
		{ "uncached", 4 }, { "accessed", 5 }, { "dirty", 6 },
		{ "global", 8 }, { "no-execute", 63 } };
	bool leaf = strcmp(step->level, "pte") == 0;
	uint64_t e = step->entry;
	const char *text = e & 1 ? "present" : "not present";

	if (!(e & 1))
		return text;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (e >> bits[i].bit & 1)
			text = mdb_tmp_printf(cx, "%s %s", text, bits[i].name);
	if ((e >> 7 & 1) && !leaf)
		text = mdb_tmp_printf(cx, "%s large-page", text);
	return text;
}

/*
 * The level whose table an entry of step i lies in once more, or NULL: a
 * linear map of the tables does that on purpose, else it is damage.  PAE's
 * outermost table is no page and cannot be told from its neighbours.
 */
static const char *
loop_of(const struct mdb_vtop *v, size_t i)
{
	size_t first = strcmp(v->steps[0].level, "pdpte") == 0 ? 1 : 0;

	for (size_t j = first; j < i; j++)
		if (v->steps[j].entry_addr >> 12 ==
			v->steps[i].entry_addr >> 12)
			return v->steps[j].level;
	return NULL;
}

static const char *
step_text(struct mdb_ctx *cx, const struct mdb_vtop *v, size_t i)
{
	const char *flags = flags_text(cx, &v->steps[i]);
	const char *loop = loop_of(v, i);

	return loop ? mdb_tmp_printf(cx, "%s%sloop: the table of the %s again",
			      flags, *flags ? " " : "", loop)
		    : flags;
}

static enum mdb_status
print_steps(struct mdb_ctx *cx, const struct mdb_vtop *v)
{
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < v->nr_steps && st == MDB_OK; i++) {
		const struct mdb_value values[] = {
			mdb_v_text(v->steps[i].level),
			mdb_v_hex(v->steps[i].entry_addr),
			mdb_v_hex(v->steps[i].entry),
			mdb_v_text(step_text(cx, v, i)),
		};

		st = mdb_subrow(cx, &step_table, values);
	}
	return st;
}

/*
 * Of the address that a guest's tables gave, the machine's where they are
 * paravirtual: what the guest takes for its physical address.
 */
static bool
guest_address(struct mdb_ctx *cx, struct mdb_world *world, mdb_paddr_t machine,
	mdb_paddr_t *addr_out)
{
	mdb_pfn_t gfn;

	*addr_out = machine;
	if (world->memory != NULL)
		return true;
	if (mdb_xen_domain_of(world) < 0 ||
		mdb_xen_mfn_to_gfn(cx, world, machine >> 12, &gfn) != MDB_OK) {
		mdb_forget(cx);
		return false;
	}
	*addr_out = gfn << 12 | (machine & 0xfff);
	return true;
}

static enum mdb_status
print_record(struct mdb_ctx *cx, struct mdb_loc loc, const struct mdb_vtop *v,
	bool mapped)
{
	mdb_paddr_t guest;
	bool has_guest =
		mapped && guest_address(cx, loc.world, v->paddr, &guest);
	const struct mdb_value values[] = {
		mdb_v_hex(loc.addr),
		mapped ? mdb_v_hex(v->paddr) : mdb_v_none(),
		mapped ? mdb_v_uint(v->page_len) : mdb_v_none(),
		mapped ? mdb_v_bool(v->writable) : mdb_v_none(),
		mapped ? mdb_v_bool(v->user) : mdb_v_none(),
		mapped ? mdb_v_bool(v->executable) : mdb_v_none(),
		has_guest ? mdb_v_hex(guest) : mdb_v_none(),
	};

	return mdb_row(cx, &table, values);
}

/* Does the domain's own table of frames say the same? */
static enum mdb_status
print_frames(struct mdb_ctx *cx, struct mdb_world *world, mdb_paddr_t guest,
	mdb_paddr_t machine)
{
	mdb_pfn_t mfn;

	if (mdb_xen_gfn_to_mfn(cx, world, guest >> 12, &mfn) != MDB_OK) {
		const char *why = mdb_tmp_printf(cx, "%s", mdb_trail(cx));

		mdb_forget(cx);
		return mdb_remark(cx, "the domain's own table: %s", why);
	}
	return mdb_remark(cx,
		"frame %" PRIx64 " is machine frame %" PRIx64
		" in the domain's own table%s",
		guest >> 12, mfn,
		mfn == machine >> 12 ? ", too" : ", which disagrees");
}

/* Through the second stage of a hardware guest. */
static enum mdb_status
print_second(struct mdb_ctx *cx, struct mdb_loc loc, const struct mdb_vtop *v)
{
	mdb_paddr_t machine;
	enum mdb_status st = mdb_remark(cx,
		"virtual %" PRIx64 " mapped to guest-physical %" PRIx64,
		loc.addr, v->paddr);

	if (st != MDB_OK)
		return st;
	if (mdb_memory_to_machine(cx, loc.world->memory, v->paddr, &machine) ==
		MDB_OK)
		return mdb_remark(cx, "which is machine address %" PRIx64,
			machine);
	const char *why = mdb_tmp_printf(cx, "%s", mdb_trail(cx));

	mdb_forget(cx);
	return mdb_remark(cx, "which has no machine address: %s", why);
}

static enum mdb_status
print_pseudo(struct mdb_ctx *cx, struct mdb_loc loc, const struct mdb_vtop *v,
	bool verbose)
{
	bool is_guest = mdb_xen_domain_of(loc.world) >= 0;
	mdb_paddr_t guest;
	enum mdb_status st = mdb_remark(cx,
		"virtual %" PRIx64 " mapped to %s %" PRIx64, loc.addr,
		is_guest ? "machine address" : "physical", v->paddr);

	if (st != MDB_OK || !guest_address(cx, loc.world, v->paddr, &guest))
		return st;
	st = mdb_remark(cx, "which is pseudo-physical %" PRIx64 " of domain %d",
		guest, mdb_xen_domain_of(loc.world));
	return st == MDB_OK && verbose
		       ? print_frames(cx, loc.world, guest, v->paddr)
		       : st;
}

static enum mdb_status
print_mapped(struct mdb_ctx *cx, struct mdb_loc loc, const struct mdb_vtop *v,
	bool verbose)
{
	enum mdb_status st = loc.world->memory != NULL
				     ? print_second(cx, loc, v)
				     : print_pseudo(cx, loc, v, verbose);

	if (st != MDB_OK || !verbose)
		return st;
	return mdb_remark(cx, "%s page, %s, %s, %s",
		mdb_size_text(cx, v->page_len),
		v->writable ? "writable" : "read-only",
		v->user ? "user" : "kernel only",
		v->executable ? "executable" : "not executable");
}

static enum mdb_status
run(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_vtop v = { 0 };
	bool verbose = mdb_opt(call, 'v');
	struct mdb_loc loc = call->loc;
	enum mdb_status st, walked = mdb_vtop(cx, loc, &v);
	const char *why = mdb_tmp_printf(cx, "%s", mdb_trail(cx));

	if (walked != MDB_OK && !mdb_is_fault(walked) &&
		walked != MDB_E_CORRUPT)
		return walked;
	mdb_forget(cx);
	st = print_record(cx, loc, &v, walked == MDB_OK);
	if (st == MDB_OK && walked == MDB_OK)
		st = print_mapped(cx, loc, &v, verbose);
	if (st == MDB_OK && verbose)
		st = print_steps(cx, &v);
	if (st == MDB_OK && verbose && v.nr_steps == 0 && walked == MDB_OK)
		st = mdb_remark(cx, "    (a range known without page tables)");
	if (st != MDB_OK || walked == MDB_OK)
		return st;
	return mdb_fail(cx, walked, "%s", why);
}

static const struct mdb_option options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "show each level of the page tables" },
	{ 0 },
};

static const struct mdb_example examples[] = {
	{ "panic::vtop", "the machine address of a function" },
	{ "panic::vtop -v", "with each page-table entry on the way" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_vtop[] = {
	{
		.name = "vtop",
		.summary = "translate a virtual address to a machine address",
		.help = "Walks the page tables of the kernel, or of the "
			"current process for one of its addresses. -v shows "
			"each entry, what its bits say, and the size of the "
			"page; where the walk ends early, the entries as far "
			"as it came. The page tables of a paravirtual domain "
			"hold machine frames: what the domain takes for the "
			"physical address is said, too.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "address",
		.options = options,
		.table = &table,
		.examples = examples,
		.run = run,
	},
	{ 0 },
};
