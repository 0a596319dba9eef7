/* SPDX-License-Identifier: MIT */
/*
 * A label in a partition: the disk's table is read at boot and once more at the
 * panic.  It must be whole and free of contradiction, all of it, before one
 * partition counts; and that must be of the type that is for dumps.
 */
#include "xdump-impl.h"

#include <xen/string.h>

static uint8_t *
buffer(void)
{
	return xdump.memory + XDUMP_LABEL_AT;
}

/* At XDUMP_LABEL_AT is as much as the longest table that is taken. */
static bool
entries_read(struct dfmt_disk *d, const struct dfmt_gpt *g)
{
	uint32_t mask = d->sector_len - 1;

	return dfmt_disk_read(d, g->entries_at << d->sector_shift, buffer(),
		(g->entries_len + mask) & ~mask);
}

static const char *
table_read(struct dfmt_disk *d, struct dfmt_gpt *g)
{
	const char *why;

	if (!dfmt_disk_read(d, 0, buffer(), 2 * (size_t)d->sector_len))
		return "its partition table cannot be read";
	why = dfmt_gpt_header(g, buffer(), buffer() + d->sector_len,
		d->sector_len, d->nr_sectors);
	if (why != NULL)
		return why;
	if (!entries_read(d, g))
		return "its partition table cannot be read";
	return dfmt_gpt_entries(g, buffer());
}

uint32_t
xdump_partitions(struct dfmt_disk *d, struct dfmt_gpt_part *parts)
{
	struct dfmt_gpt g;
	struct dfmt_gpt_part part = { 0 };
	uint32_t nr = 0;

	d->why = table_read(d, &g);
	if (d->why != NULL)
		return 0;
	while (dfmt_gpt_next(&g, buffer(), &part)) {
		if (nr == XDUMP_PARTS) {
			d->why = "it has too many partitions for dumps";
			return 0;
		}
		parts[nr++] = part;
	}
	if (nr == 0)
		d->why = "it has no partition for dumps";
	return nr;
}
