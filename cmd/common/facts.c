/* SPDX-License-Identifier: MIT */
/*
 * What a dump says besides memory: its CPUs, worlds, ranges, objects, notes.
 * A native dump's are carried over whole; another format's are what its notes
 * and tables say, and nothing is made up for what they do not.
 */
#include "cmd/common/facts.h"

#include "cmd/common/notes.h"
#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- CPUs ----------------------------------------------------------------
 */

static void
cpu_registers(const struct dfmt_cpu *c, struct dfmt_fmt_cpu *f)
{
	const uint64_t gp[DFMT_NR_GP] = { c->rax, c->rbx, c->rcx, c->rdx,
		c->rsi, c->rdi, c->rbp, c->rsp, c->r8, c->r9, c->r10, c->r11,
		c->r12, c->r13, c->r14, c->r15, c->rip, c->rflags,
		c->orig_rax };

	memcpy(f->gp, gp, sizeof(gp));
	f->cs = c->cs;
	f->ss = c->ss;
	f->ds = c->ds;
	f->es = c->es;
	f->fs = c->fs;
	f->gs = c->gs;
	f->fs_base = c->fs_base;
	f->gs_base = c->gs_base;
	f->kernel_gs_base = c->kernel_gs_base;
	f->cr0 = c->cr0;
	f->cr2 = c->cr2;
	f->cr3 = c->cr3;
	f->cr4 = c->cr4;
}

static uint32_t
cpu_flags(const struct dfmt_cpu *c)
{
	return (c->has_regs ? DFMT_CPU_REGS : 0u) |
	       (c->has_cr ? DFMT_CPU_CR : 0u) |
	       (c->has_bases ? DFMT_CPU_BASES : 0u) |
	       (c->has_kernel_gs ? DFMT_CPU_KERNEL_GS : 0u) |
	       (c->panicked ? DFMT_CPU_PANICKED : 0u) |
	       (c->silent ? DFMT_CPU_SILENT : 0u) |
	       (c->has_vcpu ? DFMT_CPU_VCPU : 0u) |
	       (c->has_stack ? DFMT_CPU_STACK : 0u) |
	       (c->has_trap ? DFMT_CPU_TRAP : 0u);
}

/* Registers that come from notes are said by the notes, which are kept. */
static void
take_cpus(const struct dfmt *d, struct cmd_facts *f)
{
	size_t nr = dfmt_nr_cpus(d);

	if (nr > 0 && !dfmt_cpu_at(d, 0).has_native)
		nr = 0;
	nr = nr < DFMT_MAX_CPUS ? nr : DFMT_MAX_CPUS;
	f->cpus = mdb_xarray(nr + 1, sizeof(*f->cpus));
	for (size_t i = 0; i < nr; i++) {
		struct dfmt_cpu c = dfmt_cpu_at(d, i);

		f->cpus[i] = (struct dfmt_fmt_cpu){
			.id = c.id,
			.flags = cpu_flags(&c),
			.world = c.world,
			.pid = c.pid,
			.trap = c.trap,
			.error = c.error,
			.current_vcpu = c.current_vcpu,
			.domain = c.domain,
			.vcpu = c.vcpu,
			.stack_first = c.stack_first,
			.stack_end = c.stack_end,
		};
		cpu_registers(&c, &f->cpus[i]);
	}
	f->facts.cpus = f->cpus;
	f->facts.nr_cpus = nr;
}

/* ---- ranges --------------------------------------------------------------
 */

static void
range_add(struct cmd_facts *f, uint64_t addr, uint64_t len, uint64_t vaddr)
{
	size_t nr = f->facts.nr_ranges;
	struct dfmt_fmt_range *last = nr > 0 ? &f->ranges[nr - 1] : NULL;

	if (last != NULL && vaddr == DFMT_NONE && last->vaddr == DFMT_NONE &&
		last->addr + last->len == addr) {
		last->len += len;
		return;
	}
	if (nr == f->nr_ranges_room) {
		f->nr_ranges_room = nr == 0 ? 64 : 2 * nr;
		f->ranges = mdb_xrealloc(f->ranges, f->nr_ranges_room,
			sizeof(*f->ranges));
	}
	f->ranges[f->facts.nr_ranges++] = (struct dfmt_fmt_range){
		.addr = addr,
		.len = len,
		.vaddr = vaddr,
		.kind = DFMT_RANGE_RAM,
	};
}

