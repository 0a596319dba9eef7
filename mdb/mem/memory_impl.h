/* SPDX-License-Identifier: MIT */
/* What is behind struct mdb_memory: for memory.c, fake.c, guest.c alone. */
#ifndef MDB_MEM_MEMORY_IMPL_H
#define MDB_MEM_MEMORY_IMPL_H

#include "mdb/mem/memory.h"

struct mdb_memory_ops {
	/* err is preset; what, offset and addr are filled on failure. */
	enum mdb_status (*read)(const struct mdb_memory *mem, mdb_paddr_t addr,
		void *buf, size_t len, struct dfmt_err *err);
	enum mdb_status (*next)(const struct mdb_memory *mem, mdb_paddr_t addr,
		mdb_paddr_t *start_out, mdb_paddr_t *end_out);
	void (*destroy)(struct mdb_memory *mem);
};

struct mdb_memory {
	const struct mdb_memory_ops *ops;
	struct dfmt *dump;
	struct mdb_fake *fake;
	struct mdb_space *stage; /* a guest's second stage; owned */
};

#endif
