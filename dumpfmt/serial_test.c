/* SPDX-License-Identifier: MIT */
/*
 * The triage record over a serial line and back: it is the one that a disk
 * would have got; lost and broken lines; what is refused.
 */
#include "writer_fixture.h"

#include "dfmt-reader.h"
#include "dfmt-serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_MAX (256u << 10)

struct rig {
	struct wfix f;
	void *memory;
	struct dfmt_writer *w;
	char *text;
	size_t len;
	uint8_t out[DFMT_TRIAGE_LEN];
	struct dfmt_serial s;
	struct dfmt_err err;
};

static void
put(void *arg, const char *line, size_t len)
{
	struct rig *r = arg;

	assert_true(len < 128 && line[len - 1] == '\n');
	assert_true(r->len + len <= TEXT_MAX);
	memcpy(r->text + r->len, line, len);
	r->len += len;
}

static bool
rig_send(struct rig *r)
{
	struct dfmt_writer_facts facts = wfix_facts(&r->f);

	return dfmt_writer_serial(r->w, &facts, put, r);
}

static struct rig *
rig_make(void)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct dfmt_writer_config config;
	size_t len;

	assert_non_null(r);
	wfix_init(&r->f, 4000, 16u << 20);
	config = wfix_config(&r->f);
	len = dfmt_writer_memory(&config);
	r->memory = aligned_alloc(4096, (len + 4095) & ~4095ull);
	r->text = malloc(TEXT_MAX);
	assert_true(r->memory && r->text);
	r->w = dfmt_writer_init(&config, r->memory, len);
	assert_non_null(r->w);
	return r;
}

static void
rig_end(struct rig *r)
{
	wfix_fini(&r->f);
	free(r->memory);
	free(r->text);
	free(r);
}

static enum dfmt_status
decode(struct rig *r)
{
	return dfmt_serial_decode(r->text, r->len, r->out, &r->s, &r->err);
}

/* The text of a line, or NULL. */
static char *
line_of(struct rig *r, const char *what)
{
	return memmem(r->text, r->len, what, strlen(what));
}

/* As a file that a reader opens. */
static struct dfmt *
opened(const struct rig *r)
{
	char path[] = "/tmp/serial-test-XXXXXX";
	const char *paths[] = { path };
	struct dfmt *d = NULL;
	struct dfmt_err err;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, r->out, sizeof(r->out)), sizeof(r->out));
	close(fd);
	assert_int_equal(dfmt_open(paths, 1, NULL, &d, &err), DFMT_OK);
	unlink(path);
	return d;
}

static void
test_there_and_back(void **state)
{
	struct rig *r = rig_make();
	struct dfmt *d;
	const struct dfmt_native *n;

	(void)state;
	assert_true(rig_send(r));
	assert_int_equal(decode(r), DFMT_OK);
	assert_int_equal(r->s.nr_lost, 0);
	assert_int_equal(r->s.nr_records, 1);
	d = opened(r);
	n = dfmt_native_get(d);
	assert_true(n->has_triage && n->triage_whole);
	assert_string_equal(n->reason, wfix_facts(&r->f).reason);
	dfmt_close(d);
	rig_end(r);
}

/* What a terminal program and a console put around, and a record of before. */
static void
test_among_others(void **state)
{
	struct rig *r = rig_make();
	char *noisy = malloc(2 * TEXT_MAX);
	uint8_t *first = malloc(DFMT_TRIAGE_LEN);
	size_t n = 0;

	(void)state;
	assert_true(noisy && first);
	assert_true(rig_send(r));
	assert_int_equal(decode(r), DFMT_OK);
	memcpy(first, r->out, DFMT_TRIAGE_LEN);
	for (const char *cut = r->text; cut < r->text + r->len / 2; cut++)
		noisy[n++] = *cut;
	for (const char *at = r->text; at < r->text + r->len; at++) {
		if (*at == 'X' && at[1] == 'D' && at[2] == 'U')
			n += (size_t)sprintf(noisy + n, "(XEN) [12.3] ");
		if (*at == '\n')
			noisy[n++] = '\r';
		noisy[n++] = *at;
	}
	n += (size_t)sprintf(noisy + n, "\nXDUMP-TRIAGE begin 9 xyz\nlogin: ");
	assert_int_equal(dfmt_serial_decode(noisy, n, r->out, &r->s, &r->err),
		DFMT_OK);
	assert_int_equal(r->s.nr_records, 2);
	assert_int_equal(r->s.nr_lost, 0);
	assert_memory_equal(first, r->out, DFMT_TRIAGE_LEN);
	free(first);
	free(noisy);
	rig_end(r);
}

