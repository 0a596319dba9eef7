/* SPDX-License-Identifier: MIT */
/*
 * Arrays of records in a native dump: CPUs, worlds, ranges of memory, objects.
 *
 * An array segment counts when its checksum is right, else none of it.  Worlds
 * and objects say their own index; CPUs count on from segment to segment.
 */
#include "dfmt-native.h"

#include <stdlib.h>
#include <string.h>

static size_t
room_for(size_t nr)
{
	size_t room = 16;

	while (room < nr)
		room *= 2;
	return nr ? room : 0;
}

bool
dfmt_ngrow(void *array, size_t *nr, size_t i, size_t elem_len)
{
	void *p;

	if (i < *nr)
		return true;
	memcpy(&p, array, sizeof(p));
	if (i + 1 > room_for(*nr)) {
		void *grown = realloc(p, room_for(i + 1) * elem_len);

		if (!grown)
			return false;
		p = grown;
		memcpy(array, &p, sizeof(p));
	}
	memset((uint8_t *)p + *nr * elem_len, 0, (i + 1 - *nr) * elem_len);
	*nr = i + 1;
	return true;
}

static enum dfmt_status
no_memory(struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_NOMEM, "records of the dump", DFMT_NONE,
		DFMT_NONE);
}

/* ---- one record --------------------------------------------------------- */

static void
cpu_regs(const uint8_t *p, struct dfmt_cpu *cpu)
{
	uint64_t *const regs[DFMT_NR_GP] = { &cpu->rax, &cpu->rbx, &cpu->rcx,
		&cpu->rdx, &cpu->rsi, &cpu->rdi, &cpu->rbp, &cpu->rsp, &cpu->r8,
		&cpu->r9, &cpu->r10, &cpu->r11, &cpu->r12, &cpu->r13, &cpu->r14,
		&cpu->r15, &cpu->rip, &cpu->rflags, &cpu->orig_rax };
	uint16_t *const selectors[] = { &cpu->cs, &cpu->ss, &cpu->ds, &cpu->es,
		&cpu->fs, &cpu->gs };

	for (size_t i = 0; i < DFMT_NR_GP; i++)
		*regs[i] = dfmt_le64(p + 16 + 8 * i);
	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		*selectors[i] = dfmt_le16(p + 168 + 2 * i);
}

void
dfmt_ncpu_parse(const uint8_t *p, struct dfmt_cpu *cpu_out)
{
	uint32_t flags = dfmt_le32(p + 4);
	struct dfmt_cpu cpu = {
		.has_native = true,
		.has_regs = flags & DFMT_CPU_REGS,
		.has_cr = flags & DFMT_CPU_CR,
		.has_bases = flags & DFMT_CPU_BASES,
		.has_kernel_gs = flags & DFMT_CPU_KERNEL_GS,
		.panicked = flags & DFMT_CPU_PANICKED,
		.silent = flags & DFMT_CPU_SILENT,
		.has_vcpu = flags & DFMT_CPU_VCPU,
		.has_stack = flags & DFMT_CPU_STACK,
		.has_trap = flags & DFMT_CPU_TRAP,
		.id = dfmt_le32(p),
		.world = dfmt_le32(p + 8),
		.pid = dfmt_le32(p + 12),
		.trap = dfmt_le32(p + 180),
		.error = dfmt_le64(p + 184),
		.fs_base = dfmt_le64(p + 192),
		.gs_base = dfmt_le64(p + 200),
		.kernel_gs_base = dfmt_le64(p + 208),
		.cr0 = dfmt_le64(p + 216),
		.cr2 = dfmt_le64(p + 224),
		.cr3 = dfmt_le64(p + 232),
		.cr4 = dfmt_le64(p + 240),
		.current_vcpu = dfmt_le64(p + 248),
		.domain = dfmt_le32(p + 256),
		.vcpu = dfmt_le32(p + 260),
		.stack_first = dfmt_le64(p + 264),
		.stack_end = dfmt_le64(p + 272),
	};

	cpu_regs(p, &cpu);
	*cpu_out = cpu;
}

enum dfmt_status
dfmt_ncpu_add(struct dfmt_nstate *n, const uint8_t *p, struct dfmt_err *err)
{
	size_t i = n->nr_cpus;

	if (i >= DFMT_MAX_CPUS)
		return DFMT_OK;
	if (!dfmt_ngrow(&n->cpus, &n->nr_cpus, i, sizeof(*n->cpus)))
		return no_memory(err);
	dfmt_ncpu_parse(p, &n->cpus[i]);
	n->cpus_of_triage = true;
	return DFMT_OK;
}

static enum dfmt_machine
machine_of(uint32_t machine)
{
	return machine == DFMT_MACHINE_I386 || machine == DFMT_MACHINE_X86_64
		       ? machine
		       : DFMT_MACHINE_UNKNOWN;
}

