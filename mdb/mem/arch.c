/* SPDX-License-Identifier: MIT */
/* The architectures that worlds can have. */
#include "mdb/mem/arch.h"

const struct mdb_arch mdb_arch_x86_64 = {
	.isa = MDB_ISA_X86_64,
	.name = "x86-64",
	.word = 8,
	.addr_bits = 64,
	.page_shift = 12,
};

const struct mdb_arch mdb_arch_i386 = {
	.isa = MDB_ISA_I386,
	.name = "i386",
	.word = 4,
	.addr_bits = 32,
	.page_shift = 12,
};
