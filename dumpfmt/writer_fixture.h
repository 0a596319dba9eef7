/* SPDX-License-Identifier: MIT */
/*
 * For tests only: a made-up machine and a device in memory for the writer, both
 * of which fail on demand.
 *
 * What frame p holds follows from p and the machine's seed alone, so that a
 * test knows it without keeping it.
 */
#ifndef DFMT_WRITER_FIXTURE_H
#define DFMT_WRITER_FIXTURE_H

#include "dfmt-crc.h"
#include "dfmt-writer-lz4.h"
#include "dfmt-writer.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define WFIX_FRAME 4096u

enum wfix_call {
	WFIX_NEXT_RANGE,
	WFIX_READ_FRAME,
	WFIX_CLASSIFY,
	WFIX_WRITE,
	WFIX_READ,
	WFIX_FLUSH,
	WFIX_NOW,
	WFIX_SUBMIT,
	WFIX_WAIT,
	WFIX_NR_CALLS,
};

struct wfix {
	uint64_t seed;	    /* of the machine's memory */
	uint64_t nr_frames; /* in two ranges with a hole of 64 between */
	uint8_t *device;
	uint64_t device_len;
	uint64_t now;
	uint64_t ms_per_call;
	/* Faults: called before the callback does its work. */
	unsigned long nr_calls;	     /* of all callbacks so far */
	unsigned long panic_at;	     /* longjmp at this call, 1 is the first */
	unsigned long fail_at;	     /* this call fails */
	uint64_t bad_first, bad_end; /* bytes of the device that fail */
	uint64_t lost_every;	     /* frames whose number it divides fault */
	bool outside;		     /* somebody wrote where nobody may */
	uint64_t range_end;	     /* of the label, for that check */
	jmp_buf panic;
	/* Writes in two steps: what was submitted and is not done. */
	struct {
		bool waits, done;
		uint64_t offset;
		const void *buf;
		size_t len;
		uint32_t crc;
		int result;
	} flight[2];
	bool changed; /* a buffer that the device had, or a ticket in use */
};

static inline uint64_t
wfix_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* The content of a frame; the kinds take turns. */
static inline void
wfix_content(uint64_t seed, uint64_t pfn, void *frame)
{
	uint64_t words[WFIX_FRAME / 8], state = seed ^ pfn * 77;

	memset(words, 0, sizeof(words));
	switch (pfn % 8) {
	case 0: /* zero */
		break;
	case 1: /* one word over and over */
		for (size_t i = 0; i < WFIX_FRAME / 8; i++)
			words[i] = 0xc2c2c2c2c2c2c2c2u;
		break;
	case 2: /* incompressible */
		for (size_t i = 0; i < WFIX_FRAME / 8; i++)
			words[i] = wfix_next(&state);
		break;
	case 3: /* the same in many frames */
		state = seed ^ pfn % 64;
		for (size_t i = 0; i < WFIX_FRAME / 8; i++)
			words[i] = wfix_next(&state) & 0xffff;
		break;
	case 4: /* a page table */
		for (size_t i = 0; i < WFIX_FRAME / 8; i++)
			words[i] = (pfn * 512 + i) << 12 | 0x63;
		break;
	default: /* mostly small numbers */
		for (size_t i = 0; i < WFIX_FRAME / 8; i++)
			words[i] = wfix_next(&state) % 5 ? i : state & 0xffffff;
		break;
	}
	memcpy(frame, words, sizeof(words));
}

static inline uint64_t
wfix_hole(const struct wfix *f)
{
	return f->nr_frames / 2;
}

static inline bool
wfix_is_memory(const struct wfix *f, uint64_t pfn)
{
	return pfn < f->nr_frames + 64 &&
	       (pfn < wfix_hole(f) || pfn >= wfix_hole(f) + 64);
}

static inline int
wfix_class(uint64_t pfn)
{
	return 1 + (int)(pfn / 16 % 6);
}

static inline int
wfix_call(struct wfix *f)
{
	f->nr_calls++;
	if (f->panic_at && f->nr_calls == f->panic_at)
		longjmp(f->panic, 1);
	return f->fail_at && f->nr_calls == f->fail_at;
}

static inline int
wfix_next_range(void *arg, uint64_t pfn, struct dfmt_wrun *run)
{
	struct wfix *f = arg;
	uint64_t hole = wfix_hole(f);

	if (wfix_call(f) || pfn >= f->nr_frames + 64)
		return 1;
	if (pfn < hole)
		*run = (struct dfmt_wrun){ 0, hole };
	else
		*run = (struct dfmt_wrun){ hole + 64, f->nr_frames - hole };
	return 0;
}

