/* SPDX-License-Identifier: MIT */
/*
 * find_xen.c, find_linux_xen.c, xen_*.c: notes of any content over a small
 * machine, and any words in its memory.  The input is a byte that says which
 * notes there are, 8-byte patches (where in low memory, what), then bytes that
 * overwrite the notes.
 */
#include "mdb/world/xen_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PATCH_LEN 11u /* address in words, 3 bytes; then the word */

static void
quiet(struct mdb_ctx *cx, const char *text)
{
	(void)cx;
	(void)text;
}

/* The segments one after the other, as the input counts their words. */
static void
patch(struct xen_machine *m, const uint8_t *p)
{
	uint64_t at = 8ull * (p[0] | p[1] << 8 | p[2] << 16);

	for (size_t i = 0; i < XM_NR_SEGMENTS; i++) {
		if (at + 8 <= xm_segments[i].len) {
			xm_write(m, xm_segments[i].start + at, p + 3, 8);
			return;
		}
		if (at < xm_segments[i].len)
			return;
		at -= xm_segments[i].len;
	}
}

static void
ask(struct mdb_ctx *cx, struct mdb_world *w)
{
	struct mdb_stack_range range;
	struct mdb_guest guest;
	struct mdb_xen_pcpu p;
	struct mdb_regs regs;
	mdb_pfn_t frame;
	int cpu = -1;

	(void)mdb_panic_cpu(cx, w);
	(void)mdb_world_fact(cx, w, "release");
	(void)mdb_world_fact(cx, w, "panic_message");
	for (int n = 0; n < 4 && mdb_cpu_next(cx, w, &cpu) == MDB_OK; n++) {
		(void)mdb_cpu_regs(cx, w, cpu, &regs);
		if (mdb_xen_pcpu(cx, w, cpu, &p) != MDB_OK ||
			w->ops->guest_on_stack == NULL)
			continue;
		(void)w->ops->stack_range(cx, w, p.stack + 0x2800, &range);
		(void)w->ops->guest_on_stack(cx, w, p.stack + 0x7000, &guest);
	}
	for (mdb_pfn_t pfn = 0x20; pfn < 0x28; pfn++) {
		(void)mdb_xen_mfn_to_gfn(cx, w, pfn, &frame);
		(void)mdb_xen_gfn_to_mfn(cx, w, pfn, &frame);
	}
	mdb_forget(cx);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mdb_ctx cx = { 0 };
	struct xen_machine m;
	size_t nr;

	if (len < 2)
		return 0;
	xm_init(&m);
	mdb_ctx_init(&cx);
	cx.warn = quiet;
	if (data[0] & 2)
		xm_hardware_guest(&m);
	if (data[0] & 1) {
		xm_qemu(&m, TEXT + 0x184, 0xe033, phys(PGD),
			XM_HEAP(XM_TSS(0)));
		xm_qemu(&m, XM_TEXT + 0x20, 0xe008, XM_L4, XM_HEAP(XM_TSS(1)));
	} else {
		xm_crash_notes(&m);
	}
	nr = data[1];
	data += 2;
	len -= 2;
	for (size_t i = 0; i < nr && len >= PATCH_LEN; i++) {
		patch(&m, data);
		data += PATCH_LEN;
		len -= PATCH_LEN;
	}
	memcpy(m.notes, data, len < m.notes_len ? len : m.notes_len);
	cx.target = xm_open(&m, SIZE_MAX);
	if (cx.target != NULL) {
		(void)mdb_find_xen(&cx, cx.target);
		(void)mdb_find_linux(&cx, cx.target);
		cx.world = cx.target->worlds;
		for (struct mdb_world *w = cx.world; w; w = w->next)
			ask(&cx, w);
	}
	xm_fini(&m);
	mdb_ctx_fini(&cx);
	return 0;
}
