/* SPDX-License-Identifier: MIT */
/* Two dumps byte by byte: what a conversion is checked by.  See elfcore.h. */
#include "cmd/common/elfcore.h"

#include "cmd/common/progress.h"
#include "mdb/base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define CHUNK (1u << 20)

struct pair {
	const struct dfmt *a, *b;
	uint8_t *x, *y;
};

/* What a cannot give need not be in b. */
static enum cmd_status
compare_page(const struct pair *p, uint64_t addr, size_t len,
	struct cmd_error *err)
{
	enum dfmt_status st;

	if (dfmt_read(p->a, addr, p->x, len, NULL) != DFMT_OK)
		return CMD_OK;
	st = dfmt_read(p->b, addr, p->y, len, NULL);
	if (st == DFMT_OK && memcmp(p->x, p->y, len) == 0)
		return CMD_OK;
	return cmd_fail(err, CMD_FAILED,
		"what was written differs at machine address %#" PRIx64 ": %s",
		addr, st == DFMT_OK ? "other bytes" : dfmt_status_name(st));
}

static enum cmd_status
compare_run(const struct pair *p, uint64_t addr, size_t len,
	struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;

	if (dfmt_read(p->a, addr, p->x, len, NULL) == DFMT_OK &&
		dfmt_read(p->b, addr, p->y, len, NULL) == DFMT_OK &&
		memcmp(p->x, p->y, len) == 0)
		return CMD_OK;
	for (size_t at = 0; at < len && st == CMD_OK;) {
		size_t n = PAGE - (addr + at) % PAGE;

		n = n < len - at ? n : len - at;
		st = compare_page(p, addr + at, n, err);
		at += n;
	}
	return st;
}

enum cmd_status
cmd_compare(const struct dfmt *a, const struct dfmt *b, bool verbose,
	struct cmd_error *err)
{
	struct pair p = { a, b, mdb_xalloc(CHUNK), mdb_xalloc(CHUNK) };
	uint64_t addr = 0, start, end, done = 0;
	struct cmd_progress progress;
	struct dfmt_info info;
	enum cmd_status st = CMD_OK;

	dfmt_info_get(a, &info);
	cmd_progress_start(&progress, "checking", info.max_addr, verbose);
	while (st == CMD_OK &&
		dfmt_next_range(a, addr, &start, &end, NULL) == DFMT_OK) {
		for (addr = start; addr < end && st == CMD_OK;) {
			size_t len = CHUNK - addr % CHUNK;

			len = len < end - addr ? len : (size_t)(end - addr);
			st = compare_run(&p, addr, len, err);
			addr += len;
			done += len;
			cmd_progress_set(&progress, addr);
		}
	}
	cmd_progress_end(&progress, done);
	free(p.x);
	free(p.y);
	return st;
}