/* Between runs that are there: what was left out, but is memory. */
static void
gap_ranges(const struct dfmt *d, struct cmd_facts *f, uint64_t addr,
	uint64_t end, uint32_t page)
{
	uint8_t byte;

	for (; addr < end; addr += page) {
		if (dfmt_read(d, addr, &byte, 1, NULL) != DFMT_E_RANGE)
			range_add(f, addr, page, DFMT_NONE);
	}
}

/* A format that states no ranges says of each address whether it is memory. */
static void
find_ranges(const struct dfmt *d, struct cmd_facts *f,
	const struct dfmt_info *info)
{
	uint64_t addr = 0, start, end;

	while (dfmt_next_range(d, addr, &start, &end, NULL) == DFMT_OK &&
		end > start && start >= addr) {
		gap_ranges(d, f, addr, start, info->page_size);
		range_add(f, start, end - start, DFMT_NONE);
		addr = end;
	}
	gap_ranges(d, f, addr, info->max_addr, info->page_size);
}

/* One range from 0 to the end is what such a format is said to state. */
static bool
states_ranges(const struct dfmt *d, const struct dfmt_info *info)
{
	struct dfmt_range r;

	if (dfmt_nr_ranges(d) == 0)
		return false;
	r = dfmt_range_at(d, 0);
	return info->kind == DFMT_KIND_NATIVE || dfmt_nr_ranges(d) > 1 ||
	       r.addr != 0 || r.len != info->max_addr || r.vaddr != DFMT_NONE;
}

static void
take_ranges(const struct dfmt *d, struct cmd_facts *f,
	const struct dfmt_info *info)
{
	bool states = states_ranges(d, info);

	for (size_t i = 0; states && i < dfmt_nr_ranges(d); i++) {
		struct dfmt_range r = dfmt_range_at(d, i);

		range_add(f, r.addr, r.len, r.vaddr);
	}
	if (!states)
		find_ranges(d, f, info);
	f->facts.ranges = f->ranges;
}

/* ---- what only a native dump says ----------------------------------------
 */

static void
take_worlds(const struct dfmt *d, struct cmd_facts *f)
{
	size_t nr = dfmt_nr_worlds(d);

	f->worlds = mdb_xarray(nr + 1, sizeof(*f->worlds));
	for (size_t i = 0; i < nr; i++) {
		struct dfmt_world w = dfmt_world_at(d, i);
		struct dfmt_fmt_world *out = &f->worlds[i];

		*out = (struct dfmt_fmt_world){
			.index = (uint32_t)i,
			.kind = w.kind,
			.machine = w.machine,
			.paging = w.paging,
			.root = w.root,
			.first = w.first,
			.last = w.last,
			.domain = w.domain,
			.parent = w.parent,
			.window_start = w.window_start,
			.window_len = w.window_len,
			.window_machine = w.window_machine,
		};
		memcpy(out->system, w.system, sizeof(out->system));
		memcpy(out->name, w.name, sizeof(out->name));
	}
	f->facts.worlds = f->worlds;
	f->facts.nr_worlds = nr;
}

#define NR_KINDS 5u

/* Every blob of object i; index is DFMT_NO_OBJECT's for the dump itself. */
static enum cmd_status
take_blobs(const struct dfmt *d, struct cmd_facts *f, size_t i,
	struct cmd_error *err)
{
	for (uint32_t kind = DFMT_BLOB_SYMTAB; kind <= DFMT_BLOB_EH_FRAME;
		kind++) {
		const void *bytes;
		size_t len;
		enum dfmt_status st =
			dfmt_object_blob(d, i, kind, &bytes, &len, NULL);

		if (st == DFMT_E_NOMEM)
			return cmd_fail(err, CMD_FAILED, "out of memory");
		if (st == DFMT_OK)
			f->blobs[f->facts.nr_blobs++] = (struct dfmt_wblob){
				.object = (uint32_t)i,
				.kind = kind,
				.data = bytes,
				.len = len,
			};
	}
	return CMD_OK;
}

