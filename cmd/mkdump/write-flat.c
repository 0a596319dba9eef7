/* SPDX-License-Identifier: MIT */
/* Writes a finished file in the flattened form of makedumpfile -F. */
#include "mkdump.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t
be64(uint64_t v)
{
	return __builtin_bswap64(v);
}

static uint64_t
record(struct mk *m, uint64_t at, uint64_t off, const void *p, uint64_t len)
{
	uint64_t head[2] = { be64(off), be64(len) };

	mk_pwrite(m, at, head, sizeof(head));
	if (p)
		mk_pwrite(m, at + 16, p, len);
	return at + 16 + (p ? len : 0);
}

void
mk_write_flat(struct mk *m, int from, uint64_t size)
{
	uint8_t *buf = malloc(m->flat_record);
	uint64_t nr = (size + m->flat_record - 1) / m->flat_record, at = 4096;
	uint64_t head[2] = { be64(1), be64(1) };

	if (!buf)
		mk_die(m, "out of memory");
	mk_pwrite(m, 0, "makedumpfile", 12);
	mk_pwrite(m, 16, head, sizeof(head));
	mk_pwrite(m, 4095, "", 1);
	/* First something wrong everywhere, which the rest corrects. */
	for (uint64_t i = 0; m->flat_overlap && i + 1 < nr; i++) {
		memset(buf, 0xee, m->flat_record);
		at = record(m, at, i * m->flat_record + m->flat_record / 2, buf,
			m->flat_record);
	}
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t k = m->flat_reverse ? nr - 1 - i : i;
		ssize_t n = pread(from, buf, m->flat_record,
			(off_t)(k * m->flat_record));

		if (n <= 0)
			mk_die(m, "reading back failed");
		at = record(m, at, k * m->flat_record, buf, (uint64_t)n);
	}
	if (!m->flat_open)
		record(m, at, UINT64_MAX, NULL, UINT64_MAX);
	free(buf);
}
