/* SPDX-License-Identifier: MIT */
/*
 * What an architecture is: facts that belong to a world.  Nothing else tests
 * for x86 or for the size of a host's long.
 */
#ifndef MDB_MEM_ARCH_H
#define MDB_MEM_ARCH_H

#include <mdb/mem.h>

enum mdb_isa {
	MDB_ISA_X86_64 = 1,
	MDB_ISA_I386,
};

struct mdb_arch {
	enum mdb_isa isa;
	const char *name; /* "x86-64", as ::status prints it */
	size_t word;	  /* bytes of a pointer */
	unsigned int addr_bits;
	unsigned int page_shift;
};

extern const struct mdb_arch mdb_arch_x86_64;
extern const struct mdb_arch mdb_arch_i386;

#endif
