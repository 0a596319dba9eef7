/* SPDX-License-Identifier: MIT */
/* The dump that the disk holds from before, by its end record's copy. */
#include "xdump-impl.h"

#include <xen/init.h>
#include <xen/string.h>

static const uint8_t *__init
block_read(struct dfmt_disk *d, uint64_t offset)
{
	uint8_t *buf = xdump.memory + XDUMP_LABEL_AT;

	return dfmt_disk_read(d, xdump.target.offset + offset, buf,
		       DFMT_END_LEN)
		       ? buf
		       : NULL;
}

static bool __init
is_end(const struct dfmt_fmt_seg *h, const struct dfmt_fmt_end *end)
{
	return !memcmp(h->magic, DFMT_SEG_MAGIC, sizeof(h->magic)) &&
	       h->type == DFMT_SEG_END &&
	       h->header_crc ==
		       dfmt_crc32c(&xdump.crc, h,
			       offsetof(struct dfmt_fmt_seg, header_crc)) &&
	       h->crc_len >= sizeof(*end) &&
	       h->crc_len <= DFMT_END_LEN - DFMT_SEG_HEADER_LEN &&
	       h->payload_crc == dfmt_crc32c(&xdump.crc, end, h->crc_len);
}

void __init
xdump_last_read(struct dfmt_disk *d, struct xdump_last *last)
{
	static const char *const hows[] = { "complete", "the range was full",
		"the time was over", "the device failed",
		"a panic inside the writer", "stopped" };
	const struct dfmt_fmt_label *label = (const void *)block_read(d, 0);
	uint8_t saved[DFMT_ID_LEN];
	const struct dfmt_fmt_seg *h;
	const struct dfmt_fmt_end *end;
	uint64_t len;

	memset(last, 0, sizeof(*last));
	if (label == NULL)
		return;
	memcpy(saved, label->saved_id, sizeof(saved));
	len = label->range_len;
	if (len < DFMT_MIN_RANGE || len > xdump.target.len)
		return;
	h = (const void *)block_read(d, len - DFMT_ANCHOR_FROM_END);
	end = (const void *)(h + 1);
	if (h == NULL || !is_end(h, end))
		return;
	last->found = true;
	last->saved = !memcmp(h->dump_id, saved, sizeof(saved));
	last->how = end->status < ARRAY_SIZE(hows) ? hows[end->status]
						   : "ended otherwise";
	last->nr_frames = end->nr_data + end->nr_fill + end->nr_repeat;
	last->len = end->end;
}
