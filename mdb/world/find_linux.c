/* SPDX-License-Identifier: MIT */
/*
 * Finds a Linux kernel in the dump and makes a world of it.
 *
 * From the VMCOREINFO note where there is one, else find_linux_scan.c looks
 * for it in memory.  In either case the kernel's page tables are only
 * believed when the release that the text states is read through them, or
 * when the kernel's own tables were found through them.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/sym/vmcoreinfo.h"
#include "mdb/world/linux_world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void
linux_destroy(struct mdb_world *world)
{
	struct mdb_linux *lx = mdb_linux_of(world);

	mdb_linux_facts_fini(lx);
	mdb_linux_stacks_fini(lx);
	free(lx->online);
	free(lx);
}

static const struct mdb_world_ops linux_ops = {
	.load_objects = mdb_linux_load_objects,
	.load_types = mdb_linux_load_types,
	.cpu_next = mdb_linux_cpu_next,
	.percpu_addr = mdb_linux_percpu_addr,
	.panic_cpu = mdb_linux_panic_cpu,
	.cpu_regs = mdb_linux_cpu_regs,
	.stack_range = mdb_linux_stack_range,
	.fact = mdb_linux_fact,
	.destroy = linux_destroy,
};

/* ---- symbols -------------------------------------------------------------
 */

enum mdb_status
mdb_linux_sym(struct mdb_ctx *cx, struct mdb_linux *lx, const char *name,
	mdb_addr_t near_addr, struct mdb_sym *sym_out)
{
	enum mdb_status st = MDB_E_NOTFOUND;

	if (lx->kallsyms == NULL)
		return MDB_E_NOTFOUND;
	if (near_addr != 0)
		st = mdb_kallsyms_by_name_near(cx, lx->kernel, name, near_addr,
			MDB_KALLSYMS_NEAR, sym_out);
	if (st == MDB_E_NOTFOUND)
		st = mdb_kallsyms_ops.by_name(cx, lx->kernel, name, sym_out);
	return st;
}

enum mdb_status
mdb_linux_symbol(struct mdb_ctx *cx, struct mdb_linux *lx, const char *name,
	mdb_addr_t near_addr, mdb_addr_t *value_out)
{
	struct mdb_sym sym;
	enum mdb_status st = mdb_linux_sym(cx, lx, name, near_addr, &sym);

	if (st == MDB_OK)
		*value_out = sym.value;
	return st;
}

enum mdb_status
mdb_linux_percpu_symbol(struct mdb_ctx *cx, struct mdb_linux *lx,
	const char *name, mdb_addr_t *value_out)
{
	struct mdb_sym sym;
	enum mdb_status st;

	if (lx->kallsyms == NULL)
		return MDB_E_NOTFOUND;
	/* Absolute ones come first in the table: absence is cheap to see. */
	if (mdb_kallsyms_layout(lx->kallsyms)->form == MDB_KALLSYMS_BASE_PERCPU)
		st = mdb_kallsyms_by_name_near(cx, lx->kernel, name, 0,
			MDB_KALLSYMS_NEAR, &sym);
	else
		return mdb_linux_symbol(cx, lx, name, lx->percpu_start,
			value_out);
	if (st == MDB_OK)
		*value_out = sym.value;
	return st;
}

enum mdb_status
mdb_linux_variable(struct mdb_ctx *cx, struct mdb_linux *lx, const char *name,
	mdb_addr_t near_addr, size_t size, uint64_t *value_out)
{
	mdb_addr_t addr;
	enum mdb_status st;

	st = mdb_linux_symbol(cx, lx, name, near_addr, &addr);
	if (st != MDB_OK)
		return st;
	return mdb_space_read_uint(cx, lx->world->space, addr, size, value_out);
}

/* ---- the kernel's space --------------------------------------------------
 */

