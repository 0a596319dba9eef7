/* SPDX-License-Identifier: MIT */
/*
 * What an address of a Linux kernel is: the stack of a thread, a module's
 * memory, a CPU's own area, a vmalloc area, a page, an object of a slab.
 *
 * The most particular finding is the answer, in a line.
 */
#include "linux.h"

#include <inttypes.h>
#include <string.h>

static enum mdb_status
in_stack(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	const struct linux_state *s = linux_state_get(cx, loc.world);
	struct kern_set set = { .world = loc.world };
	struct kern_thread t;
	mdb_addr_t stack;
	uint64_t offset;
	size_t i;

	if (!linux_offset(cx, loc.world, "struct task_struct", "stack\0",
		    &offset) ||
		linux_threads(cx, &set) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	for (i = 0; i < set.count; i++) {
		struct mdb_loc task = mdb_at(loc, set.addrs[i]);

		if (mdb_read_ptr(cx, mdb_at(loc, task.addr + offset), &stack) !=
				MDB_OK ||
			stack == 0 || loc.addr < stack ||
			loc.addr - stack >= s->thread_len)
			continue;
		*found_out = true;
		if (linux_thread_info(cx, task, &t) != MDB_OK)
			t.name[0] = '\0';
		mdb_forget(cx);
		return mdb_line(cx,
			"%" PRIx64 " is %" PRIx64 "+%" PRIx64
			", in thread %" PRIx64 "'s stack (%s)",
			loc.addr, stack, loc.addr - stack, task.addr,
			mdb_escape(cx, t.name, strlen(t.name)));
	}
	mdb_forget(cx);
	return MDB_OK;
}

/* The parts of struct module since 6.4, by enum mod_mem_type. */
static const char *const parts[] = { "text", "data", "read-only data",
	"read-only after init data", "init text", "init data",
	"init read-only data" };

/* Is addr within the part of a module that two members state? */
static bool
within(struct mdb_ctx *cx, struct mdb_loc mod, mdb_addr_t addr,
	const char *base_path, const char *size_path)
{
	uint64_t base_off, size_off, base, size;

	return linux_offset(cx, mod.world, "struct module", base_path,
		       &base_off) &&
	       linux_offset(cx, mod.world, "struct module", size_path,
		       &size_off) &&
	       mdb_read_ptr(cx, mdb_at(mod, mod.addr + base_off), &base) ==
		       MDB_OK &&
	       mdb_read_uint(cx, mdb_at(mod, mod.addr + size_off), 4, &size) ==
		       MDB_OK &&
	       addr >= base && addr - base < size;
}

static const char *
module_part(struct mdb_ctx *cx, struct mdb_loc mod, mdb_addr_t addr)
{
	/* before 6.4, sizes from the base on: each holds those before it */
	static const struct {
		const char *base, *size, *name;
	} old[] = {
		{ "core_layout.base\0", "core_layout.text_size\0", "text" },
		{ "core_layout.base\0", "core_layout.ro_size\0",
			"read-only data" },
		{ "core_layout.base\0", "core_layout.size\0", "data" },
		{ "init_layout.base\0", "init_layout.size\0", "init part" },
	};
	const char *name = "memory";
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char base[] = "mem[0].base\0", size[] = "mem[0].size\0";

		base[4] = size[4] = (char)('0' + i);
		if (within(cx, mod, addr, base, size))
			return parts[i];
	}
	for (i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
		if (!within(cx, mod, addr, old[i].base, old[i].size))
			continue;
		name = old[i].name;
		break;
	}
	mdb_forget(cx);
	return name;
}

static enum mdb_status
in_module(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	struct mdb_object *object = mdb_object_by_addr(cx, loc);
	struct mdb_object_info info;

	if (object == NULL)
		return MDB_OK;
	mdb_object_info(object, &info);
	if (info.struct_addr == 0)
		return MDB_OK;
	*found_out = true;
	return mdb_line(cx, "%" PRIx64 " is in the %s of module %s", loc.addr,
		module_part(cx, mdb_at(loc, info.struct_addr), loc.addr),
		mdb_escape(cx, info.name, strlen(info.name)));
}

struct nearest {
	mdb_addr_t addr;
	mdb_addr_t best;
	const char *name;
};

static enum mdb_status
nearest_percpu(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	struct nearest *n = arg;

	if (sym->kind != MDB_SYM_PERCPU || sym->value > n->addr ||
		(sym->size_exact && n->addr - sym->value >= sym->size) ||
		(n->name != NULL && sym->value <= n->best))
		return MDB_OK;
	n->best = sym->value;
	n->name = kern_strdup(cx, sym->name);
	return MDB_OK;
}

static const char *
percpu_text(struct mdb_ctx *cx, const struct nearest *n)
{
	const char *name = mdb_escape(cx, n->name, strlen(n->name));

	return n->addr == n->best ? name
				  : mdb_tmp_printf(cx, "%s+0x%" PRIx64, name,
					    n->addr - n->best);
}

