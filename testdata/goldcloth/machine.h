/* SPDX-License-Identifier: MIT */
/*
 * The goldcloth machine at the moment of its panic, as its hypervisor would
 * see it: frames of machine memory, processors, the two systems that run (the
 * hypervisor and its control domain's kernel), and what is known about them.
 *
 * A machine is built whole by gold_create() and does not change afterwards;
 * every pointer handed out is borrowed from it.  Addresses of the machine are
 * 32 bits wide, frame numbers count pages of GOLD_PAGE bytes.
 */
#ifndef GOLD_MACHINE_H
#define GOLD_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOLD_PAGE 4096u
#define GOLD_NR_CPUS 4u

struct gold_machine;

/* What a frame is used for. */
enum gold_class {
	GOLD_FREE,
	GOLD_HYPERVISOR,
	GOLD_PAGE_TABLE, /* of any address space */
	GOLD_KERNEL,	 /* of the control domain's kernel */
	GOLD_USER,	 /* of its processes */
	GOLD_GUEST,	 /* of another domain */
};

/* Frames [start_pfn, end_pfn) are memory. */
struct gold_range {
	uint64_t start_pfn;
	uint64_t end_pfn;
};

/* Types and bindings are ELF's: STT_FUNC, STB_GLOBAL, ... */
struct gold_symbol {
	const char *name;
	uint32_t value;
	uint32_t size; /* 0: the assembler left none */
	uint8_t type;
	uint8_t bind;
};

/* Symbols ascend by value and lie in one of the two ranges; end exclusive. */
struct gold_object {
	const char *name;
	uint32_t base;
	uint32_t end;
	uint32_t data;
	uint32_t data_end;
	const struct gold_symbol *symbols;
	size_t nr_symbols;
};

struct gold_world {
	const char *name;    /* "xpv", "unix" */
	const char *version; /* as it says itself */
	uint32_t start;	     /* of its addresses */
	uint32_t last;	     /* inclusive */
	uint32_t cr3; /* machine address of a PAE top table, 32-aligned */
	const struct gold_object *objects;
	size_t nr_objects;
	const uint8_t *btf;
	size_t btf_len;
};

/* A physical processor as the panic stopped it. */
struct gold_cpu {
	uint32_t id;
	uint32_t vcpu;	   /* address of the struct vcpu that it runs */
	int32_t domain_id; /* of that; -1: idle */
	int32_t vcpu_id;   /* of that */
	bool has_segments; /* ds, es, fs, gs are known */
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp;
	uint32_t eip, eflags;
	uint16_t cs, ss, ds, es, fs, gs;
	uint32_t cr0, cr2, cr3, cr4;
};

/* One step of the panicking processor's stack; see gold_trace(). */
struct gold_frame {
	uint32_t fp;
	uint32_t pc;
	const struct gold_object *object; /* NULL: none has pc */
	const struct gold_symbol *symbol; /* NULL: no sized one covers pc */
	bool is_trap; /* pc was interrupted: the next two are set */
	uint16_t trap_vector;
	uint16_t trap_error;
};

/* Ends the program when memory runs out or an image is not as it was built. */
struct gold_machine *gold_create(void);
void gold_destroy(struct gold_machine *m);

/* ---- memory ------------------------------------------------------------ */

/* Ascending, not overlapping. */
const struct gold_range *gold_ranges(const struct gold_machine *m,
	size_t *nr_out);

/* Copies GOLD_PAGE bytes; false: no range has the frame. */
bool gold_read_frame(const struct gold_machine *m, uint64_t pfn,
	void *page_out);

/* A frame outside the ranges is free. */
enum gold_class gold_classify(const struct gold_machine *m, uint64_t pfn);

/*
 * Through the tables at cr3: how many they are, their frames, and where addr
 * lies; 0 where they end.
 */
size_t gold_walk(const struct gold_machine *m, uint32_t cr3, uint32_t addr,
	uint64_t tables[3], uint64_t *paddr_out);
/* The same; false, without output, where they end. */
bool gold_vtop(const struct gold_machine *m, uint32_t cr3, uint32_t addr,
	uint64_t *paddr_out);

/* Reads len bytes, also across pages; false if any is not mapped. */
bool gold_read_virtual(const struct gold_machine *m, uint32_t cr3,
	uint32_t addr, void *bytes_out, size_t len);

/* ---- what runs --------------------------------------------------------- */

/* The hypervisor first, then the kernel. */
const struct gold_world *gold_worlds(const struct gold_machine *m,
	size_t *nr_out);
const struct gold_cpu *gold_cpus(const struct gold_machine *m, size_t *nr_out);
uint32_t gold_panic_cpu(const struct gold_machine *m); /* an index of those */
const char *gold_panic_message(const struct gold_machine *m);
const char *gold_console(const struct gold_machine *m); /* to the panic's end */

/* NULL if no object or no sized symbol of any world has the address. */
const struct gold_object *gold_object_at(const struct gold_machine *m,
	uint32_t addr);
const struct gold_symbol *gold_symbol_at(const struct gold_machine *m,
	uint32_t addr);
/* In any object of the world; NULL if there is none. */
const struct gold_symbol *gold_symbol_named(const struct gold_world *w,
	const char *name);

/*
 * The panicking hypervisor's look at its own stack: follows frame pointers
 * from the processor's registers through the page tables, reads an inverted
 * one as an exception frame and goes on in what it interrupted.  Stores at
 * most max frames and returns how many there are of them.
 */
size_t gold_trace(const struct gold_machine *m, const struct gold_cpu *cpu,
	struct gold_frame *frames_out, size_t max);

/* ---- the simplest dump ------------------------------------------------- */

/*
 * An ELF core: a segment for each range, NT_PRSTATUS and Xen's control
 * registers for each processor, the panicking one first.  False: errno says.
 */
bool gold_write_core(const struct gold_machine *m, const char *path);

#endif