/* Does the text's release stand where the text says it does? */
static enum mdb_status
release_check(struct mdb_ctx *cx, struct mdb_space *space, const char *info,
	size_t len)
{
	char uts[6][MDB_LINUX_UTS_LEN + 1];
	const char *release;
	mdb_addr_t addr, at;
	enum mdb_status st;
	uint64_t word;
	size_t n;

	if (!mdb_vmcoreinfo_symbol(info, len, "init_uts_ns", &addr) ||
		!mdb_vmcoreinfo_get(info, len, "OSRELEASE", &release, &n))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"VMCOREINFO states no release");
	st = mdb_space_read_uint(cx, space, addr, 8, &word);
	if (st != MDB_OK)
		return mdb_context(cx, st,
			"the kernel's name, by which its page tables are "
			"checked");
	if (!mdb_linux_uts_read(space, addr, &at, uts))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the kernel's page tables at %#" PRIx64
			" do not lead to its name at %#" PRIx64,
			mdb_space_root(space), addr);
	if (strlen(uts[2]) != n || memcmp(uts[2], release, n) != 0)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"VMCOREINFO is of another kernel than the memory");
	return MDB_OK;
}

enum mdb_status
mdb_linux_space_of_info(struct mdb_ctx *cx, struct mdb_target *target,
	const char *info, size_t len, struct mdb_space **space_out)
{
	enum mdb_paging mode = MDB_PAGING_4LEVEL;
	struct mdb_space *space;
	enum mdb_status st;
	uint64_t l5 = 0;
	uint64_t base;
	uint64_t sme = 0;
	mdb_addr_t pgd;

	if (!mdb_vmcoreinfo_symbol(info, len, "swapper_pg_dir", &pgd) &&
		!mdb_vmcoreinfo_symbol(info, len, "init_top_pgt", &pgd) &&
		!mdb_vmcoreinfo_symbol(info, len, "init_level4_pgt", &pgd))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"VMCOREINFO states no page tables");
	if (!mdb_vmcoreinfo_number(info, len, "NUMBER(phys_base)", &base))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"VMCOREINFO states no phys_base");
	if (pgd < MDB_LINUX_TEXT_MAP || pgd >= MDB_LINUX_TEXT_MAP_END)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"page tables at %#" PRIx64 " are no x86-64 Linux'",
			pgd);
	if (mdb_vmcoreinfo_number(info, len, "NUMBER(sme_mask)", &sme) &&
		sme != 0)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"memory encryption is on (mask %#" PRIx64 ")", sme);
	if (mdb_vmcoreinfo_number(info, len, "NUMBER(pgtable_l5_enabled)",
		    &l5) &&
		l5 != 0)
		mode = MDB_PAGING_5LEVEL;
	space = mdb_space_create("kernel", target->memory, &mdb_arch_x86_64,
		mode, pgd - MDB_LINUX_TEXT_MAP + base);
	st = release_check(cx, space, info, len);
	if (st != MDB_OK) {
		mdb_space_destroy(space);
		return st;
	}
	*space_out = space;
	return MDB_OK;
}

/* ---- the kernel's object -------------------------------------------------
 */

/* The tables' places as VMCOREINFO states them since 6.0. */
static bool
layout_of_info(struct mdb_linux *lx, struct mdb_kallsyms_layout *l)
{
	mdb_addr_t nr_at = mdb_linux_info_symbol(lx, "kallsyms_num_syms");
	uint8_t b[4];

	l->names = mdb_linux_info_symbol(lx, "kallsyms_names");
	l->token_table = mdb_linux_info_symbol(lx, "kallsyms_token_table");
	l->token_index = mdb_linux_info_symbol(lx, "kallsyms_token_index");
	l->addresses = mdb_linux_info_symbol(lx, "kallsyms_offsets");
	if (l->addresses == 0)
		l->addresses = mdb_linux_info_symbol(lx, "kallsyms_addresses");
	if (l->names == 0 || l->token_table == 0 || l->token_index == 0 ||
		nr_at == 0 ||
		mdb_space_try(lx->world->space, nr_at, b, 4) != MDB_OK)
		return false;
	l->nr_syms = mdb_le32(b);
	return true;
}

static enum mdb_status
layout_scan(struct mdb_ctx *cx, struct mdb_space *space,
	struct mdb_kallsyms_layout *layout_out)
{
	mdb_addr_t at = MDB_LINUX_TEXT_MAP;
	struct mdb_mapped run;
	enum mdb_status st;