/* A per-CPU variable by its offset, which no object's range holds. */
static const char *
percpu_name(struct mdb_ctx *cx, struct mdb_loc var)
{
	struct nearest n = { .addr = var.addr };
	struct mdb_object *kernel;

	if (mdb_object_by_name(cx, var.world, "vmlinux", &kernel) == MDB_OK &&
		mdb_sym_each(cx, kernel, nearest_percpu, &n) == MDB_OK &&
		n.name != NULL)
		return percpu_text(cx, &n);
	mdb_forget(cx);
	return mdb_sym_format(cx, var);
}

/* Before 6.15 per-CPU symbols are offsets from 0.  A bad pointer is likelier
 * to be in the first page than a variable that is asked for. */
#define PERCPU_FIRST 0x1000u

/* The value of a per-CPU symbol: no address, but there is one on each CPU. */
static enum mdb_status
percpu_offset(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	mdb_addr_t copy;
	int cpu = -1;

	if (kern_cpu_next(cx, loc.world, &cpu) != MDB_OK ||
		mdb_percpu_addr(cx, loc.world, loc.addr, cpu, &copy) !=
			MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	*found_out = true;
	return mdb_line(cx,
		"%" PRIx64 " is, as a per-CPU variable, %s; CPU %d's copy is "
		"at %" PRIx64,
		loc.addr, percpu_name(cx, loc), cpu, copy);
}

struct chunk {
	mdb_addr_t base;
	uint32_t nr_pages;
	uint32_t end_offset;
};

static const struct mdb_field chunk_fields[] = {
	MDB_FIELD(struct chunk, base, "base_addr"),
	MDB_FIELD(struct chunk, nr_pages, "nr_pages"),
	MDB_FIELD_OPT(struct chunk, end_offset, "end_offset"),
	MDB_FIELD_END,
};

static const struct mdb_shape chunk_shape = { "struct pcpu_chunk",
	chunk_fields };

/*
 * How much of each CPU's unit is its own.  The first chunk ends with what the
 * allocator may give out (mm/percpu.c, pcpu_setup_first_chunk); the rest of
 * the unit went back to the page allocator and is anybody's.
 */
static uint64_t
percpu_len(struct mdb_ctx *cx, struct mdb_loc loc, uint64_t static_len)
{
	mdb_addr_t first, base;
	uint64_t unit, len;
	struct chunk c;

	if (linux_sym_ptr(cx, loc.world, "pcpu_first_chunk", &first) !=
			MDB_OK ||
		linux_sym_ptr(cx, loc.world, "pcpu_base_addr", &base) !=
			MDB_OK ||
		linux_sym_uint(cx, loc.world, "pcpu_unit_size", 4, &unit) !=
			MDB_OK ||
		mdb_read_shape(cx, &chunk_shape, mdb_at(loc, first), &c) !=
			MDB_OK) {
		mdb_forget(cx);
		return static_len;
	}
	len = c.base - base + (uint64_t)c.nr_pages * 4096 - c.end_offset;
	return len >= static_len && len <= unit ? len : static_len;
}

/* The first chunk of the per-CPU allocator holds the static variables. */
static enum mdb_status
in_percpu(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	struct mdb_sym start, end;
	uint64_t unit;
	int cpu = -1;

	if (mdb_sym_by_name(cx, loc.world, "__per_cpu_start", &start) !=
			MDB_OK ||
		mdb_sym_by_name(cx, loc.world, "__per_cpu_end", &end) !=
			MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	unit = percpu_len(cx, loc, end.value - start.value);
	if (loc.addr >= PERCPU_FIRST && loc.addr >= start.value &&
		loc.addr < end.value)
		return percpu_offset(cx, loc, found_out);
	while (kern_cpu_next(cx, loc.world, &cpu) == MDB_OK) {
		struct mdb_loc var = loc;
		mdb_addr_t base;

		if (mdb_percpu_addr(cx, loc.world, start.value, cpu, &base) !=
				MDB_OK ||
			loc.addr < base || loc.addr - base >= unit)
			continue;
		*found_out = true;
		var.addr = start.value + (loc.addr - base);
		if (var.addr >= end.value)
			return mdb_line(cx,
				"%" PRIx64 " is %" PRIx64 "+%" PRIx64
				", in CPU %d's per-CPU area (dynamic)",
				loc.addr, base, loc.addr - base, cpu);
		return mdb_line(cx, "%" PRIx64 " is CPU %d's copy of %s",
			loc.addr, cpu, percpu_name(cx, var));
	}
	mdb_forget(cx);
	return MDB_OK;
}

enum mdb_status
linux_whatis(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	static mdb_whatis_fn *const finders[] = { in_stack, in_module,
		in_percpu, linux_whatis_vmalloc, linux_whatis_page };
	size_t i;

	if (loc.space != NULL)
		return MDB_OK;
	for (i = 0; i < sizeof(finders) / sizeof(finders[0]); i++) {
		bool found = false;
		enum mdb_status st = finders[i](cx, loc, &found);

		if (found)
			*found_out = true;
		if (st != MDB_OK || found)
			return st;
	}
	return MDB_OK;
}
