/* SPDX-License-Identifier: MIT */
/*
 * Walks a stack over an ORC table, code and a stack that the input makes up.
 * The input is cut into fixed parts; whatever they hold, the walk ends.
 */
#include "mdb/stack/stack_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
fill(struct fixture *fx, mdb_addr_t addr, size_t room, const uint8_t **data,
	size_t *len)
{
	size_t n = *len < room ? *len : room;

	if (n == 0)
		return;
	fx_write(fx, addr, *data, n);
	*data += n;
	*len -= n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct fx_sym syms[] = {
		{ "f", FX_TEXT },
		{ "asm_exc_nmi", FX_TEXT + 0x200 },
		{ "entry_SYSCALL_64", FX_TEXT + 0x300 },
		{ "g", FX_TEXT + 0x400 },
		{ NULL, 0 },
	};
	struct fixture fx;

	fx_init(&fx, syms);
	fx.kernel->orc_ip_addr = FX_ORC_IP;
	fx.kernel->orc_addr = FX_ORC;
	fx.kernel->orc_count = 64;
	fx.kernel->orc_header_addr = FX_ORC + 0x1000;
	fill(&fx, FX_ORC + 0x1000, 20, &data, &len);
	fill(&fx, FX_ORC_IP, 64 * 4, &data, &len);
	fill(&fx, FX_ORC, 64 * 6, &data, &len);
	fill(&fx, FX_TEXT, 0x800, &data, &len);
	fill(&fx, FX_STACK + 0x2000, 0x1000, &data, &len);
	fill(&fx, FX_IRQ + 0x2000, 0x1000, &data, &len);
	(void)!fx_walk(&fx, FX_TEXT + 0x10, FX_STACK + 0x2000,
		FX_STACK + 0x2040);
	(void)!fx_walk(&fx, FX_TEXT + 0x210, FX_IRQ + 0x2000, 0);
	fx_fini(&fx);
	return 0;
}