static inline int
wfix_read_frame(void *arg, uint64_t pfn, void *buf)
{
	struct wfix *f = arg;

	if (wfix_call(f) || (f->lost_every && pfn && pfn % f->lost_every == 0))
		return 1;
	wfix_content(f->seed, pfn, buf);
	return 0;
}

static inline int
wfix_classify(void *arg, uint64_t pfn, uint64_t *count)
{
	if (wfix_call(arg))
		return -1;
	*count = 16 - pfn % 16;
	return wfix_class(pfn);
}

static inline bool
wfix_is_bad(const struct wfix *f, uint64_t offset, size_t len)
{
	return offset < f->bad_end && offset + len > f->bad_first;
}

static inline int
wfix_write(void *arg, uint64_t offset, const void *buf, size_t len)
{
	struct wfix *f = arg;

	if (wfix_call(f))
		return 1;
	if (offset < DFMT_LABEL_LEN ||
		offset + len > f->range_end - DFMT_LABEL_LEN || offset % 512 ||
		len % 512) {
		f->outside = true;
		return 1;
	}
	if (wfix_is_bad(f, offset, len)) {
		/* What lies before the bad place is written. */
		if (offset < f->bad_first)
			memcpy(f->device + offset, buf, f->bad_first - offset);
		return 1;
	}
	memcpy(f->device + offset, buf, len);
	return 0;
}

static inline int
wfix_read(void *arg, uint64_t offset, void *buf, size_t len)
{
	struct wfix *f = arg;

	if (wfix_call(f) || offset + len > f->device_len ||
		wfix_is_bad(f, offset, len))
		return 1;
	memcpy(buf, f->device + offset, len);
	return 0;
}

static inline int
wfix_flush(void *arg)
{
	return wfix_call(arg);
}

static inline uint64_t
wfix_now(void *arg)
{
	struct wfix *f = arg;

	(void)wfix_call(f);
	return f->now += f->ms_per_call;
}

static inline uint32_t
wfix_crc(const void *buf, size_t len)
{
	struct dfmt_crc crc;

	dfmt_crc_init(&crc, false);
	return dfmt_crc32c(&crc, buf, len);
}

/* Of two writes on their way one is done at once, the other when waited for. */
static inline int
wfix_submit(void *arg, uint32_t ticket, uint64_t offset, const void *buf,
	size_t len)
{
	struct wfix *f = arg;

	if (wfix_call(f))
		return 1;
	if (ticket > 1 || f->flight[ticket].waits)
		f->changed = true;
	f->flight[ticket & 1].waits = true;
	f->flight[ticket & 1].offset = offset;
	f->flight[ticket & 1].buf = buf;
	f->flight[ticket & 1].len = len;
	f->flight[ticket & 1].crc = wfix_crc(buf, len);
	f->flight[ticket & 1].done = offset / 512 % 3 == 0;
	f->flight[ticket & 1].result = 1;
	if (f->flight[ticket & 1].done)
		f->flight[ticket & 1].result = wfix_write(f, offset, buf, len);
	return 0;
}

static inline int
wfix_wait(void *arg, uint32_t ticket)
{
	struct wfix *f = arg;
	bool waits = f->flight[ticket & 1].waits;
	int result;

	f->flight[ticket & 1].waits = false;
	if (wfix_call(f) || !waits)
		return 1;
	if (wfix_crc(f->flight[ticket & 1].buf, f->flight[ticket & 1].len) !=
		f->flight[ticket & 1].crc)
		f->changed = true;
	result = f->flight[ticket & 1].result;
	if (!f->flight[ticket & 1].done)
		result = wfix_write(f, f->flight[ticket & 1].offset,
			f->flight[ticket & 1].buf, f->flight[ticket & 1].len);
	return result;
}

/* The same machine and a device that takes writes in two steps. */
static const struct dfmt_writer_ops wfix_ops_two_steps = {
	.next_range = wfix_next_range,
	.read_frame = wfix_read_frame,
	.classify = wfix_classify,
	.write = wfix_write,
	.read = wfix_read,
	.flush = wfix_flush,
	.submit = wfix_submit,
	.wait = wfix_wait,
	.now_ms = wfix_now,
};

