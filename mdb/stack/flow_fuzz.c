/* SPDX-License-Identifier: MIT */
/*
 * flow.c, reach.c, flowstep.c, xenentry.c, xensyscall.c, xen.c, pviret.c: any
 * code and any stack of a 64-bit Xen, with a guest beyond.  A walk ends,
 * whatever is there.
 */
#include "mdb/stack/stack_fixture.h"

#include "mdb/base/endian.h"
#include "mdb/stack/flow.h"
#include "mdb/stack/hypercall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CODE (FX_TEXT + 0x1000)
#define CODE_LEN 0x800u
#define STUB (FX_TEXT + 0x60000) /* the same code, in no object */
#define TOP (FX_STACK_END - 0x108)
#define STACK_LEN 0x800u

static const struct fx_sym syms[] = { { "inner", CODE },
	{ "file.c#middle", CODE + 0x100 }, { "outer", CODE + 0x200 },
	{ "file.c#middle.cold", CODE + 0x300 },
	{ "__x86_indirect_thunk_rax", CODE + 0x380 },
	{ "__x86_return_thunk", CODE + 0x3c0 },
	{ "kexec_crash_save_cpu", CODE + 0x400 },
	{ "entry.S#handle_ist_exception", CODE + 0x480 },
	{ "lstar_enter", CODE + 0x500 }, { "restore_all_guest", CODE + 0x580 },
	{ "vmx_asm_vmexit_handler", CODE + 0x600 },
	{ "idle_loop", CODE + 0x680 }, { "end", CODE + CODE_LEN },
	{ NULL, 0 } };

static enum mdb_status
by_addr(struct mdb_ctx *cx, struct mdb_object *object, mdb_addr_t addr,
	bool near, struct mdb_sym *sym_out)
{
	enum mdb_status st = fx_by_addr(cx, object, addr, near, sym_out);

	if (st == MDB_OK)
		sym_out->size = 0x100;
	return st;
}

static enum mdb_status
by_name(struct mdb_ctx *cx, struct mdb_object *object, const char *name,
	struct mdb_sym *sym_out)
{
	for (const struct fx_sym *s = syms; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return by_addr(cx, object, s->addr, false, sym_out);
	return MDB_E_NOTFOUND;
}

static const struct mdb_symtab_ops symtab = { .by_addr = by_addr,
	.by_name = by_name };

static enum mdb_status
guest_on_stack(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t sp,
	struct mdb_guest *guest_out)
{
	(void)cx;
	*guest_out = (struct mdb_guest){ .vcpu = (int)(sp >> 4 & 3) };
	if (sp & 8)
		guest_out->world = world->next;
	return guest_out->world ? MDB_OK : MDB_E_NOTFOUND;
}

static enum mdb_status
stack_range(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t sp,
	struct mdb_stack_range *range_out)
{
	if (sp < FX_STACK || sp > FX_STACK_END)
		return fx_stack_range(cx, world, sp, range_out);
	*range_out = (struct mdb_stack_range){ FX_STACK, FX_STACK_END,
		"primary", 0, TOP };
	return MDB_OK;
}

static const struct mdb_world_ops ops = { .stack_range = stack_range,
	.guest_on_stack = guest_on_stack };

static enum mdb_status
look(struct mdb_ctx *cx, const struct mdb_frame *f, void *arg)
{
	(void)arg;
	if (f->trap == MDB_TRAP_HYPERCALL)
		(void)mdb_hypercall_text(cx, f->world, &f->regs);
	return MDB_OK;
}

static void
walk(struct fixture *fx, const uint8_t *start)
{
	struct mdb_regs regs = { 0 };

	/* Somewhere in the code and on the stack. */
	mdb_reg_set(&regs, MDB_R_IP,
		(start[6] & 2 ? STUB : CODE) + mdb_le16(start) % CODE_LEN);
	mdb_reg_set(&regs, MDB_R_SP,
		FX_STACK_END - STACK_LEN + mdb_le16(start + 2) % STACK_LEN);
	mdb_reg_set(&regs, MDB_R_BP,
		FX_STACK_END - STACK_LEN + mdb_le16(start + 4) % STACK_LEN);
	mdb_reg_set(&regs, MDB_R_AX, regs.r[MDB_R_SP]);
	mdb_reg_set(&regs, MDB_R_CX,
		start[6] & 4 ? 0xffffffff88000005 : regs.r[MDB_R_BP]);
	mdb_reg_set(&regs, MDB_R_11, 0x202u | start[7]);
	mdb_reg_set(&regs, MDB_R_CR2, 0x1234);
	mdb_reg_set(&regs, MDB_R_CR3, 0x10000);
	(void)!mdb_stack_walk(&fx->cx, fx->world, &regs, look, NULL, &fx->end,
		&fx->why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mdb_world *guest;
	struct fixture fx;
	uint8_t start[8] = { 0 };
	size_t n;

	if (len < sizeof(start))
		return 0;
	memcpy(start, data, sizeof(start));
	data += sizeof(start);
	len -= sizeof(start);
	fx_init(&fx, syms);
	fx.world->kind = MDB_WORLD_XEN;
	fx.world->ops = &ops;
	fx.world->keeps_frame_pointers = start[6] & 1;
	fx.kernel->symtab_ops = &symtab;
	guest = mdb_world_create(fx.target, MDB_WORLD_LINUX, "guest");
	guest->space = mdb_space_create("guest", fx.mem, &mdb_arch_x86_64,
		MDB_PAGING_NONE, 0);
	mdb_space_add_window(guest->space, FX_STACK, FX_STACK_END,
		fx_paddr(FX_STACK) - FX_STACK);
	guest->objects_loaded = true;
	mdb_target_add_world(fx.target, guest);
	n = len < CODE_LEN ? len : CODE_LEN;
	fx_write(&fx, CODE, data, n);
	fx_write(&fx, STUB, data, n);
	data += n;
	len -= n;
	n = len < STACK_LEN ? len : STACK_LEN;
	fx_write(&fx, FX_STACK_END - STACK_LEN, data, n);
	walk(&fx, start);
	fx_fini(&fx);
	return 0;
}
