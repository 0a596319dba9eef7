/* SPDX-License-Identifier: MIT */
/*
 * What a frame of a Linux kernel holds: its own, or what belongs to its
 * processes, its page cache, nobody.
 *
 * The kernel's VMCOREINFO text says how its page structures look and where they
 * are (kernel/vmcore_info.c, arch/x86/kernel/vmcore_info_64.c of Linux; what
 * the fields mean: include/linux/page-flags.h, mm_types.h, mmzone.h; Linux 5.10
 * to 6.12, x86-64 with four levels of page tables and SPARSEMEM_VMEMMAP).  The
 * text and all memory are hostile input: nothing is followed that the caller's
 * callbacks do not answer for, every loop has an end.
 *
 * Freestanding: runs inside a hypervisor that has died.  Allocates nothing.
 */
#ifndef DFMT_LINUX_H
#define DFMT_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DFMT_LINUX_TEXT_MAX                                                 \
	4096u			 /* bytes of VMCOREINFO: Linux has one page \
				  */
#define DFMT_LINUX_PAGE_MAX 256u /* SIZE(page), at most */
#define DFMT_LINUX_RELEASE 64u

/* What the text says, one number each; linux-info.c has their names. */
enum dfmt_linux_fact {
	DFMT_LX_PAGESIZE,
	DFMT_LX_PAGE_LEN,
	DFMT_LX_FLAGS, /* offsets in the page structure */
	DFMT_LX_REFCOUNT,
	DFMT_LX_MAPCOUNT,
	DFMT_LX_MAPPING,
	DFMT_LX_LRU,
	DFMT_LX_PRIVATE,
	DFMT_LX_HEAD,
	DFMT_LX_DTOR,	       /* of the second page of a compound one */
	DFMT_LX_BIT_LRU,       /* bits of its flags */
	DFMT_LX_BIT_SWAPCACHE, /* one that others use too */
	DFMT_LX_BIT_SWAPBACKED,
	DFMT_LX_BIT_SLAB,
	DFMT_LX_BIT_HWPOISON,
	DFMT_LX_BIT_HUGETLB, /* of the second page */
	DFMT_LX_HEAD_MASK,
	DFMT_LX_BUDDY, /* values of its mapcount */
	DFMT_LX_SLAB,
	DFMT_LX_HUGETLB,
	DFMT_LX_HUGETLB_DTOR,
	DFMT_LX_ORDERS,	     /* of free blocks: 0 to one less */
	DFMT_LX_SECTIONS,    /* virtual address of mem_section */
	DFMT_LX_SECTION_LEN, /* bytes of one */
	DFMT_LX_SECTION_MAP, /* offset in it */
	DFMT_LX_ROOT,	     /* virtual address of the top page table */
	DFMT_LX_LEVEL5,
	DFMT_LX_NR,
};

struct dfmt_linux_info {
	uint64_t value[DFMT_LX_NR];	  /* negative ones sign extended */
	uint32_t has;			  /* bits 1 << fact */
	char release[DFMT_LINUX_RELEASE]; /* printable, or empty */
};

/*
 * Takes the text apart; len as it was handed over, at most DFMT_LINUX_TEXT_MAX.
 * NULL when it says all that is needed and nothing that cannot be; else in
 * words why not: static text.  *out is then of no use.
 */
const char *dfmt_linux_parse(const char *text, size_t len,
	struct dfmt_linux_info *out);

enum dfmt_linux_kind {
	DFMT_LINUX_KERNEL,
	DFMT_LINUX_USER,  /* a process's own memory */
	DFMT_LINUX_CACHE, /* of a file, tmpfs too */
	DFMT_LINUX_FREE,  /* and what is known to be broken */
	/*
	 * Its page structure cannot be read.  Linux gives no process a frame
	 * without one, so this is the kernel's, or nobody's.
	 */
	DFMT_LINUX_UNKNOWN,
};

/*
 * The kernel's memory, by machine frames.  Return 0; anything else: it cannot
 * be had, also because it is not this kernel's.
 */
struct dfmt_linux_ops {
	/* Entry index (0 to 511) of frame, if it is a table of level (4 to 1).
	 */
	int (*entry)(void *arg, uint64_t frame, unsigned int level,
		unsigned int index, uint64_t *entry_out);
	/* off and len are multiples of 8, off + len at most 4096. */
	int (*read)(void *arg, uint64_t frame, uint32_t off, void *buf,
		uint32_t len);
	/* The kernel's own number of the frame. */
	int (*pfn_of)(void *arg, uint64_t frame, uint64_t *pfn_out);
};

#define DFMT_LINUX_CACHED 32u

struct dfmt_linux {
	const struct dfmt_linux_ops *ops;
	void *arg;
	struct dfmt_linux_info info;
	uint64_t root;	  /* frame of the top page table */
	uint64_t vmemmap; /* virtual address of page structure 0 */
	struct {
		uint64_t va; /* of a page; 0: empty */
		uint64_t frame;
	} cache[DFMT_LINUX_CACHED];
	/* The last frame that was told by the one before it, and as what. */
	uint64_t rest_pfn;
	enum dfmt_linux_kind rest_kind;
	/* The free block that was found last; in frames. */
	uint64_t block_pfn, block_len;
};

/*
 * Finds the page structures.  info, ops and arg are filled by the caller; root
 * is a frame whose tables map the kernel: l->root is then the kernel's own.
 * NULL, or why not: static text.
 */
const char *dfmt_linux_start(struct dfmt_linux *l, uint64_t root);

/* What the machine's frame holds; it must be this kernel's. */
enum dfmt_linux_kind dfmt_linux_kind(struct dfmt_linux *l, uint64_t frame);

/* Forgets where pages were mapped: after the kernel ran on. */
void dfmt_linux_forget(struct dfmt_linux *l);

#endif