static const struct dfmt_writer_ops wfix_ops = {
	.next_range = wfix_next_range,
	.read_frame = wfix_read_frame,
	.classify = wfix_classify,
	.write = wfix_write,
	.read = wfix_read,
	.flush = wfix_flush,
	.now_ms = wfix_now,
};

/* A label as dumpadm makes it. */
static inline void
wfix_label(struct wfix *f, uint64_t range_len)
{
	struct dfmt_fmt_label l = {
		.version = DFMT_LABEL_VERSION,
		.label_len = DFMT_LABEL_LEN,
		.uuid = { 1, 2, 3, 4 },
		.range_len = range_len,
		.sector_len = 512,
		.change = 1,
	};
	struct dfmt_crc crc;

	dfmt_crc_init(&crc, false);
	memcpy(l.magic, DFMT_LABEL_MAGIC, sizeof(l.magic));
	l.crc = dfmt_crc32c(&crc, &l, offsetof(struct dfmt_fmt_label, crc));
	memcpy(f->device, &l, sizeof(l));
	l.copy = 1;
	l.crc = dfmt_crc32c(&crc, &l, offsetof(struct dfmt_fmt_label, crc));
	memcpy(f->device + range_len - DFMT_LABEL_LEN, &l, sizeof(l));
	f->range_end = range_len;
}

static inline void
wfix_init(struct wfix *f, uint64_t nr_frames, uint64_t device_len)
{
	memset(f, 0, sizeof(*f));
	f->seed = 42;
	f->nr_frames = nr_frames;
	f->device_len = device_len;
	f->device = calloc(1, device_len);
	if (!f->device)
		abort();
	wfix_label(f, device_len);
}

static inline void
wfix_fini(struct wfix *f)
{
	free(f->device);
	f->device = NULL;
}

static inline struct dfmt_writer_config
wfix_config(struct wfix *f)
{
	return (struct dfmt_writer_config){
		.ops = &wfix_ops,
		.arg = f,
		.codec = &dfmt_writer_lz4,
		.content = 0x7f,
		.page_shift = 12,
		.seed = { 9, 8, 7 },
	};
}

/* What the made-up machine says of itself; borrowed from static tables. */
static inline struct dfmt_writer_facts
wfix_facts(const struct wfix *f)
{
	static const struct dfmt_wframe frames[] = {
		{ 0xffbf3f38, 0xff13b83f, 0, "xpv`panic+0x33()" },
		{ 0xffbf3f48, 0xff11b058, 0, "xpv`dom0_shutdown+0x43()" },
	};
	static const struct dfmt_fmt_cpu cpus[] = {
		{ .id = 0,
			.flags = DFMT_CPU_REGS,
			.gp = { [DFMT_GP_RIP] = 0x1000 } },
		{ .id = 1,
			.flags = DFMT_CPU_REGS | DFMT_CPU_PANICKED,
			.gp = { [DFMT_GP_RIP] = 0xff13b83f } },
	};
	static const struct dfmt_fmt_world worlds[] = {
		{ .index = 0,
			.kind = DFMT_WORLD_HYPERVISOR,
			.machine = 3,
			.system = "xen",
			.name = "xpv" },
	};
	static const struct dfmt_fmt_object objects[] = {
		{ .index = 0,
			.base = 0xff100000,
			.end = 0xff200000,
			.name = "xpv" },
	};
	static const char blob[] = "names\0of\0things";
	static const struct dfmt_wblob blobs[] = {
		{ 0, DFMT_BLOB_STRTAB, blob, sizeof(blob) },
	};
	static const struct dfmt_wrun first[] = { { 5, 2 }, { 37, 1 } };
	static const char *const versions[] = { "xpv=3.0.4-1-sun" };
	static const char console[] = "the console's last words\n";

	return (struct dfmt_writer_facts){
		.machine = 3,
		.word_bits = 32,
		.end_pfn = f->nr_frames + 64,
		.nr_frames = f->nr_frames,
		.time_sec = 1175000000,
		.panic_cpu = 1,
		.panic_world = 0,
		.reason = "Domain 0 crashed",
		.versions = versions,
		.nr_versions = 1,
		.frames = frames,
		.nr_frames_walked = 2,
		.console = console,
		.console_len = sizeof(console) - 1,
		.cpus = cpus,
		.nr_cpus = 2,
		.worlds = worlds,
		.nr_worlds = 1,
		.objects = objects,
		.nr_objects = 1,
		.blobs = blobs,
		.nr_blobs = 1,
		.first = first,
		.nr_first = 3 - 1,
	};
}

#endif
