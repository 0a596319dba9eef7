/* SPDX-License-Identifier: MIT */
/*
 * A hardware guest's memory: what its page tables take for physical addresses
 * goes through a second stage to the machine's.  That stage is a space, whose
 * walk is bounded and whose cache is shared by threads; so is this.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/mem/memory_impl.h"
#include "mdb/mem/space.h"

static enum mdb_status
guest_read(const struct mdb_memory *mem, mdb_paddr_t addr, void *buf,
	size_t len, struct dfmt_err *err)
{
	enum mdb_status st = mdb_space_try(mem->stage, addr, buf, len);

	if (st == MDB_OK)
		return st;
	err->addr = addr;
	err->what = st == MDB_E_UNMAPPED ? "the guest has no memory there"
					 : "the machine's memory behind it";
	return st;
}

static enum mdb_status
guest_next(const struct mdb_memory *mem, mdb_paddr_t addr,
	mdb_paddr_t *start_out, mdb_paddr_t *end_out)
{
	struct mdb_ctx quiet;
	struct mdb_mapped run;
	enum mdb_status st;

	mdb_ctx_init(&quiet);
	st = mdb_space_next_mapped(&quiet, mem->stage, addr, &run);
	mdb_ctx_fini(&quiet);
	if (st != MDB_OK)
		return st;
	*start_out = run.start > addr ? run.start : addr;
	*end_out = run.last + 1;
	return MDB_OK;
}

static void
guest_destroy(struct mdb_memory *mem)
{
	mdb_space_destroy(mem->stage);
}

static const struct mdb_memory_ops guest_ops = {
	.read = guest_read,
	.next = guest_next,
	.destroy = guest_destroy,
};

struct mdb_memory *
mdb_memory_create_guest(const struct mdb_memory *machine, unsigned int mode,
	mdb_paddr_t root)
{
	struct mdb_memory *mem = mdb_xalloc(sizeof(*mem));

	mem->ops = &guest_ops;
	mem->stage = mdb_space_create("the guest's second stage", machine,
		&mdb_arch_x86_64, (enum mdb_paging)mode, root);
	return mem;
}

enum mdb_status
mdb_memory_to_machine(struct mdb_ctx *cx, const struct mdb_memory *guest,
	mdb_paddr_t addr, mdb_paddr_t *machine_out)
{
	struct mdb_vtop v;
	enum mdb_status st;

	if (guest->stage == NULL) {
		*machine_out = addr;
		return MDB_OK;
	}
	st = mdb_space_vtop(cx, guest->stage, addr, &v);
	if (st == MDB_OK)
		*machine_out = v.paddr;
	return st;
}
