/* SPDX-License-Identifier: MIT */
/* Per-object tables of the stack layer: made, described, destroyed. */
#include "mdb/stack/unwind.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"

#include <stdlib.h>
#include <string.h>

static void
destroy(void *unwind)
{
	struct mdb_unwind_table *t = unwind;

	mdb_orc_destroy(t->orc);
	mdb_cfi_destroy(t->cfi);
	free(t);
}

struct mdb_unwind_table *
mdb_unwind_table_of(struct mdb_object *object)
{
	struct mdb_object *kernel = object->world->objects;
	struct mdb_unwind_table *t = object->unwind;

	if (t)
		return t;
	t = mdb_xalloc(sizeof(*t));
	object->unwind = t;
	object->unwind_destroy = destroy;
	/* Modules are built with the kernel's headers: one layout for all. */
	if (kernel && kernel != object) {
		const struct mdb_unwind_table *k = mdb_unwind_table_of(kernel);

		t->layout = k->layout;
		t->layout_by_hash = k->layout_by_hash;
	} else if (object->world->space) {
		t->layout = mdb_orc_layout_detect(object, &t->layout_by_hash);
	}
	t->orc = mdb_orc_create(object, t->layout);
	return t;
}

const struct mdb_cfi *
mdb_unwind_cfi_of(struct mdb_ctx *cx, struct mdb_object *object)
{
	struct mdb_unwind_table *t = mdb_unwind_table_of(object);
	const uint8_t *bytes;
	size_t len;

	if (t->cfi_tried)
		return t->cfi;
	t->cfi_tried = true;
	if (mdb_dwarf_section(mdb_object_debug_types(cx, object),
		    ".debug_frame", &bytes, &len) == MDB_OK)
		t->cfi = mdb_cfi_create(bytes, len);
	return t->cfi;
}

bool
mdb_unwind_may_be_code(const struct mdb_world *world, mdb_addr_t addr)
{
	const struct mdb_object *kernel = world->objects;
	mdb_addr_t reach = 1ull << 31;

	if (!kernel)
		return false;
	if (world->arch->word == 4)
		return true;
	/* Not across the end of the address space, into user mode. */
	if (addr >= kernel->base)
		return addr - kernel->base < reach;
	return kernel->base - addr < reach;
}

#define NR_SAMPLES 256u
#define MIN_SAMPLES 32u

/* A function that begins by making a frame: what gcc writes for 64 bits. */
static bool
makes_frame(struct mdb_world *world, mdb_addr_t entry)
{
	static const uint8_t landing[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t frame[] = { 0x55, 0x48, 0x89, 0xe5 };
	uint8_t code[8];
	const uint8_t *p = code;

	if (mdb_space_try(world->space, entry, code, sizeof(code)) != MDB_OK)
		return false;
	if (memcmp(p, landing, sizeof(landing)) == 0)
		p += sizeof(landing);
	return memcmp(p, frame, sizeof(frame)) == 0;
}

void
mdb_unwind_ask_frame_pointers(struct mdb_ctx *cx, struct mdb_world *world)
{
	const struct mdb_object *o = world->objects;
	unsigned int nr = 0, nr_frames = 0;
	mdb_addr_t step;

	if (!mdb_unwind_is_xen_64(world) || !o || o->end <= o->base ||
		mdb_unwind_table_of(world->objects)->frame_pointers_asked)
		return;
	mdb_unwind_table_of(world->objects)->frame_pointers_asked = true;
	step = (o->end - o->base) / NR_SAMPLES;
	for (unsigned int i = 0; i < NR_SAMPLES; i++) {
		struct mdb_sym sym;

		if (mdb_sym_by_addr(cx,
			    mdb_kernel_loc(world, o->base + i * step), false,
			    &sym) == MDB_OK) {
			nr++;
			nr_frames += makes_frame(world, sym.value) ? 1 : 0;
		}
		mdb_forget(cx);
	}
	if (nr >= MIN_SAMPLES && nr_frames > nr / 2)
		world->keeps_frame_pointers = true;
}

static const char *
describe_xen(const struct mdb_world *world)
{
	const struct mdb_unwind_table *t = mdb_unwind_table_of(world->objects);

	if (t->cfi)
		return "call frame information, checked against the code";
	return world->keeps_frame_pointers
		       ? "its code, followed; frame pointers where that fails"
		       : "its code, followed";
}

const char *
mdb_unwind_describe(struct mdb_world *world)
{
	const struct mdb_unwind_table *t;

	if (!world->objects)
		return "frame pointers and scanning only";
	if (mdb_unwind_is_xen_64(world))
		return describe_xen(world);
	if (world->keeps_frame_pointers)
		return "frame pointers, which all of its code keeps";
	t = mdb_unwind_table_of(world->objects);
	if (t->layout == MDB_ORC_LAYOUT_NONE)
		return world->objects->orc_addr != 0
			       ? "frame pointers (ORC table not understood)"
			       : "frame pointers (no ORC table)";
	return t->layout_by_hash ? "ORC (layout by its header)"
				 : "ORC (layout by its entries)";
}
