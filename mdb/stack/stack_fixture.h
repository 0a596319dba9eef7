/* SPDX-License-Identifier: MIT */
/*
 * For tests: a small x86-64 world in fake memory with code, an ORC table,
 * symbols and a stack, all made by hand.
 */
#ifndef MDB_STACK_FIXTURE_H
#define MDB_STACK_FIXTURE_H

#include "mdb/base/ctx.h"
#include "mdb/stack/unwind.h"
#include "mdb/world/target.h"

#include <string.h>

#define FX_TEXT 0xffffffff81000000ull
#define FX_TEXT_END 0xffffffff81040000ull
#define FX_ORC_IP 0xffffffff81040000ull
#define FX_ORC 0xffffffff81050000ull
#define FX_STACK 0xffffc90000010000ull
#define FX_STACK_END 0xffffc90000014000ull
#define FX_IRQ 0xffffc90000004000ull
#define FX_IRQ_END 0xffffc90000008000ull
#define FX_MAX_FRAMES 64

struct fx_sym {
	const char *name;
	mdb_addr_t addr;
};

struct fixture {
	struct mdb_ctx cx;
	struct mdb_memory *mem;
	struct mdb_target *target;
	struct mdb_world *world;
	struct mdb_object *kernel;
	size_t nr_orc;
	const struct fx_sym *syms;
	/* What the walk handed out. */
	struct mdb_frame frames[FX_MAX_FRAMES];
	size_t nr_frames;
	enum mdb_stack_end end;
	const char *why;
};

static const struct fx_sym *fx_syms;

static enum mdb_status
fx_by_addr(struct mdb_ctx *cx, struct mdb_object *object, mdb_addr_t addr,
	bool near, struct mdb_sym *sym_out)
{
	const struct fx_sym *best = NULL;

	(void)cx;
	(void)near;
	for (const struct fx_sym *s = fx_syms; s && s->name; s++)
		if (s->addr <= addr && (!best || s->addr > best->addr))
			best = s;
	if (!best)
		return MDB_E_NOTFOUND;
	*sym_out = (struct mdb_sym){ .object = object,
		.name = best->name,
		.value = best->addr,
		.kind = MDB_SYM_FUNC };
	return MDB_OK;
}

static const struct mdb_symtab_ops fx_symtab = { .by_addr = fx_by_addr };

static enum mdb_status
fx_stack_range(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t sp,
	struct mdb_stack_range *range_out)
{
	(void)cx;
	(void)world;
	if (sp < FX_IRQ || sp > FX_IRQ_END)
		return MDB_E_NOTFOUND;
	*range_out =
		(struct mdb_stack_range){ FX_IRQ, FX_IRQ_END, "IRQ", 0, 0 };
	return MDB_OK;
}

static const struct mdb_world_ops fx_ops = { .stack_range = fx_stack_range };

/* All fixture addresses map to themselves cut to 32 bits. */
static inline mdb_paddr_t
fx_paddr(mdb_addr_t addr)
{
	return addr & 0xffffffff;
}

static inline void
fx_write(struct fixture *fx, mdb_addr_t addr, const void *buf, size_t len)
{
	mdb_fake_write(fx->mem, fx_paddr(addr), buf, len);
}

static inline void
fx_word(struct fixture *fx, mdb_addr_t addr, uint64_t value)
{
	mdb_fake_write_u64(fx->mem, fx_paddr(addr), value);
}

/* Zeros that can be read. */
static inline void
fx_map(struct fixture *fx, mdb_addr_t start, mdb_addr_t end)
{
	for (; start < end; start += 4096)
		fx_word(fx, start, 0);
}

static inline void
fx_window(struct fixture *fx, mdb_addr_t start, mdb_addr_t end)
{
	mdb_space_add_window(fx->world->space, start, end,
		fx_paddr(start) - start);
}

