/* SPDX-License-Identifier: MIT */
/*
 * The writer under a script: the input says, call by call, what each callback
 * does: its work, a failure, a panic, or an answer that makes no sense.  What
 * must hold: no write outside the label's range, an end, and a dump that the
 * reader opens without a wrong frame.
 */
#include "dfmt-fuzz.h"
#include "dfmt-reader.h"
#include "writer_fixture.h"

#include <stdio.h>

#define RANGE (2u << 20)
#define MAX_CALLS 20000u

/* The fixture's machine, with a script before each answer. */
struct scripted {
	struct wfix f; /* first: the callbacks' arg is both */
	const uint8_t *script;
	size_t len, at;
	struct dfmt_writer *w;

	bool armed;
};

enum deed {
	DEED_WORK,
	DEED_FAIL,
	DEED_PANIC,
	DEED_WILD,
	DEED_STOP,
};

/* Most bytes are work, so that a script goes far. */
static enum deed
next_deed(struct scripted *s, uint64_t *value)
{
	uint8_t b;

	if (++s->f.nr_calls >= MAX_CALLS)
		dfmt_writer_stop(s->w);
	if (s->at >= s->len)
		return DEED_WORK;
	b = s->script[s->at++];
	if (b < 0xe0)
		return DEED_WORK;
	*value = 0;
	for (unsigned int i = 0; i < 8 && b >= 0xf4 && s->at < s->len; i++)
		*value = *value << 8 | s->script[s->at++];
	if (b < 0xf0)
		return DEED_FAIL;
	if (b < 0xf4 && s->armed)
		longjmp(s->f.panic, 1);
	if (b == 0xff)
		dfmt_writer_stop(s->w);
	return b >= 0xf4 ? DEED_WILD : DEED_WORK;
}

static int
fuzz_next_range(void *arg, uint64_t pfn, struct dfmt_wrun *run)
{
	struct scripted *s = arg;
	uint64_t v = 0;
	enum deed deed = next_deed(s, &v);

	if (deed == DEED_WILD) {
		*run = (struct dfmt_wrun){ pfn + (v >> 32), v & 0xffffffff };
		return 0;
	}
	return deed == DEED_FAIL || wfix_next_range(&s->f, pfn, run);
}

static int
fuzz_read_frame(void *arg, uint64_t pfn, void *buf)
{
	struct scripted *s = arg;
	uint64_t v = 0;
	enum deed deed = next_deed(s, &v);

	return deed == DEED_FAIL || wfix_read_frame(&s->f, pfn, buf);
}

static int
fuzz_classify(void *arg, uint64_t pfn, uint64_t *count)
{
	struct scripted *s = arg;
	uint64_t v = 0;

	switch (next_deed(s, &v)) {
	case DEED_WILD:
		/* One frame may then be in two passes, or in none. */
		*count = v >> 8;
		return (int)(v & 0xff) - 4;
	case DEED_FAIL:
		return -1;
	default:
		return wfix_classify(&s->f, pfn, count);
	}
}

static int
fuzz_write(void *arg, uint64_t offset, const void *buf, size_t len)
{
	struct scripted *s = arg;
	uint64_t v = 0;
	enum deed deed = next_deed(s, &v);

	/* What fails may have been written in part. */
	if (deed == DEED_WILD && len > 512) {
		(void)wfix_write(&s->f, offset, buf, v % (len / 512) * 512);
		return 1;
	}
	return deed == DEED_FAIL || wfix_write(&s->f, offset, buf, len);
}

static int
fuzz_read(void *arg, uint64_t offset, void *buf, size_t len)
{
	struct scripted *s = arg;
	uint64_t v = 0;
	int failed = wfix_read(&s->f, offset, buf, len);

	switch (next_deed(s, &v)) {
	case DEED_WILD: /* the device lies */
		((uint8_t *)buf)[v % len] ^= 1;
		return failed;
	case DEED_FAIL:
		return 1;
	default:
		return failed;
	}
}

static int
fuzz_submit(void *arg, uint32_t ticket, uint64_t offset, const void *buf,
	size_t len)
{
	struct scripted *s = arg;
	uint64_t v = 0;
	enum deed deed = next_deed(s, &v);

	return deed == DEED_FAIL ||
	       wfix_submit(&s->f, ticket, offset, buf, len);
}

static int
fuzz_wait(void *arg, uint32_t ticket)
{
	struct scripted *s = arg;
	uint64_t v = 0;
	enum deed deed = next_deed(s, &v);
	int failed = wfix_wait(&s->f, ticket);

	return deed == DEED_FAIL || failed;
}

static const struct dfmt_writer_ops ops = {
	.next_range = fuzz_next_range,
	.read_frame = fuzz_read_frame,
	.classify = fuzz_classify,
	.write = fuzz_write,
	.read = fuzz_read,
};

static void
require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "writer_fuzz: %s\n", what);
	abort();
}

static void
check_device(const struct scripted *s)
{
	uint8_t want[WFIX_FRAME], got[WFIX_FRAME];
	struct dfmt *d;

	require(!s->f.outside, "a write outside the range");
	require(!s->f.changed, "a buffer that the device had was changed");
	if (dfmt_open_memory(s->f.device, RANGE, NULL, &d, NULL) != DFMT_OK)
		return;
	for (uint64_t pfn = 0; pfn < s->f.nr_frames + 64; pfn++) {
		if (dfmt_read(d, pfn * WFIX_FRAME, got, WFIX_FRAME, NULL) !=
			DFMT_OK)
			continue;
		wfix_content(s->f.seed, pfn, want);
		require(memcmp(got, want, WFIX_FRAME) == 0, "a wrong frame");
	}
	dfmt_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct scripted *s = calloc(1, sizeof(*s));

	require(s != NULL, "no memory");
	wfix_init(&s->f, 200, RANGE);
	s->script = data;
	s->len = len;

	struct dfmt_writer_config config = wfix_config(&s->f);
	struct dfmt_writer_facts facts = wfix_facts(&s->f);

	struct dfmt_writer_ops two_steps = ops;

	two_steps.submit = fuzz_submit;
	two_steps.wait = fuzz_wait;
	config.ops = len & 1 ? &two_steps : &ops;
	config.arg = s;
	size_t need = dfmt_writer_memory(&config);
	void *memory = aligned_alloc(4096, need);

	s->w = dfmt_writer_init(&config, memory, need);
	require(s->w != NULL, "no writer");
	s->armed = true;
	if (setjmp(s->f.panic) == 0)
		(void)dfmt_writer_run(s->w, &facts, RANGE);
	else
		s->armed = false;
	if (!s->armed)
		(void)dfmt_writer_reenter(s->w, "panic");
	check_device(s);
	free(memory);
	wfix_fini(&s->f);
	free(s);
	return 0;
}
