/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the native format.  Checksums are made right before parsing, or no
 * change of an input would get past them; so are dump ids and offsets.  The
 * input's last byte says which of that is left undone.
 */
#include "dfmt-fuzz.h"

#include "native_build.h"

#define LEAVE_CRC 1u
#define LEAVE_OFFSET 2u
#define LEAVE_ID 4u
#define LEAVE_MAGIC 8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The checksum of [off, off + n) put at `at`, where all of it is there. */
static void
crc_put(uint8_t *p, size_t len, size_t at, size_t off, size_t n)
{
	if (off <= len && n <= len - off && at + 4 <= len)
		nb_put(p + at, nb_crc(p + off, n), 4);
}

static void
triage_fix(uint8_t *p, size_t len)
{
	size_t at = 128;

	if (len < 128)
		return;
	nb_put(p + 124, nb_crc(p, 124), 4);
	for (int i = 0; i < 64 && at + 16 <= len; i++) {
		size_t n = nb_get(p + at + 4, 4);

		crc_put(p, len, at + 8, at + 16, n);
		at += 16 + (n + 7) / 8 * 8;
	}
}

static void
blocks_fix(uint8_t *p, size_t len)
{
	if (len < 64)
		return;
	size_t at = 64 + 16 * nb_get(p + 16, 4), nr = nb_get(p + 20, 4);
	size_t data = nb_get(p + 32, 4);

	for (size_t i = 0; i < nr && i < 64 && at + 16 <= len; i++, at += 16)
		crc_put(p, len, at + 8, data + nb_get(p + at, 4),
			nb_get(p + at + 4, 4));
}

static void
segment_fix(uint8_t *p, size_t len, const uint8_t *id, size_t off,
	unsigned int leave)
{
	uint8_t *payload = p + 128;

	if (!(leave & LEAVE_ID))
		memcpy(p + 16, id, 16);
	if (!(leave & LEAVE_OFFSET))
		nb_put(p + 40, off, 8);
	if (leave & LEAVE_CRC)
		return;
	if (nb_get(p + 12, 2) == 1)
		triage_fix(payload, len - 128);
	if (nb_get(p + 12, 2) == 7)
		blocks_fix(payload, len - 128);
	crc_put(p, len, 76, 128, nb_get(p + 72, 4));
	nb_header_fix(p);
}

static void
fix(uint8_t *p, size_t len, unsigned int leave)
{
	static const uint8_t magic[] = "\x8dmdbSEG\n";
	size_t base = nb_get(p, 8) == nb_get(magic, 8) ? 0 : 4096;

	if (!(leave & LEAVE_MAGIC) && base == 0)
		memcpy(p, magic, 8);
	if (base)
		crc_put(p, len, 4092, 0, 4092);
	for (size_t at = base; at + 128 <= len; at += 512) {
		if (memcmp(p + at, magic, 8) == 0)
			segment_fix(p + at, len - at, p + base + 16, at - base,
				leave);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy;

	if (len < 129 || len > 100000)
		return 0;
	copy = malloc(len - 1);
	if (!copy)
		return 0;
	memcpy(copy, data, len - 1);
	fix(copy, len - 1, data[len - 1]);
	dfmt_fuzz(copy, len - 1, copy, 0);
	free(copy);
	return 0;
}
