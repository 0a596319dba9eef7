/* SPDX-License-Identifier: MIT */
/* What is missing of a dump, said in full: it is the only one there is. */
#include "cmd/savecore/save.h"

#include "cmd/common/text.h"

#include <inttypes.h>

static const char *
end_reason(uint32_t status)
{
	switch (status) {
	case DFMT_END_FULL:
		return "the device was too small for all of it";
	case DFMT_END_TIME:
		return "the writer hit its time limit";
	case DFMT_END_DEVICE:
		return "the device failed while it was written";
	case DFMT_END_SECOND_PANIC:
		return "the machine panicked again while it was written";
	case DFMT_END_STOPPED:
		return "the writer was told to stop";
	default:
		return "it ended early";
	}
}

static void
say_damage(const struct save_result *r)
{
	const struct cmd_counts *n = &r->tally.n;

	if (r->nr_lost_segments != 0)
		cmd_warn("savecore", "%" PRIu64 " segments are missing in it",
			r->nr_lost_segments);
	if (n->nr_bad_segments != 0 || n->nr_bad_blocks != 0)
		cmd_warn("savecore",
			"%" PRIu64 " segments and %" PRIu64
			" blocks in it are damaged",
			n->nr_bad_segments, n->nr_bad_blocks);
	if (r->nr_read_errors != 0)
		cmd_warn("savecore",
			"%" PRIu64 " pieces of 4K could not be read",
			r->nr_read_errors);
}

void
save_say_missing(const struct cmd_native *n, const struct save_result *r)
{
	const struct cmd_counts *counts = &r->tally.n;
	uint64_t frames = counts->nr_data + counts->nr_fill + counts->nr_repeat;
	char size[CMD_SIZE_TEXT];

	if (n->encrypted && !r->has_end)
		cmd_warn("savecore",
			"the dump is cut off: it has no end record%s; how much "
			"of memory was saved is encrypted",
			r->cut ? ", and its last segment is not whole" : "");
	else if (n->encrypted && n->has_end &&
		 n->end_status != DFMT_END_COMPLETE)
		cmd_warn("savecore", "the dump is not complete: %s",
			end_reason(n->end_status));
	else if (!r->has_end)
		cmd_warn("savecore",
			"the dump is cut off: it has no end record%s; %s of "
			"memory were saved, and an index made for it",
			r->cut ? ", and its last segment is not whole" : "",
			cmd_size_text(frames << n->page_shift, size));
	else if (r->end_status != DFMT_END_COMPLETE)
		cmd_warn("savecore",
			"the dump is not complete: %s; %s of memory were saved",
			end_reason(r->end_status),
			cmd_size_text(frames << n->page_shift, size));
	say_damage(r);
}
