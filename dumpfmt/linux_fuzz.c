/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a kernel says of itself: the input's first part is its
 * VMCOREINFO, the rest words that are put anywhere into its memory, page tables
 * and page structures too.  Every frame is then asked for; the callbacks abort
 * on a question that must not be asked.
 */
#include "linux_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MARK '\f' /* ends the text */

static struct linux_machine machine;
static struct dfmt_linux kernel;

/* Frame, offset, value: 2, 2, 8 bytes. */
static void
memory_spoil(const uint8_t *data, size_t len)
{
	for (; len >= 12; data += 12, len -= 12) {
		uint32_t frame = (data[0] | data[1] << 8u) % LM_FRAMES;
		uint32_t off = (data[2] | data[3] << 8u) % (LM_FRAME_LEN / 8);

		memcpy(machine.mem[frame] + off * 8, data + 4, 8);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *mark = len ? memchr(data, MARK, len) : NULL;
	size_t text_len = mark ? (size_t)(mark - data) : len;

	memset(&kernel, 0, sizeof(kernel));
	if (dfmt_linux_parse((const char *)data, text_len, &kernel.info))
		return 0;
	/* The machine is made for this one. */
	if (kernel.info.value[DFMT_LX_PAGE_LEN] != 64)
		return 0;
	lm_make(&machine, &kernel);
	if (mark)
		memory_spoil(mark + 1, len - text_len - 1);
	if (dfmt_linux_start(&kernel, machine.root))
		return 0;
	for (uint64_t frame = 0; frame < LM_PAGES + 64; frame++)
		if (dfmt_linux_kind(&kernel, frame) > DFMT_LINUX_UNKNOWN)
			abort();
	return 0;
}
