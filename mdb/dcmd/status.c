/* SPDX-License-Identifier: MIT */
/*
 * ::status: what this dump is, in mdb's first four lines and then ours.
 *
 * It answers from what opening the dump found and a few reads more: no types
 * are loaded, no thread is looked at.
 */
#include "mdb/base/ctx.h"
#include "mdb/dcmd/hypervisor.h"
#include "mdb/dcmd/native.h"
#include "mdb/dcmd/remark.h"
#include "mdb/stack/table.h"
#include "mdb/world/native.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>
#include <string.h>

/* Beyond this counting frames costs too much to do unasked. */
#define COUNT_UP_TO (64ull << 30)

/* makedumpfile's dump level: which pages were left out. */
#define LEVEL_ZERO 1u
#define LEVEL_USER 8u

struct status {
	struct mdb_world *world;
	const struct dfmt_native *native; /* or NULL */
	struct dfmt_info info;
	bool has_dump;
	struct dfmt_coverage coverage;
	int nr_cpus, panic_cpu;
	bool has_hv; /* a hypervisor was found in the dump */
	struct mdb_hypervisor hv;
};

static const struct mdb_column columns[] = {
	{ .name = "file", .flags = MDB_COL_JSON_ONLY, .help = "the dump" },
	{ .name = "bits", .flags = MDB_COL_JSON_ONLY, .help = "of a pointer" },
	{ .name = "nodename", .flags = MDB_COL_JSON_ONLY, .help = "host" },
	{ .name = "release", .flags = MDB_COL_JSON_ONLY, .help = "kernel" },
	{ .name = "version", .flags = MDB_COL_JSON_ONLY, .help = "its build" },
	{ .name = "machine", .flags = MDB_COL_JSON_ONLY, .help = "uname -m" },
	{ .name = "panic_message",
		.flags = MDB_COL_JSON_ONLY,
		.help = "why it died; null: it did not, or is not known" },
	{ .name = "oops_message",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the fault that led to it, if one was logged" },
	{ .name = "content",
		.flags = MDB_COL_JSON_ONLY,
		.help = "which pages were dumped" },
	{ .name = "format", .flags = MDB_COL_JSON_ONLY, .help = "of the file" },
	{ .name = "dump_level",
		.flags = MDB_COL_JSON_ONLY,
		.help = "makedumpfile -d" },
	{ .name = "paging",
		.flags = MDB_COL_JSON_ONLY,
		.help = "of the kernel's page tables" },
	{ .name = "cpus", .flags = MDB_COL_JSON_ONLY, .help = "online" },
	{ .name = "panic_cpu", .flags = MDB_COL_JSON_ONLY, .help = "or null" },
	{ .name = "present",
		.flags = MDB_COL_JSON_ONLY,
		.help = "bytes of memory in the dump; null: not counted" },
	{ .name = "excluded",
		.flags = MDB_COL_JSON_ONLY,
		.help = "bytes left out by choice" },
	{ .name = "lost",
		.flags = MDB_COL_JSON_ONLY,
		.help = "bytes that should be there" },
	{ .name = "truncated",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the file is shorter than it was meant to be" },
	{ .name = "support",
		.flags = MDB_COL_JSON_ONLY,
		.help = "how well this kernel's layout is known" },
	{ .name = "world", .flags = MDB_COL_JSON_ONLY, .help = "current" },
	{ 0 },
};
static const struct mdb_table table = { .name = "status", .columns = columns };

static const char *
fact(struct mdb_ctx *cx, const struct status *s, const char *key)
{
	const char *text = mdb_world_fact(cx, s->world, key);

	return text && text[0] ? text : NULL;
}

static struct mdb_value
fact_value(struct mdb_ctx *cx, const struct status *s, const char *key)
{
	const char *text = fact(cx, s, key);

	return text ? mdb_v_cstr(text) : mdb_v_none();
}

static const char *
content(struct mdb_ctx *cx, const struct status *s)
{
	if (s->native && !s->native->original && s->native->has_triage)
		return mdb_native_content(cx, s->native);
	if (!s->has_dump || s->info.kind == DFMT_KIND_RAW)
		return "all memory";
	if (s->info.dump_level == 0 && s->coverage.counted &&
		s->coverage.nr_excluded != 0)
		return "not all pages; the dump does not say which kinds";
	if (s->info.dump_level & LEVEL_USER)
		return "kernel pages only";
	return s->info.dump_level & ~LEVEL_ZERO ? "kernel and user pages"
						: "all kernel and user pages";
}

static void
gather(struct mdb_ctx *cx, const struct mdb_call *call, struct status *s)
{
	const struct dfmt *dump = mdb_memory_dump(cx->target->memory);
	int cpu = -1;

	s->world = mdb_world_current(cx);
	s->has_dump = dump != NULL;
	s->native = mdb_native_of(cx);
	if (dump)
		dfmt_info_get(dump, &s->info);
	if (dump &&
		(s->info.kind == DFMT_KIND_ELF ||
			s->info.max_addr <= COUNT_UP_TO ||
			mdb_opt(call, 'v')) &&
		dfmt_coverage_get(dump, &s->coverage, NULL) != DFMT_OK)
		s->coverage.counted = false;
	while (mdb_cpu_next(cx, s->world, &cpu) == MDB_OK)
		s->nr_cpus++;
	s->panic_cpu = mdb_panic_cpu(cx, s->world);
	s->has_hv = mdb_hypervisor_get(cx, &s->hv);
	mdb_forget(cx);
}

static struct mdb_value
frames(const struct status *s, uint64_t count)
{
	return s->coverage.counted ? mdb_v_uint(count * s->info.page_size)
				   : mdb_v_none();
}

static enum mdb_status
print_record(struct mdb_ctx *cx, const struct status *s)
{
	const struct mdb_world *w = s->world;
	const struct mdb_value values[] = {
		mdb_v_cstr(cx->target->name),
		mdb_v_uint(8 * mdb_world_word(w)),
		fact_value(cx, s, "nodename"),
		fact_value(cx, s, "release"),
		fact_value(cx, s, "version"),
		fact_value(cx, s, "machine"),
		fact_value(cx, s, "panic_message"),
		fact_value(cx, s, "oops_message"),
		mdb_v_text(content(cx, s)),
		s->has_dump ? mdb_v_cstr(s->info.format) : mdb_v_none(),
		s->has_dump ? mdb_v_uint(s->info.dump_level) : mdb_v_none(),
		mdb_v_text(w->space
				   ? mdb_paging_name(mdb_space_paging(w->space))
				   : "none"),
		mdb_v_int(s->nr_cpus),
		s->panic_cpu < 0 ? mdb_v_none() : mdb_v_int(s->panic_cpu),
		frames(s, s->coverage.nr_present),
		frames(s, s->coverage.nr_excluded),
		frames(s, s->coverage.nr_lost),
		mdb_v_bool(s->info.truncated),
		mdb_v_cstr(w->support ? w->support : "untested"),
		mdb_v_cstr(mdb_world_name(w)),
	};

	enum mdb_status st = mdb_row(cx, &table, values);

	if (st == MDB_OK && s->has_hv)
		st = mdb_hypervisor_status_record(cx, &s->hv);
	return st == MDB_OK && s->native
		       ? mdb_native_status_record(cx, s->native)
		       : st;
}

/* ---- text ---------------------------------------------------------------- */

/* Could the kernel be asked of its CPUs and of a panic? */
static bool
was_asked(const struct status *s)
{
	const struct mdb_object *kernel = s->world->objects;

	return s->world->kind != MDB_WORLD_BARE && kernel && kernel->symtab_ops;
}

static const char *
no_panic(const struct status *s)
{
	if (s->native && s->native->reason && s->native->reason[0])
		return s->native->reason;
	if (!was_asked(s))
		return "(not known)";
	return s->panic_cpu < 0 ? "(none)" : "(not found)";
}

/* Is the current world a domain of a hypervisor that was found? */
static bool
is_domain(const struct status *s)
{
	return s->has_hv && s->hv.world != s->world;
}

/* What ended it: the current world's panic, else the hypervisor's. */
static enum mdb_status
print_panic(struct mdb_ctx *cx, const struct status *s, const char *panic)
{
	const char *above =
		is_domain(s) ? mdb_hypervisor_panic(cx, &s->hv) : NULL;
	const char *culprit =
		s->has_hv ? mdb_hypervisor_culprit(cx, &s->hv) : NULL;
	enum mdb_status st;

	if (!panic && !above && s->has_hv && !is_domain(s))
		panic = mdb_hypervisor_panic(cx, &s->hv);
	st = mdb_remark(cx, "panic message: %s",
		panic	? panic
		: above ? above
			: no_panic(s));
	if (st == MDB_OK && culprit)
		st = mdb_remark(cx, "panicked: %s", culprit);
	return st;
}

static enum mdb_status
print_system(struct mdb_ctx *cx, const struct status *s)
{
	const char *release = fact(cx, s, "release");
	const char *version = fact(cx, s, "version");
	const char *machine = fact(cx, s, "machine");
	const char *node = fact(cx, s, "nodename");
	const char *panic = fact(cx, s, "panic_message");
	const char *oops = fact(cx, s, "oops_message");
	enum mdb_status st;

	st = mdb_remark(cx, "debugging %s %s (%zu-bit)%s%s",
		panic || (s->has_hv && s->hv.panic_cpu >= 0) ? "crash dump"
							     : "dump",
		cx->target->name, 8 * mdb_world_word(s->world),
		node ? " from " : "", node ? node : "");
	if (st == MDB_OK && s->has_hv && !is_domain(s))
		st = mdb_remark(cx, "operating system: %s (%s)",
			mdb_hypervisor_name(cx, &s->hv),
			machine ? machine : s->world->arch->name);
	else if (st == MDB_OK && release)
		st = mdb_remark(cx, "operating system: %s%s%s (%s)", release,
			version ? " " : "", version ? version : "",
			machine ? machine : s->world->arch->name);
	else if (st == MDB_OK)
		st = mdb_remark(cx, "operating system: not recognised");
	if (st == MDB_OK && is_domain(s))
		st = mdb_remark(cx, "hypervisor: %s",
			mdb_hypervisor_name(cx, &s->hv));
	if (st == MDB_OK)
		st = print_panic(cx, s, panic);
	if (st == MDB_OK && oops && (!panic || strcmp(oops, panic) != 0))
		st = mdb_remark(cx, "oops: %s", oops);
	if (st == MDB_OK)
		st = mdb_remark(cx, "dump content: %s", content(cx, s));
	return st;
}

/* "zero, cache, user and free pages left out" */
static const char *
level_text(struct mdb_ctx *cx, unsigned int level)
{
	static const char *const what[] = { "zero", "cache", "private cache",
		"user", "free" };
	const char *text = "";

	for (size_t i = 0; i < 5; i++)
		if (level >> i & 1)
			text = mdb_tmp_printf(cx, "%s%s%s", text,
				text[0] ? ", " : "", what[i]);
	return text;
}

static enum mdb_status
print_format(struct mdb_ctx *cx, const struct status *s)
{
	const struct dfmt_info *i = &s->info;
	enum mdb_status st;

	if (!s->has_dump)
		return MDB_OK;
	st = mdb_remark(cx, "dump format: %s%s%s, %s", i->format,
		i->details[0] ? ", " : "", i->details,
		mdb_size_text(cx, i->file_size));
	if (st == MDB_OK && i->dump_level != 0)
		st = mdb_remark(cx, "left out: %s pages (dump level %u)",
			level_text(cx, i->dump_level), i->dump_level);
	return st;
}

static enum mdb_status
print_memory(struct mdb_ctx *cx, const struct status *s)
{
	const struct dfmt_coverage *c = &s->coverage;
	uint64_t page = s->info.page_size;
	enum mdb_status st;

	if (!s->has_dump)
		return MDB_OK;
	if (!c->counted)
		st = mdb_remark(cx,
			"memory: up to %s (not counted: ::status "
			"-v)",
			mdb_size_text(cx, s->info.max_addr));
	else
		st = mdb_remark(cx, "memory: %s present, %s excluded, %s lost",
			mdb_size_text(cx, c->nr_present * page),
			mdb_size_text(cx, c->nr_excluded * page),
			mdb_size_text(cx, c->nr_lost * page));
	if (st != MDB_OK)
		return st;
	if (s->info.truncated)
		return mdb_remark(cx, "completeness: the file is truncated; "
				      "what it has is shown");
	if (c->counted && c->nr_lost > 0)
		return mdb_remark(cx, "completeness: parts are lost");
	return mdb_remark(cx, "completeness: %s",
		c->counted ? "nothing is lost" : "the file is not truncated");
}

static const char *
who_panicked(struct mdb_ctx *cx, int cpu)
{
	return cpu < 0 ? "none is known to have panicked"
		       : mdb_tmp_printf(cx, "CPU %d panicked", cpu);
}

/* A hypervisor that only ends since its domain 0 did has not panicked. */
static const char *
who_began(struct mdb_ctx *cx, const struct status *s)
{
	int cpu = mdb_xen_writer_cpu(s->hv.world);

	return s->hv.panic_cpu >= 0 || cpu < 0
		       ? who_panicked(cx, s->hv.panic_cpu)
		       : mdb_tmp_printf(cx, "CPU %d began the dump", cpu);
}

/* Of a domain: the machine's, then its own. */
static enum mdb_status
print_virtual(struct mdb_ctx *cx, const struct status *s)
{
	enum mdb_status st = mdb_remark(cx, "physical CPUs: %d online, %s",
		s->hv.nr_cpus, who_began(cx, s));

	return st == MDB_OK
		       ? mdb_remark(cx, "virtual CPUs: %d online, %s",
				 s->nr_cpus, who_panicked(cx, s->panic_cpu))
		       : st;
}

static enum mdb_status
print_machine(struct mdb_ctx *cx, const struct status *s)
{
	const struct mdb_world *w = s->world;
	const char *who = who_panicked(cx, s->panic_cpu);
	enum mdb_status st;

	st = mdb_remark(cx, "machine: %s, %s paging", w->arch->name,
		w->space && mdb_space_paging(w->space) != MDB_PAGING_NONE
			? mdb_paging_name(mdb_space_paging(w->space))
			: "no");
	if (st == MDB_OK && is_domain(s) && was_asked(s))
		st = print_virtual(cx, s);
	else if (st == MDB_OK && mdb_native_is_virtual(w))
		st = mdb_remark(cx, "virtual CPUs: %d were running, %s",
			s->nr_cpus, who);
	else if (st == MDB_OK && was_asked(s))
		st = mdb_remark(cx, "CPUs: %d online, %s", s->nr_cpus, who);
	else if (st == MDB_OK)
		st = mdb_remark(cx, "CPUs: %d with registers in the dump",
			s->nr_cpus);
	return st;
}

static enum mdb_status
print_sources(struct mdb_ctx *cx, const struct status *s)
{
	const struct mdb_object *kernel = s->world->objects;
	const char *types = "read from the dump when first needed";
	enum mdb_status st;

	if (!kernel)
		return MDB_OK;
	if (kernel->types)
		types = kernel->types->source;
	else if (kernel->types_tried || !kernel->symtab_ops)
		types = "none";
	st = mdb_remark(cx, "layout: %s%s%s",
		s->world->support ? s->world->support : "untested",
		is_domain(s) ? "; of the hypervisor: " : "",
		is_domain(s) ? s->hv.world->support : "");
	if (st == MDB_OK)
		st = mdb_remark(cx, "symbols: %s; types: %s",
			kernel->symtab_ops ? "the kernel's own, from the dump"
					   : "none",
			types ? types : "yes");
	if (st == MDB_OK)
		st = mdb_remark(cx, "stacks: %s",
			mdb_unwind_describe(s->world));
	return st;
}

/* Types of a hypervisor may be those of another build. */
static enum mdb_status
print_trust(struct mdb_ctx *cx)
{
	enum mdb_status st = MDB_OK;
	const char *text;

	for (struct mdb_world *w = cx->target->worlds; w && st == MDB_OK;
		w = w->next) {
		if (!w->ops || !w->ops->trust_all)
			continue;
		(void)mdb_world_trust(cx, w, &text);
		st = mdb_remark(cx, "types of %s: %s", mdb_world_name(w), text);
	}
	return st;
}

/* What is lost of them is read by other means where it can be. */
static enum mdb_status
print_page_tables(struct mdb_ctx *cx)
{
	enum mdb_status st = MDB_OK;

	for (struct mdb_world *w = cx->target->worlds; w && st == MDB_OK;
		w = w->next) {
		const char *text = mdb_world_fact(cx, w, "page_tables");

		if (text)
			st = mdb_remark(cx, "page tables of %s %s",
				mdb_world_name(w), text);
	}
	mdb_forget(cx);
	return st;
}

static enum mdb_status
print_worlds(struct mdb_ctx *cx)
{
	const char *text = "";

	for (struct mdb_world *w = cx->target->worlds; w; w = w->next)
		text = mdb_tmp_printf(cx, "%s%s%s%s", text, text[0] ? ", " : "",
			mdb_world_name(w), w == cx->world ? " (current)" : "");
	return mdb_remark(cx, "worlds: %s", text);
}

static enum mdb_status
run_status(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct status s = { 0 };
	enum mdb_status st;

	if (!cx->target)
		return mdb_remark(cx, "no dump is open");
	gather(cx, call, &s);
	st = print_record(cx, &s);
	if (st == MDB_OK)
		st = print_system(cx, &s);
	if (st == MDB_OK)
		st = print_format(cx, &s);
	if (st == MDB_OK && s.native)
		st = mdb_native_status_lines(cx, s.native);
	if (st == MDB_OK)
		st = print_memory(cx, &s);
	if (st == MDB_OK)
		st = print_machine(cx, &s);
	if (st == MDB_OK)
		st = print_sources(cx, &s);
	if (st == MDB_OK)
		st = print_trust(cx);
	if (st == MDB_OK)
		st = print_page_tables(cx);
	return st == MDB_OK ? print_worlds(cx) : st;
}

static const struct mdb_option options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "count the frames of a dump of any size" },
	{ 0 },
};

static const struct mdb_example examples[] = {
	{ "::status", "which system died, why, and what of it is here" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_status[] = {
	{
		.name = "status",
		.summary = "say what this dump is and how complete",
		.help = "Says which system the dump is of, why it died, what "
			"the dump holds of its memory, and how well this "
			"kind of system is known to the debugger: `tested` "
			"means that a dump of this series passes the tests.",
		.options = options,
		.table = &table,
		.examples = examples,
		.run = run_status,
	},
	{ 0 },
};