static enum cmd_status
take_objects(const struct dfmt *d, struct cmd_facts *f, struct cmd_error *err)
{
	size_t nr = dfmt_nr_objects(d);
	enum cmd_status st = CMD_OK;

	f->objects = mdb_xarray(nr + 1, sizeof(*f->objects));
	f->blobs = mdb_xarray(nr * NR_KINDS + 1, sizeof(*f->blobs));
	for (size_t i = 0; i < nr && st == CMD_OK; i++) {
		struct dfmt_object o = dfmt_object_at(d, i);
		struct dfmt_fmt_object *out = &f->objects[i];

		*out = (struct dfmt_fmt_object){
			.index = (uint32_t)i,
			.world = o.world,
			.base = o.base,
			.end = o.end,
			.data_base = o.data_base,
			.data_end = o.data_end,
			.build_id_len = o.build_id_len,
		};
		memcpy(out->build_id, o.build_id, sizeof(out->build_id));
		memcpy(out->name, o.name, sizeof(out->name));
		st = take_blobs(d, f, i, err);
	}
	f->facts.objects = f->objects;
	f->facts.nr_objects = nr;
	return st;
}

static void
take_texts(const struct dfmt *d, struct cmd_facts *f)
{
	const struct dfmt_native *native = dfmt_native_get(d);
	size_t nr = dfmt_nr_versions(d), nr_frames = dfmt_nr_frames(d);

	f->versions = mdb_xarray(nr + 1, sizeof(*f->versions));
	for (size_t i = 0; i < nr; i++)
		f->versions[i] = dfmt_version_at(d, i);
	f->frames = mdb_xarray(nr_frames + 1, sizeof(*f->frames));
	for (size_t i = 0; i < nr_frames; i++) {
		struct dfmt_frame frame = dfmt_frame_at(d, i);

		f->frames[i] = (struct dfmt_wframe){ frame.fp, frame.pc,
			frame.world, frame.text };
	}
	f->facts.versions = f->versions;
	f->facts.nr_versions = nr;
	f->facts.frames = f->frames;
	f->facts.nr_frames_walked = nr_frames;
	if (native == NULL)
		return;
	f->facts.reason = native->reason;
	f->facts.console = native->console;
	f->facts.console_len = native->console_len;
	f->facts.time_sec = native->time_sec;
	f->facts.time_nsec = native->time_nsec;
	f->facts.panic_cpu = native->panic_cpu;
	f->facts.panic_world = native->panic_world;
	f->facts.nr_frames = native->nr_frames;
}

/* ---- the whole -----------------------------------------------------------
 */

static void
take_notes(const struct dfmt *d, struct cmd_facts *f)
{
	cmd_notes_copy(d, &f->notes);
	if (f->notes.len > 0)
		f->blobs[f->facts.nr_blobs++] = (struct dfmt_wblob){
			.object = DFMT_NO_OBJECT,
			.kind = DFMT_BLOB_NOTES,
			.data = f->notes.data,
			.len = f->notes.len,
		};
	f->facts.blobs = f->blobs;
}

enum cmd_status
cmd_facts_make(const struct dfmt *d, struct cmd_facts *f, struct cmd_error *err)
{
	struct dfmt_info info;
	enum cmd_status st;

	dfmt_info_get(d, &info);
	*f = (struct cmd_facts){ 0 };
	mdb_buf_init(&f->notes);
	f->facts = (struct dfmt_writer_facts){
		.machine = info.machine,
		.word_bits = info.machine == DFMT_MACHINE_I386 ? 32 : 64,
		.end_pfn =
			(info.max_addr + info.page_size - 1) / info.page_size,
		.panic_cpu = UINT32_MAX,
		.panic_world = UINT32_MAX,
		.dump_level = info.dump_level,
		.format = info.format,
	};
	take_cpus(d, f);
	take_worlds(d, f);
	take_ranges(d, f, &info);
	take_texts(d, f);
	st = take_objects(d, f, err);
	take_notes(d, f);
	return st;
}

void
cmd_facts_fini(struct cmd_facts *f)
{
	free(f->cpus);
	free(f->worlds);
	free(f->ranges);
	free(f->objects);
	free(f->blobs);
	free(f->frames);
	free(f->versions);
	mdb_buf_fini(&f->notes);
}