enum dfmt_status
dfmt_nworld_add(struct dfmt_nstate *n, const uint8_t *p, struct dfmt_err *err)
{
	uint32_t i = dfmt_le32(p);

	if (i >= DFMT_NMAX_WORLDS)
		return DFMT_OK;
	if (!dfmt_ngrow(&n->worlds, &n->nr_worlds, i, sizeof(*n->worlds)))
		return no_memory(err);
	struct dfmt_world *w = &n->worlds[i];
	*w = (struct dfmt_world){
		.kind = dfmt_le32(p + 4),
		.machine = machine_of(dfmt_le32(p + 8)),
		.paging = dfmt_le32(p + 12),
		.root = dfmt_le64(p + 16),
		.first = dfmt_le64(p + 24),
		.last = dfmt_le64(p + 32),
		.domain = dfmt_le32(p + 40),
		.parent = dfmt_le32(p + 44),
		.window_start = dfmt_le64(p + 96),
		.window_len = dfmt_le64(p + 104),
		.window_machine = dfmt_le64(p + 112),
	};
	memcpy(w->system, p + 48, 16);
	memcpy(w->name, p + 64, 32);
	return DFMT_OK;
}

static enum dfmt_status
object_add(struct dfmt_nstate *n, const uint8_t *p, struct dfmt_err *err)
{
	uint32_t i = dfmt_le32(p);

	if (i >= DFMT_NMAX_OBJECTS)
		return DFMT_OK;
	if (!dfmt_ngrow(&n->objects, &n->nr_objects, i, sizeof(*n->objects)))
		return no_memory(err);
	struct dfmt_object *o = &n->objects[i];
	*o = (struct dfmt_object){
		.world = dfmt_le32(p + 4),
		.base = dfmt_le64(p + 8),
		.end = dfmt_le64(p + 16),
		.data_base = dfmt_le64(p + 24),
		.data_end = dfmt_le64(p + 32),
		.build_id_len = (uint32_t)dfmt_min(dfmt_le32(p + 72),
			sizeof(o->build_id)),
	};
	memcpy(o->build_id, p + 40, sizeof(o->build_id));
	memcpy(o->name, p + 80, 48);
	return DFMT_OK;
}

/* Into d->ranges, as stated. */
static enum dfmt_status
range_add(struct dfmt *d, const uint8_t *p, struct dfmt_err *err)
{
	struct dfmt_range r = {
		.addr = dfmt_le64(p),
		.len = dfmt_le64(p + 8),
		.vaddr = dfmt_le64(p + 16),
	};
	size_t i = d->nr_ranges;

	if (r.len == 0 || r.addr + r.len < r.addr)
		return DFMT_OK;
	if (i >= DFMT_NMAX_RANGES) {
		((struct dfmt_nstate *)d->impl)->ranges_open = true;
		return DFMT_OK;
	}
	if (!dfmt_ngrow(&d->ranges, &d->nr_ranges, i, sizeof(r)))
		return no_memory(err);
	d->ranges[i] = r;
	return DFMT_OK;
}

/* ---- segments ----------------------------------------------------------- */

static size_t
record_len(uint16_t type)
{
	switch (type) {
	case DFMT_SEG_CPUS:
		return sizeof(struct dfmt_fmt_cpu);
	case DFMT_SEG_WORLDS:
		return sizeof(struct dfmt_fmt_world);
	case DFMT_SEG_RANGES:
		return sizeof(struct dfmt_fmt_range);
	case DFMT_SEG_OBJECTS:
		return sizeof(struct dfmt_fmt_object);
	}
	return 0;
}

static enum dfmt_status
record_take(struct dfmt *d, struct dfmt_nstate *n, uint16_t type,
	const uint8_t *p, struct dfmt_err *err)
{
	switch (type) {
	case DFMT_SEG_CPUS:
		return dfmt_ncpu_add(n, p, err);
	case DFMT_SEG_WORLDS:
		return dfmt_nworld_add(n, p, err);
	case DFMT_SEG_RANGES:
		return range_add(d, p, err);
	default:
		return object_add(n, p, err);
	}
}

static enum dfmt_status
records_take(struct dfmt *d, struct dfmt_nstate *n, const struct dfmt_nseg *seg,
	struct dfmt_err *err)
{
	uint64_t off = seg->offset + seg->header_len;
	size_t len = record_len(seg->type);
	uint8_t p[sizeof(struct dfmt_fmt_cpu)];

