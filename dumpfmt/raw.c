/* SPDX-License-Identifier: MIT */
/*
 * A raw memory image: the byte at file offset N is the byte at machine address
 * N.  Nothing in such a file says what it is, so it is taken only when the
 * caller asks for it.
 */
#include "dfmt-impl.h"

static enum dfmt_status
raw_open(struct dfmt *d, struct dfmt_err *err)
{
	uint64_t size = d->parts[0]->size;

	if (d->nr_parts != 1)
		return dfmt_fail(err, DFMT_E_FORMAT, "a raw image is one file",
			DFMT_NONE, DFMT_NONE);
	if (!size)
		return dfmt_fail(err, DFMT_E_FORMAT, "the file is empty", 0,
			DFMT_NONE);
	d->info.kind = DFMT_KIND_RAW;
	d->info.format = "raw memory image";
	d->info.page_size = DFMT_PAGE_SIZE;
	d->info.max_addr = size;
	return DFMT_OK;
}

static enum dfmt_status
raw_locate(const struct dfmt *d, uint64_t addr, struct dfmt_extent *ext_out,
	struct dfmt_err *err)
{
	struct dfmt_source *src = d->parts[0];

	if (addr >= src->size)
		return dfmt_fail(err, DFMT_E_RANGE,
			"beyond the end of the raw image", DFMT_NONE, addr);
	*ext_out = (struct dfmt_extent){ .src = src,
		.offset = addr,
		.addr = addr,
		.len = src->size - addr };
	return DFMT_OK;
}

static enum dfmt_status
raw_next_range(const struct dfmt *d, uint64_t addr, uint64_t *start_out,
	uint64_t *end_out, struct dfmt_err *err)
{
	uint64_t size = d->parts[0]->size;

	if (addr >= size)
		return dfmt_fail(err, DFMT_E_RANGE, "no more memory", DFMT_NONE,
			addr);
	*start_out = addr;
	*end_out = size;
	return DFMT_OK;
}

static enum dfmt_status
raw_coverage(const struct dfmt *d, struct dfmt_coverage *cov_out,
	struct dfmt_err *err)
{
	(void)err;
	*cov_out = (struct dfmt_coverage){ .counted = true,
		.nr_present = d->parts[0]->size / DFMT_PAGE_SIZE };
	return DFMT_OK;
}

const struct dfmt_format dfmt_format_raw = {
	.open = raw_open,
	.locate = raw_locate,
	.next_range = raw_next_range,
	.coverage = raw_coverage,
};