/* One letter that changed on the way costs its line, and no more. */
static void
test_lost_lines(void **state)
{
	struct rig *r = rig_make();
	uint32_t last;
	char *at;
	struct dfmt *d;

	(void)state;
	assert_true(rig_send(r));
	assert_int_equal(decode(r), DFMT_OK);
	last = r->s.nr_lost + r->s.nr_lines - 1;
	assert_true(last > 20);
	at = line_of(r, "XDUMP-TRIAGE 0012 ");
	assert_non_null(at);
	at[30] ^= 1;
	assert_int_equal(decode(r), DFMT_OK);
	assert_int_equal(r->s.nr_lost, 1);
	for (uint32_t i = 0; i < DFMT_SERIAL_BYTES; i++)
		assert_int_equal(r->out[12 * DFMT_SERIAL_BYTES + i], 0);
	d = opened(r);
	assert_true(dfmt_native_get(d)->has_triage);
	assert_false(dfmt_native_get(d)->triage_whole);
	dfmt_close(d);

	at = line_of(r, "XDUMP-TRIAGE 0002 ");
	assert_non_null(at);
	at[14] = '9';
	assert_int_equal(decode(r), DFMT_E_LOST);
	rig_end(r);
}

static void
test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"XDUMP-TRIAGE",
		"XDUMP-TRIAGE begin",
		"XDUMP-TRIAGE begin 4294967552 00000000\n",
		"XDUMP-TRIAGE begin 255 00000000\n",
		"XDUMP-TRIAGE begin 300 0000000\n",
		"XDUMP-TRIAGE begin 300 0000000G\n",
	};
	struct rig *r = rig_make();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		r->len = strlen(texts[i]);
		memcpy(r->text, texts[i], r->len);
		assert_int_equal(decode(r), DFMT_E_FORMAT);
	}
	r->len = (size_t)sprintf(r->text,
		"XDUMP-TRIAGE begin 61440 00000000\nXDUMP-TRIAGE 9999 AA= 0\n"
		"XDUMP-TRIAGE 0000 AAAA 00000000\nXDUMP-TRIAGE end 4294967296\n");
	assert_int_equal(decode(r), DFMT_E_LOST);
	rig_end(r);
}

/* A record whose own sum is another one, though every line is whole. */
static void
test_wrong_whole(void **state)
{
	struct rig *r = rig_make();
	char *at;

	(void)state;
	assert_true(rig_send(r));
	at = memchr(r->text, '\n', r->len);
	assert_non_null(at);
	at[-1] = at[-1] == '0' ? '1' : '0';
	assert_int_equal(decode(r), DFMT_E_MALFORMED);
	rig_end(r);
}

/* Behind a dump that was written there is none; behind a refusal there is. */
static void
test_when(void **state)
{
	struct rig *r = rig_make();
	struct dfmt_writer_facts facts = wfix_facts(&r->f);

	(void)state;
	assert_int_equal(dfmt_writer_run(r->w, &facts, r->f.device_len),
		DFMT_W_COMPLETE);
	assert_false(rig_send(r));
	assert_int_equal(r->len, 0);
	rig_end(r);

	r = rig_make();
	facts = wfix_facts(&r->f);
	memset(r->f.device, 0, DFMT_LABEL_LEN);
	memset(r->f.device + r->f.device_len - DFMT_LABEL_LEN, 0,
		DFMT_LABEL_LEN);
	assert_int_equal(dfmt_writer_run(r->w, &facts, r->f.device_len),
		DFMT_W_NO_LABEL);
	assert_true(rig_send(r));
	assert_int_equal(decode(r), DFMT_OK);
	rig_end(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_among_others),
		cmocka_unit_test(test_lost_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_wrong_whole),
		cmocka_unit_test(test_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
