/* SPDX-License-Identifier: MIT */
/* What the files of the goldcloth machine share. */
#ifndef GOLD_MACHINE_IMPL_H
#define GOLD_MACHINE_IMPL_H

#include "machine.h"

#define MAX_OWNED 64
#define NR_FRAMES 0x3000u
#define XEN_DIRECT 0xff000000u /* maps machine memory from 0 */
#define XEN_END_PFN 0xc00u
#define DOM0_PFN 0xc00u
#define DOM0_NR 0x1000u
#define GUEST_PFN 0x1c00u
#define GUEST_NR 0x100u

#define PTE_PRESENT 0x001u
#define PTE_WRITE 0x002u
#define PTE_USER 0x004u
#define PTE_USED 0x060u /* accessed, dirty */
#define PTE_LARGE 0x080u
#define PTE_GLOBAL 0x100u

struct gold_blob {
	const uint8_t *bytes;
	size_t len;
};

/* The images that build.sh made. */
extern const struct gold_blob gold_kernel_elf, gold_kernel_btf;
extern const struct gold_blob gold_xpv_elf, gold_xpv_btf;

struct gold_machine {
	uint8_t *frames[NR_FRAMES]; /* NULL: nobody wrote there, zero */
	uint8_t classes[NR_FRAMES];
	uint32_t pfn_to_mfn[DOM0_NR];
	uint32_t nr_dom0_used; /* pseudo-physical frames handed out */
	struct gold_world worlds[2];
	struct gold_cpu cpus[GOLD_NR_CPUS];
	char *console;
	char message[64];
	void *owned[MAX_OWNED];
	size_t nr_owned;
};

/* ---- memory.c ---------------------------------------------------------- */

/* Zeroed; ends the program when there is none. */
void *gold_alloc(size_t len);
/* Prints why and ends the program: an image is not as it was built. */
_Noreturn void gold_die(const char *why, const char *what);

/* The same, and it lives as long as the machine. */
void *gold_keep(struct gold_machine *m, size_t len);

/* The symbol of an image that must have it. */
const struct gold_symbol *gold_need(const struct gold_world *w,
	const char *name);

/* The frame's bytes for writing; the class is set with it. */
uint8_t *gold_frame(struct gold_machine *m, uint32_t pfn, enum gold_class c);
/* The control domain's next frame; they are scattered, as after a long run. */
uint32_t gold_take(struct gold_machine *m, enum gold_class c);
/* Writes at a machine address, also across frames. */
void gold_poke(struct gold_machine *m, uint32_t paddr, const void *bytes,
	size_t len, enum gold_class c);
uint64_t gold_peek64(const struct gold_machine *m, uint32_t paddr);

/* ---- tables.c ---------------------------------------------------------- */

/* Makes the entry, and the tables above it; cr3 is a zeroed top table. */
void gold_map(struct gold_machine *m, uint32_t cr3, uint32_t addr, uint32_t pfn,
	uint32_t flags);
/* The hypervisor's part of an address space. */
void gold_map_hypervisor(struct gold_machine *m, uint32_t cr3);
void gold_fill_m2p(struct gold_machine *m); /* when no more frames are taken */
/* A second address space with the kernel's and hypervisor's part of another. */
void gold_share_kernel(struct gold_machine *m, uint32_t from, uint32_t cr3);

/* ---- image.c ----------------------------------------------------------- */

/* Where bytes of an image go: page by page, at their address. */
typedef void gold_place_fn(struct gold_machine *m, uint32_t addr,
	const uint8_t *bytes, size_t len, bool is_writable);

void gold_load_image(struct gold_machine *m, const struct gold_blob *elf,
	gold_place_fn *place);
/* The symbols of the object's sections, which are named NAME.text and so on. */
void gold_load_symbols(struct gold_machine *m, const struct gold_blob *elf,
	struct gold_object *object);

/* ---- symtab.c ---------------------------------------------------------- */

/* Gives each module of the kernel's list its symbol table in memory. */
void gold_fill_symtabs(struct gold_machine *m);

/* ---- layout.c, processor.c, console.c ---------------------------------- */

void gold_lay_out(struct gold_machine *m);
void gold_fill_cpus(struct gold_machine *m);
void gold_fill_console(struct gold_machine *m);

/* Maps new frames of the kernel where none are. */
void gold_map_kernel(struct gold_machine *m, uint32_t addr, uint32_t end);

/* Writes where the kernel's tables map addr, which must be mapped. */
void gold_poke_virtual(struct gold_machine *m, uint32_t cr3, uint32_t addr,
	const void *bytes, size_t len);

#endif