	while (at < MDB_LINUX_TEXT_MAP_END) {
		st = mdb_space_next_mapped(cx, space, at, &run);
		if (st == MDB_E_INTERRUPTED)
			return st;
		if (st != MDB_OK || run.start >= MDB_LINUX_TEXT_MAP_END)
			break;
		if (run.last >= MDB_LINUX_TEXT_MAP_END)
			run.last = MDB_LINUX_TEXT_MAP_END - 1;
		st = mdb_kallsyms_scan(cx, space, run.start, run.last,
			layout_out);
		if (st != MDB_E_NOTFOUND)
			return st;
		at = run.last + 1;
	}
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"the kernel has no kallsyms tables");
}

static enum mdb_status
layout_find(struct mdb_ctx *cx, struct mdb_linux *lx,
	struct mdb_linux_found *found)
{
	struct mdb_kallsyms_layout known = { 0 };
	struct mdb_space *space = lx->world->space;
	MDB_AUTO_FREE char *why = NULL;
	enum mdb_status st;

	if (found->has_layout)
		return MDB_OK;
	if (layout_of_info(lx, &known)) {
		st = mdb_kallsyms_locate(cx, space, &known, &found->layout);
		if (st == MDB_OK)
			return st;
		why = mdb_xstrdup(mdb_trail(cx));
	}
	st = layout_scan(cx, space, &found->layout);
	if (st == MDB_E_NOTFOUND && why != NULL)
		return mdb_fail(cx, MDB_E_CORRUPT, "%s", why);
	return st;
}

static void
landmark_add(void *arg, const char *name, size_t name_len, uint64_t value)
{
	(void)name;
	(void)name_len;
	if (value >= MDB_LINUX_TEXT_MAP && value < MDB_LINUX_TEXT_MAP_END)
		mdb_kallsyms_add_landmark(arg, value);
}

/*
 * Where the kernel's text ends: where the page tables no longer let it run,
 * which is within a page of _etext or of the next 2 MiB.  That costs no
 * search for a name.
 */
static mdb_addr_t
text_end(struct mdb_ctx *cx, struct mdb_linux *lx, mdb_addr_t first,
	mdb_addr_t last)
{
	struct mdb_mapped run;
	mdb_addr_t etext;

	if (mdb_space_next_mapped(cx, lx->world->space, first, &run) ==
			MDB_OK &&
		run.start <= first && run.executable && run.last < last)
		return run.last + 1;
	if (mdb_linux_symbol(cx, lx, "_etext", 0, &etext) != MDB_OK ||
		etext <= first || etext > last)
		etext = last;
	mdb_forget(cx);
	return etext;
}

/* Since 6.15 per-CPU variables are at ordinary addresses, before the bss. */
static void
percpu_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	mdb_addr_t bss = mdb_linux_info_symbol(lx, "clear_seq");
	mdb_addr_t start, end;

	if (bss > MDB_LINUX_TEXT_MAP)
		bss -= 512u << 10;
	if (mdb_linux_symbol(cx, lx, "__per_cpu_start", bss, &start) ==
			MDB_OK &&
		mdb_linux_symbol(cx, lx, "__per_cpu_end", start, &end) ==
			MDB_OK) {
		mdb_kallsyms_set_percpu(lx->kallsyms, start, end);
		lx->percpu_start = start;
	}
	mdb_forget(cx);
}

/* What is told without reading a name: where things are in the table. */
static enum mdb_status
ranges_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	struct mdb_object *o = lx->kernel;
	mdb_addr_t first, last, etext, percpu;
	enum mdb_status st;

	st = mdb_kallsyms_range(cx, lx->kallsyms, &first, &last, &percpu);
	if (st != MDB_OK)
		return st;
	o->base = first;
	if (percpu != 0)
		mdb_kallsyms_set_percpu(lx->kallsyms, 0, percpu);
	else
		percpu_init(cx, lx);
	etext = text_end(cx, lx, first, last);
	o->end = etext;
	o->size = last - first;
	o->sections[0] = (struct mdb_section){ "text", first, etext };
	o->sections[1] = (struct mdb_section){ "data", etext, last };
	o->nr_sections = 2;
	return MDB_OK;
}