	/* The triage record's CPUs were only some. */
	if (seg->type == DFMT_SEG_CPUS && n->cpus_of_triage)
		n->nr_cpus = 0;
	for (uint64_t at = 0; at + len <= seg->payload_len; at += len) {
		enum dfmt_status st = dfmt_nread(n, off + at, p, len, err);

		if (st == DFMT_OK)
			st = record_take(d, n, seg->type, p, err);
		if (st != DFMT_OK)
			return st;
	}
	if (seg->type == DFMT_SEG_CPUS)
		n->cpus_of_triage = false;
	return DFMT_OK;
}

/* A segment that was written again counts once: where it was right first. */
static enum dfmt_status
array_take(struct dfmt *d, struct dfmt_nstate *n, const struct dfmt_nseg *seg,
	bool again, struct dfmt_err *err)
{
	if (again && n->taken_seq == seg->seq)
		return DFMT_OK;
	/* Nothing is lost when what failed half-way comes again. */
	if (again && n->lost_seq == seg->seq) {
		n->meta_lost = n->lost_before;
		n->ranges_open = n->open_before;
	}
	if (seg->type_version || seg->codec || seg->flags ||
		seg->crc_len != seg->payload_len ||
		!dfmt_nseg_payload_right(n, seg)) {
		n->lost_seq = seg->seq;
		n->lost_before = n->meta_lost;
		n->open_before = n->ranges_open;
		n->meta_lost = true;
		n->ranges_open = n->ranges_open || seg->type == DFMT_SEG_RANGES;
		return DFMT_OK;
	}
	n->taken_seq = seg->seq;
	return records_take(d, n, seg, err);
}

enum dfmt_status
dfmt_nmeta_take(struct dfmt *d, struct dfmt_nstate *n,
	const struct dfmt_nseg *seg, bool again, struct dfmt_err *err)
{
	if (record_len(seg->type))
		return array_take(d, n, seg, again, err);
	if (seg->type == DFMT_SEG_BLOB)
		return dfmt_nblob_take(n, seg, again, err);
	return DFMT_OK;
}

/* ---- after the last ----------------------------------------------------- */

static int
range_compare(const void *a, const void *b)
{
	const struct dfmt_range *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* n->memory: what is in any range, sorted, disjoint, not touching. */
static enum dfmt_status
memory_settle(const struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	struct dfmt_range *m = calloc(d->nr_ranges + 1, sizeof(*m));
	size_t nr = 0;

	if (!m)
		return no_memory(err);
	if (d->nr_ranges)
		memcpy(m, d->ranges, d->nr_ranges * sizeof(*m));
	qsort(m, d->nr_ranges, sizeof(*m), range_compare);
	for (size_t i = 0; i < d->nr_ranges; i++) {
		struct dfmt_range *last = nr ? &m[nr - 1] : NULL;
		uint64_t end = m[i].addr + m[i].len;

		if (!last || last->addr + last->len < m[i].addr)
			m[nr++] = m[i];
		else if (end > last->addr + last->len)
			last->len = end - last->addr;
	}
	n->memory = m;
	n->nr_memory = nr;
	return DFMT_OK;
}

static enum dfmt_status
vranges_settle(struct dfmt *d, struct dfmt_err *err)
{
	d->vranges = calloc(d->nr_ranges + 1, sizeof(*d->vranges));
	if (!d->vranges)
		return no_memory(err);
	for (size_t i = 0; i < d->nr_ranges; i++) {
		const struct dfmt_range *r = &d->ranges[i];

		if (r->vaddr != DFMT_NONE)
			d->vranges[d->nr_vranges++] =
				(struct dfmt_vrange){ .vaddr = r->vaddr,
					.paddr = r->addr,
					.len = r->len };
	}
	return DFMT_OK;
}

/* The head's index counts the CPUs segments; the record itself knows best. */
static void
panic_settle(struct dfmt_nstate *n)
{
	struct dfmt_native *info = &n->info;

	if (info->panic_cpu < n->nr_cpus && !n->cpus_of_triage &&
		n->cpus[info->panic_cpu].panicked)
		return;
	bool known = info->has_triage && info->panic_cpu < n->nr_cpus &&
		     !n->cpus_of_triage && !n->meta_lost;
	if (!known)
		info->panic_cpu = UINT32_MAX;
	for (size_t i = 0; i < n->nr_cpus; i++) {
		if (n->cpus[i].panicked) {
			info->panic_cpu = (uint32_t)i;
			break;
		}
	}
	if (info->panic_world >= n->nr_worlds)
		info->panic_world = UINT32_MAX;
}

enum dfmt_status
dfmt_nmeta_finish(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	panic_settle(n);
	d->cpus = n->cpus;
	d->nr_cpus = n->nr_cpus;
	enum dfmt_status st = memory_settle(d, n, err);
	if (st == DFMT_OK)
		st = vranges_settle(d, err);
	return st == DFMT_OK ? dfmt_nblob_notes(d, n, err) : st;
}
