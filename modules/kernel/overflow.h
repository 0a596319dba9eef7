/* SPDX-License-Identifier: MIT */
/*
 * Whether a fault was a stack that had run over, from numbers alone.
 */
#ifndef OVERFLOW_H
#define OVERFLOW_H

#include <mdb/mem.h>

/* How far below its stack a thread may be said to have run over it. */
#define OVERFLOW_REACH 0x10000u

struct overflow_facts {
	size_t word;
	mdb_addr_t base, end; /* the thread's stack: [base, end) */
	mdb_addr_t sp;	      /* when the exception came */
	uint8_t code[16];     /* the instruction that was interrupted */
	size_t code_len;
	bool has_cr2;
	mdb_addr_t cr2;
};

struct overflow {
	bool is_overflow;
	/* The store that faulted first: of the instruction, else cr2. */
	bool has_store;
	mdb_addr_t store;
	/* cr2 is of another fault: the exception could not be delivered on
	 * the same stack. */
	bool has_delivery;
	mdb_addr_t delivery;
};

/*
 * How many bytes the instruction stores below the stack pointer first, if it
 * is one that pushes (push, call, pushf, pusha, enter); else 0.
 */
unsigned int overflow_pushes(const uint8_t *code, size_t len, size_t word);

void overflow_judge(const struct overflow_facts *facts, struct overflow *out);

#endif
