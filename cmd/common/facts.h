/* SPDX-License-Identifier: MIT */
/* What a dump says besides memory, in the form that the writer takes. */
#ifndef CMD_COMMON_FACTS_H
#define CMD_COMMON_FACTS_H

#include "cmd/common/error.h"
#include "dfmt-writer.h"
#include "mdb/base/buf.h"

/* The facts and what they point to. */
struct cmd_facts {
	struct dfmt_writer_facts facts;
	struct dfmt_fmt_cpu *cpus;
	struct dfmt_fmt_world *worlds;
	struct dfmt_fmt_range *ranges;
	struct dfmt_fmt_object *objects;
	struct dfmt_wblob *blobs;
	struct dfmt_wframe *frames;
	const char **versions;
	struct mdb_buf notes;
	size_t nr_ranges_room;
};

enum cmd_status cmd_facts_make(const struct dfmt *d, struct cmd_facts *f,
	struct cmd_error *err);
void cmd_facts_fini(struct cmd_facts *f);

#endif