/*
 * A table read one entry off gives every symbol its neighbour's name: do
 * symbols whose addresses are known otherwise have them?
 */
static enum mdb_status
symbols_check(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	static const char *const names[] = { "_stext", "init_uts_ns" };
	static const char banner[] = "Linux version ";
	char text[sizeof(banner)] = "";
	mdb_addr_t value;

	/* VMCOREINFO itself says where the addresses are. */
	if (mdb_linux_info_symbol(lx, "kallsyms_offsets") ==
		mdb_kallsyms_layout(lx->kallsyms)->addresses)
		return MDB_OK;
	for (size_t i = 0; i < 2; i++) {
		mdb_addr_t right = mdb_linux_info_symbol(lx, names[i]);
		struct mdb_sym sym;

		if (right == 0 ||
			mdb_kallsyms_by_name_near(cx, lx->kernel, names[i],
				right, MDB_KALLSYMS_NEAR, &sym) != MDB_OK)
			continue;
		if (sym.value != right)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"kallsyms: %s is at %#" PRIx64
				", VMCOREINFO says %#" PRIx64,
				names[i], sym.value, right);
	}
	if (lx->world->vmcoreinfo == NULL &&
		mdb_linux_symbol(cx, lx, "linux_banner", 0, &value) == MDB_OK &&
		mdb_space_try(lx->world->space, value, text, strlen(banner)) ==
			MDB_OK &&
		strcmp(text, banner) != 0)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: no banner at linux_banner");
	mdb_forget(cx);
	return MDB_OK;
}

static enum mdb_status
symbols_init(struct mdb_ctx *cx, struct mdb_linux *lx,
	struct mdb_linux_found *found)
{
	struct mdb_world *w = lx->world;
	enum mdb_status st;

	st = layout_find(cx, lx, found);
	if (st == MDB_OK)
		st = mdb_kallsyms_create(cx, w->space, &found->layout,
			&lx->kallsyms);
	if (st != MDB_OK)
		return st;
	lx->kernel->symtab = lx->kallsyms;
	lx->kernel->symtab_ops = &mdb_kallsyms_ops;
	if (w->vmcoreinfo != NULL)
		mdb_vmcoreinfo_each_symbol(w->vmcoreinfo, w->vmcoreinfo_len,
			landmark_add, lx->kallsyms);
	mdb_kallsyms_add_landmark(lx->kallsyms, found->layout.token_index);
	st = symbols_check(cx, lx);
	if (st == MDB_OK)
		st = ranges_init(cx, lx);
	if (st != MDB_OK) { /* wrong names are worse than none */
		mdb_kallsyms_destroy(lx->kallsyms);
		lx->kallsyms = NULL;
		lx->kernel->symtab = NULL;
		lx->kernel->symtab_ops = NULL;
	}
	return st;
}

static void
uts_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	mdb_addr_t addr = mdb_linux_info_symbol(lx, "init_uts_ns");

	if (addr == 0 &&
		mdb_linux_symbol(cx, lx, "init_uts_ns", 0, &addr) != MDB_OK) {
		mdb_forget(cx);
		return;
	}
	if (!mdb_linux_uts_read(lx->world->space, addr, &lx->uts_addr, lx->uts))
		lx->uts_addr = 0;
}

/* The series of which a dump was taken and tried. */
static const char *
support_of(const struct mdb_linux *lx)
{
	static const char *const tested[] = { "5.10.", "6.1.", "6.12.", "7.2.",
		"7.3." };

	if (lx->uts_addr == 0)
		return "untested: the release is not known";
	for (size_t i = 0; i < sizeof(tested) / sizeof(tested[0]); i++)
		if (strncmp(lx->uts[2], tested[i], strlen(tested[i])) == 0)
			return "tested";
	return "untested: no kernel of this series was tried";
}

static void
build_id_init(struct mdb_linux *lx)
{
	const struct mdb_world *w = lx->world;
	const char *id;
	size_t len;

	if (w->vmcoreinfo != NULL &&
		mdb_vmcoreinfo_get(w->vmcoreinfo, w->vmcoreinfo_len, "BUILD-ID",
			&id, &len) &&
		len > 0 && len <= 64)
		lx->kernel->build_id = mdb_xstrndup(id, len);
}

