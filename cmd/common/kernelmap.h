/* SPDX-License-Identifier: MIT */
/*
 * Where a Linux kernel's image is mapped, by its own page tables: what an ELF
 * core must say for tools that start from the kernel's virtual addresses, when
 * the dump was of a format that says nothing of those.
 */
#ifndef CMD_COMMON_KERNELMAP_H
#define CMD_COMMON_KERNELMAP_H

#include "dfmt-reader.h"

/*
 * Ranges of the image mapping of an x86-64 Linux whose VMCOREINFO is in the
 * dump, ascending; heap, the caller's to free.  NULL, 0: none are known.
 */
struct dfmt_range *cmd_kernel_ranges(const struct dfmt *d, size_t *nr_out);

#endif
