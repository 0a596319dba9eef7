/* SPDX-License-Identifier: MIT */
/*
 * The goldcloth machine's dump, made by the real writer as the hypervisor
 * would call it after its panic.  Also for tests: they may take the writer's
 * callbacks and facts and put their own device under them.
 */
#ifndef GOLD_DUMP_H
#define GOLD_DUMP_H

#include "dfmt-writer.h"
#include "machine.h"

/* Content masks: bits 1 << enum dfmt_fmt_class. */
#define GOLD_CONTENT_HYPERVISOR \
	(1u << DFMT_CLASS_HYPERVISOR | 1u << DFMT_CLASS_PAGETABLE)
#define GOLD_CONTENT_KERNEL (GOLD_CONTENT_HYPERVISOR | 1u << DFMT_CLASS_KERNEL)
#define GOLD_CONTENT_DOM0 (GOLD_CONTENT_KERNEL | 1u << DFMT_CLASS_USER)
#define GOLD_CONTENT_ALL \
	(GOLD_CONTENT_DOM0 | 1u << DFMT_CLASS_GUEST | 1u << DFMT_CLASS_FREE)

/* Everything that a dump says besides memory; borrowed from the machine. */
struct gold_facts;

struct gold_facts *gold_facts_create(const struct gold_machine *m);
void gold_facts_destroy(struct gold_facts *f);
const struct dfmt_writer_facts *gold_facts_get(const struct gold_facts *f);

/*
 * The writer's callbacks for the machine's memory, arg being the machine:
 * next_range, read_frame and classify; the device's are the caller's.
 */
void gold_memory_ops(struct dfmt_writer_ops *ops);

struct gold_dump {
	const char *path; /* a labelled device or file */
	bool is_file;	  /* no label: the dump is the file, made new */
	uint32_t content;
	uint32_t nr_helpers;
	uint64_t time_limit_ms; /* 0: none */
};

/*
 * Writes the dump; *result_out is the writer's.  False when the device could
 * not be opened or there is no memory: errno says.
 */
bool gold_dump_write(const struct gold_machine *m, const struct gold_dump *d,
	struct dfmt_writer_result *result_out);

#endif