enum mdb_status
mdb_linux_create(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_linux_found *found)
{
	struct mdb_world *w =
		mdb_world_create(target, MDB_WORLD_LINUX, "linux");
	struct mdb_linux *lx = mdb_xalloc(sizeof(*lx));
	enum mdb_status st;

	w->arch = &mdb_arch_x86_64;
	w->space = found->space;
	w->memory = found->memory;
	w->vmcoreinfo = found->info;
	w->vmcoreinfo_len = found->info_len;
	w->vmcoreinfo_owned = found->info_owned;
	w->priv = lx;
	w->ops = &linux_ops;
	w->nr_cpu_ids = 1;
	w->objects_low = 1ull << 63;
	if (found->has_domain)
		w->domain = found->domain;
	lx->world = w;
	lx->panic_cpu = -1;
	lx->kernel = mdb_object_create(w, "vmlinux");
	w->objects = lx->kernel;
	st = symbols_init(cx, lx, found);
	if (st == MDB_E_INTERRUPTED) {
		mdb_world_destroy(w);
		return st;
	}
	if (st != MDB_OK)
		mdb_warn(cx, st, "the kernel's symbols cannot be read");
	uts_init(cx, lx);
	build_id_init(lx);
	w->support = support_of(lx);
	st = mdb_linux_cpus_init(cx, lx);
	if (st != MDB_OK)
		mdb_warn(cx, st, "the kernel's CPUs are not known");
	mdb_linux_tables_init(cx, lx);
	mdb_forget(cx);
	mdb_target_add_world(target, w);
	return MDB_OK;
}

static void
warn_lost_hypervisor(struct mdb_ctx *cx)
{
	mdb_warn(cx, MDB_OK,
		"the hypervisor is lost: domain 0's kernel is there, but no "
		"page tables lead to what ran it");
}

/* The kernel of domain 0 on a machine that a hypervisor runs. */
static enum mdb_status
find_above_xen(struct mdb_ctx *cx, struct mdb_target *target)
{
	struct mdb_linux_found found = { 0 };
	struct mdb_world *xen = target->worlds;
	enum mdb_status st;

	while (xen != NULL && xen->kind != MDB_WORLD_XEN)
		xen = xen->next;
	st = mdb_linux_scan_xen(cx, target, xen, &found);
	return st == MDB_OK ? mdb_linux_create(cx, target, &found) : st;
}

/* Without a note that leads there. */
static enum mdb_status
find_by_scan(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_linux_found *found_out)
{
	enum mdb_status st = mdb_linux_scan(cx, target, found_out);

	if (st == MDB_E_UNSUPPORTED)
		st = mdb_linux_scan_xen(cx, target, NULL, found_out);
	if (st == MDB_OK && found_out->has_domain)
		warn_lost_hypervisor(cx);
	return st;
}

enum mdb_status
mdb_find_linux(struct mdb_ctx *cx, struct mdb_target *target)
{
	const struct dfmt *dump = mdb_memory_dump(target->memory);
	struct mdb_linux_found found = { 0 };
	struct dfmt_info dump_info;
	enum mdb_status st = MDB_E_NOTFOUND;

	if (dump != NULL) {
		dfmt_info_get(dump, &dump_info);
		if (dump_info.machine == DFMT_MACHINE_I386)
			return MDB_E_NOTFOUND;
		found.info = dfmt_vmcoreinfo(dump, &found.info_len);
	}
	if (mdb_linux_is_above_xen(target))
		return find_above_xen(cx, target);
	if (found.info != NULL)
		st = mdb_linux_space_of_info(cx, target, found.info,
			found.info_len, &found.space);
	if (st != MDB_OK) {
		char *why = mdb_trail(cx) != NULL ? mdb_xstrdup(mdb_trail(cx))
						  : NULL;

		found.info = NULL;
		if (find_by_scan(cx, target, &found) == MDB_OK)
			st = MDB_OK;
		else if (why != NULL && st != MDB_E_NOTFOUND)
			st = mdb_fail(cx, st, "%s", why);
		free(why);
	}
	if (st != MDB_OK)
		return st;
	return mdb_linux_create(cx, target, &found);
}
