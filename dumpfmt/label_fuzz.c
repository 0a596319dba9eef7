/* SPDX-License-Identifier: MIT */
/* Fuzzes dump labels: what is decoded is encoded and comes back the same. */
#include "dfmt-label.h"

#include "native_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t bytes[4096] = { 0 }, again[4096];
	struct dfmt_label label, same;

	if (len == 0)
		return 0;
	memcpy(bytes, data, len < sizeof(bytes) ? len : sizeof(bytes));
	/* Inputs need not spell the signature, nor the checksum. */
	memcpy(bytes, "\x8dmdbLBL\n", 8);
	if (data[len - 1] % 8)
		nb_put(bytes + 4092, nb_crc(bytes, 4092), 4);
	if (dfmt_label_decode(bytes, &label, NULL) != DFMT_OK)
		return 0;
	dfmt_label_encode(&label, 1, again);
	if (dfmt_label_decode(again, &same, NULL) != DFMT_OK ||
		same.change != label.change ||
		same.range_len != label.range_len ||
		memcmp(same.uuid, label.uuid, sizeof(same.uuid)) != 0)
		abort();
	return 0;
}