static inline void
fx_init(struct fixture *fx, const struct fx_sym *syms)
{
	memset(fx, 0, sizeof(*fx));
	mdb_ctx_init(&fx->cx);
	fx->mem = mdb_memory_create_fake();
	fx->target = mdb_target_create_memory(fx->mem);
	fx->world = mdb_world_create(fx->target, MDB_WORLD_LINUX, "linux");
	mdb_target_add_world(fx->target, fx->world);
	fx->world->space = mdb_space_create("kernel", fx->mem, &mdb_arch_x86_64,
		MDB_PAGING_NONE, 0);
	fx->world->ops = &fx_ops;
	fx->world->objects_loaded = true;
	fx->cx.target = fx->target;
	fx->cx.world = fx->world;
	fx->kernel = mdb_object_create(fx->world, "vmlinux");
	fx->world->objects = fx->kernel;
	fx->kernel->base = FX_TEXT;
	fx->kernel->end = FX_TEXT_END;
	fx->kernel->symtab_ops = &fx_symtab;
	fx_syms = syms;
	fx_window(fx, FX_TEXT, FX_TEXT + 0x80000);
	fx_window(fx, FX_STACK, FX_STACK_END);
	fx_window(fx, FX_IRQ, FX_IRQ_END);
	fx_map(fx, FX_TEXT, FX_TEXT + 0x80000);
	fx_map(fx, FX_STACK, FX_STACK_END);
	fx_map(fx, FX_IRQ, FX_IRQ_END);
}

static inline void
fx_fini(struct fixture *fx)
{
	mdb_target_destroy(fx->target);
	mdb_ctx_fini(&fx->cx);
}

/* The next ORC entry, in the 2-bit layout: call in ascending order of ip. */
static inline void
fx_orc(struct fixture *fx, mdb_addr_t ip, int sp_offset, int bp_offset,
	unsigned int bits)
{
	mdb_addr_t slot = FX_ORC_IP + 4 * fx->nr_orc;
	int32_t distance = (int32_t)(ip - slot);
	int16_t offsets[2] = { (int16_t)sp_offset, (int16_t)bp_offset };
	uint16_t b = (uint16_t)bits;
	mdb_addr_t entry = FX_ORC + 6 * fx->nr_orc;

	fx_write(fx, slot, &distance, 4);
	fx_write(fx, entry, offsets, 4);
	fx_write(fx, entry + 4, &b, 2);
	fx->nr_orc++;
	fx->kernel->orc_ip_addr = FX_ORC_IP;
	fx->kernel->orc_addr = FX_ORC;
	fx->kernel->orc_count = fx->nr_orc;
}

/* A table big enough to be recognised: plain functions up to `until`. */
static inline void
fx_orc_filler(struct fixture *fx, mdb_addr_t from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fx_orc(fx, from + i * 16, 16, 0, 0x05);
}

/* A call instruction that returns to addr. */
static inline void
fx_call_before(struct fixture *fx, mdb_addr_t addr)
{
	static const uint8_t call[] = { 0xe8, 0, 1, 0, 0 };

	fx_write(fx, addr - 5, call, sizeof(call));
}

static inline void
fx_pt_regs(struct fixture *fx, mdb_addr_t at, uint64_t ip, uint64_t cs,
	uint64_t sp)
{
	const uint64_t words[21] = { 15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1,
		2, 6, 7, 1, ip, cs, 0x246, sp, cs & 3 ? 0x2b : 0x18 };

	fx_write(fx, at, words, sizeof(words));
}

static enum mdb_status
fx_collect(struct mdb_ctx *cx, const struct mdb_frame *frame, void *arg)
{
	struct fixture *fx = arg;

	(void)cx;
	if (fx->nr_frames < FX_MAX_FRAMES)
		fx->frames[fx->nr_frames] = *frame;
	fx->nr_frames++;
	return MDB_OK;
}

static inline enum mdb_status
fx_walk(struct fixture *fx, mdb_addr_t ip, mdb_addr_t sp, mdb_addr_t bp)
{
	struct mdb_regs regs = { 0 };

	mdb_reg_set(&regs, MDB_R_IP, ip);
	mdb_reg_set(&regs, MDB_R_SP, sp);
	if (bp)
		mdb_reg_set(&regs, MDB_R_BP, bp);
	fx->nr_frames = 0;
	return mdb_stack_walk(&fx->cx, fx->world, &regs, fx_collect, fx,
		&fx->end, &fx->why);
}

#endif
