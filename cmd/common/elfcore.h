/* SPDX-License-Identifier: MIT */
/* A dump of any format written as an ELF core. */
#ifndef CMD_COMMON_ELFCORE_H
#define CMD_COMMON_ELFCORE_H

#include "cmd/common/output.h"

struct cmd_elf_stats {
	uint64_t nr_pages, nr_zero; /* written; of those, as holes */
	uint64_t nr_lost;	    /* that the dump says it has, and has not */
	uint64_t nr_loads;	    /* PT_LOADs */
	uint64_t len;		    /* of the file */
};

/*
 * Writes d to out and makes it stable.  Memory that the dump does not have is
 * in no PT_LOAD; what it does have is in one for each range that states it,
 * all of them over the same bytes of the file.
 */
enum cmd_status cmd_elf_write(const struct dfmt *d, struct cmd_output *out,
	bool verbose, struct cmd_elf_stats *stats_out, struct cmd_error *err);

/*
 * Do both dumps hold the same bytes of memory wherever a holds some?  The
 * first difference is the failure.
 */
enum cmd_status cmd_compare(const struct dfmt *a, const struct dfmt *b,
	bool verbose, struct cmd_error *err);

#endif
