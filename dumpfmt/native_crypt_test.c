/* SPDX-License-Identifier: MIT */
/*
 * Encrypted dumps, written and read: nothing of them is known without the key,
 * all of it with the key, and nothing that somebody has changed.
 */
#include "dfmt-crypt.h"
#include "dfmt-reader.h"
#include "writer_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#ifdef MDB_TINY
#define SPARSE 23 /* of the calls and places tried */
#else
#define SPARSE 3
#endif
#define PLACES 24576u /* from one that the device refuses to the next */
#define NR_FRAMES 300u
#define RANGE (3u << 20)
#define MARGIN 65536u

/* ---- what was sealed ---------------------------------------------------- */

/* One nonce, and what it was used for. */
struct message {
	uint8_t nonce[DFMT_NONCE_LEN];
	uint8_t hash[32]; /* of aad and plaintext */
	bool again;
};

#define MAX_MESSAGES 4096u
static struct {
	struct message all[MAX_MESSAGES];
	size_t nr;
} seen;

static void
record(const uint8_t *nonce, const void *aad, size_t aad_len, const void *data,
	size_t len)
{
	struct message *m = &seen.all[seen.nr++];
	uint8_t *both = malloc(aad_len + len + 1);

	assert_true(seen.nr < MAX_MESSAGES);
	assert_non_null(both);
	memcpy(both, aad, aad_len);
	if (len)
		memcpy(both + aad_len, data, len);
	dfmt_crypt_hash(both, aad_len + len, m->hash);
	memcpy(m->nonce, nonce, sizeof(m->nonce));
	free(both);
	for (size_t i = 0; i + 1 < seen.nr; i++)
		assert_memory_not_equal(seen.all[i].nonce, nonce,
			DFMT_NONCE_LEN);
}

static void
seal_recorded(const uint8_t *key, const uint8_t *nonce, const void *aad,
	size_t aad_len, void *data, size_t len, uint8_t *tag)
{
	record(nonce, aad, aad_len, data, len);
	dfmt_crypt_seal(key, nonce, aad, aad_len, data, len, tag);
}

/* ---- a dump ------------------------------------------------------------- */

struct dump {
	struct wfix f;
	struct dfmt_writer_config config;
	struct dfmt_writer_cipher cipher;
	struct dfmt_writer_result result;
	uint8_t secret[DFMT_KEY_LEN];
	bool died;
};

static void
dump_init(struct dump *d)
{
	uint8_t mine[DFMT_KEY_LEN], theirs[DFMT_KEY_LEN], own[DFMT_KEY_LEN];

	memset(d, 0, sizeof(*d));
	wfix_init(&d->f, NR_FRAMES, RANGE + MARGIN);
	wfix_label(&d->f, RANGE);
	memset(d->secret, 0x5e, sizeof(d->secret));
	memset(own, 0xe9, sizeof(own));
	dfmt_crypt_public(d->secret, theirs);
	dfmt_crypt_public(own, mine);
	assert_true(dfmt_crypt_agree(own, theirs, mine, theirs, d->cipher.key));
	d->cipher.seal = seal_recorded;
	d->cipher.keys.scheme = DFMT_KEYS_X25519;
	memcpy(d->cipher.keys.ephemeral, mine, sizeof(mine));
	dfmt_crypt_key_id(theirs, d->cipher.keys.recipient);
	d->config = wfix_config(&d->f);
	d->config.cipher = &d->cipher;
	seen.nr = 0;
}

static void
dump_write(struct dump *d)
{
	struct dfmt_writer_facts facts = wfix_facts(&d->f);
	size_t len = dfmt_writer_memory(&d->config);
	void *memory = aligned_alloc(4096, len);

	assert_non_null(memory);
	struct dfmt_writer *w = dfmt_writer_init(&d->config, memory, len);
	assert_non_null(w);
	if (setjmp(d->f.panic) == 0) {
		(void)dfmt_writer_run(w, &facts, d->f.device_len);
	} else {
		d->f.panic_at = 0;
		d->died = true;
		(void)dfmt_writer_reenter(w, "it died");
	}
	d->result = *dfmt_writer_result_get(w);
	free(memory);
	assert_false(d->f.outside);
	assert_false(d->f.changed);
}

static enum dfmt_status
dump_open(const struct dump *d, const uint8_t *secret, struct dfmt **out,
	struct dfmt_err *err)
{
	const struct dfmt_options opt = { .cache_bytes = 1u << 18,
		.key = secret };

	return dfmt_open_memory(d->f.device, d->f.range_end, &opt, out, err);
}

/* How many frames can be read, all of them right. */
static size_t
check_frames(const struct dfmt *d, const struct wfix *f)
{
	uint8_t got[WFIX_FRAME], want[WFIX_FRAME];
	size_t nr = 0;

	for (uint64_t pfn = 0; pfn < f->nr_frames + 70; pfn++) {
		if (dfmt_read(d, pfn * WFIX_FRAME, got, sizeof(got), NULL) !=
			DFMT_OK)
			continue;
		wfix_content(f->seed, pfn, want);
		assert_memory_equal(got, want, sizeof(want));
		nr++;
	}
	return nr;
}

/* What can be read with the key; the dump opens, whatever became of it. */
static size_t
readable(const struct dump *d)
{
	struct dfmt *dump;
	size_t nr;

	assert_int_equal(dump_open(d, d->secret, &dump, NULL), DFMT_OK);
	nr = check_frames(dump, &d->f);
	dfmt_close(dump);
	return nr;
}

static bool
holds(const struct dump *d, const void *bytes, size_t len)
{
	return memmem(d->f.device, d->f.device_len, bytes, len) != NULL;
}

/* ---- segments of a dump ------------------------------------------------- */

/* Calls fn for the header of each segment, in order. */
static void
each_segment(struct dump *d, void (*fn)(struct dump *d, uint8_t *h))
{
	uint8_t *at = d->f.device + d->result.dump_start;
	uint8_t *end = at + d->result.dump_len;

	while (at < end && memcmp(at, DFMT_SEG_MAGIC, 8) == 0) {
		uint64_t total;

		memcpy(&total, at + 48, sizeof(total));
		fn(d, at);
		at += total;
	}
}

static void
header_fix(uint8_t *h)
{
	struct dfmt_crc crc;
	struct dfmt_fmt_seg s;

	dfmt_crc_init(&crc, false);
	memcpy(&s, h, sizeof(s));
	s.payload_crc = dfmt_crc32c(&crc, h + sizeof(s), s.crc_len);
	s.header_crc = dfmt_crc32c(&crc, &s, 124);
	memcpy(h, &s, sizeof(s));
}

/* ---- tests -------------------------------------------------------------- */

static void
check_facts(const struct dfmt *d)
{
	const struct dfmt_native *n = dfmt_native_get(d);
	const void *p;
	size_t len;

	assert_true(n->encrypted && !n->locked && n->has_end && n->indexed);
	assert_null(n->missing);
	assert_string_equal(n->reason, "Domain 0 crashed");
	assert_string_equal(n->console, "the console's last words\n");
	assert_int_equal(n->panic_cpu, 1);
	assert_int_equal(dfmt_nr_cpus(d), 2);
	assert_int_equal(dfmt_nr_frames(d), 2);
	assert_string_equal(dfmt_version_at(d, 0), "xpv=3.0.4-1-sun");
	assert_int_equal(
		dfmt_object_blob(d, 0, DFMT_BLOB_STRTAB, &p, &len, NULL),
		DFMT_OK);
	assert_memory_equal(p, "names\0of\0things", 16);
}

static void
test_with_key(void **state)
{
	struct dump d;
	struct dfmt *dump;

	(void)state;
	dump_init(&d);
	dump_write(&d);
	assert_int_equal(d.result.status, DFMT_W_COMPLETE);
	assert_int_equal(dump_open(&d, d.secret, &dump, NULL), DFMT_OK);
	check_facts(dump);
	assert_int_equal(check_frames(dump, &d.f), NR_FRAMES);
	dfmt_close(dump);
	wfix_fini(&d.f);
}

/* The device's bytes say nothing but the clear part. */
static void
test_nothing_in_clear(void **state)
{
	uint8_t frame[WFIX_FRAME];
	struct dump d;

	(void)state;
	dump_init(&d);
	dump_write(&d);
	assert_false(holds(&d, "Domain 0 crashed", 16));
	assert_false(holds(&d, "last words", 10));
	assert_false(holds(&d, "dom0_shutdown", 13));
	assert_false(holds(&d, "of\0things", 9));
	assert_true(holds(&d, "xpv=3.0.4-1-sun", 15));
	assert_false(holds(&d, d.cipher.key, sizeof(d.cipher.key)));
	for (uint64_t pfn = 2; pfn < NR_FRAMES; pfn += 8) {
		if (!wfix_is_memory(&d.f, pfn))
			continue;
		wfix_content(d.f.seed, pfn, frame);
		for (size_t i = 0; i < WFIX_FRAME; i += 512)
			assert_false(holds(&d, frame + i, 16));
	}
	wfix_fini(&d.f);
}

static void
test_without_key(void **state)
{
	const struct dfmt_native *n;
	struct dfmt_coverage cov;
	struct dfmt_err err = { 0 };
	struct dfmt *dump;
	struct dump d;
	uint64_t start, end;
	char byte;

	(void)state;
	dump_init(&d);
	dump_write(&d);
	assert_int_equal(dump_open(&d, NULL, &dump, NULL), DFMT_OK);
	n = dfmt_native_get(dump);
	assert_true(n->encrypted && n->locked && n->has_keys && n->has_end);
	assert_memory_equal(n->key_id, d.cipher.keys.recipient, 8);
	assert_int_equal(n->time_sec, 1175000000);
	assert_non_null(strstr(n->missing, "encrypted to key "));
	assert_null(n->reason);
	assert_null(n->console);
	assert_int_equal(n->panic_cpu, UINT32_MAX);
	assert_int_equal(dfmt_nr_versions(dump), 1);
	assert_int_equal(dfmt_nr_cpus(dump), 0);
	assert_int_equal(dfmt_nr_worlds(dump), 0);
	for (uint64_t pfn = 0; pfn < NR_FRAMES; pfn++) {
		assert_int_equal(
			dfmt_read(dump, pfn * WFIX_FRAME, &byte, 1, &err),
			DFMT_E_UNSUPPORTED);
		assert_non_null(strstr(err.what, "encrypted"));
	}
	assert_int_not_equal(dfmt_next_range(dump, 0, &start, &end, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_coverage_get(dump, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 0);
	assert_false(cov.counted);
	dfmt_close(dump);
	wfix_fini(&d.f);
}

static void
test_wrong_key(void **state)
{
	uint8_t other[DFMT_KEY_LEN] = { 1, 2, 3 };
	struct dfmt_err err = { 0 };
	struct dfmt *dump;
	struct dump d;

	(void)state;
	dump_init(&d);
	dump_write(&d);
	assert_int_equal(dump_open(&d, other, &dump, &err), DFMT_E_UNSUPPORTED);
	assert_non_null(strstr(err.what, "another key"));
	assert_int_equal(strlen(err.detail), strlen("to ; given is ") + 32);
	wfix_fini(&d.f);
}

/* ---- tampering ---------------------------------------------------------- */

static size_t nr_tampered;

/* Changes one bit of the segment, checksums mended, and reads all there is. */
static void
flip_and_read(struct dump *d, uint8_t *h, size_t at)
{
	uint8_t keep[DFMT_SEG_HEADER_LEN];
	struct dfmt *dump;
	size_t nr;

	memcpy(keep, h, sizeof(keep));
	h[at] ^= 0x10;
	header_fix(h);
	assert_int_equal(dump_open(d, d->secret, &dump, NULL), DFMT_OK);
	nr = check_frames(dump, &d->f);
	/* Nothing that was changed is shown. */
	const struct dfmt_native *n = dfmt_native_get(dump);

	if (n->reason)
		assert_string_equal(n->reason, "Domain 0 crashed");
	for (size_t i = 0; i < dfmt_nr_cpus(dump); i++)
		assert_true(dfmt_cpu_at(dump, i).rip == 0x1000 ||
			    dfmt_cpu_at(dump, i).rip == 0xff13b83f);
	if (h[12] == DFMT_SEG_PAGES)
		assert_true(nr < NR_FRAMES);
	if (h[12] == DFMT_SEG_TRIAGE)
		assert_non_null(n->missing);
	dfmt_close(dump);
	h[at] ^= 0x10;
	memcpy(h, keep, sizeof(keep));
	nr_tampered++;
}

static void
tamper(struct dump *d, uint8_t *h)
{
	uint64_t len;

	memcpy(&len, h + 56, sizeof(len));
	flip_and_read(d, h, sizeof(struct dfmt_fmt_seg));
	flip_and_read(d, h, sizeof(struct dfmt_fmt_seg) + len / 2);
	flip_and_read(d, h, sizeof(struct dfmt_fmt_seg) + len - 1);
	flip_and_read(d, h, 88);  /* the tag */
	flip_and_read(d, h, 104); /* the nonce */
	flip_and_read(d, h, 112); /* how much is clear */
}

/* Whoever changes a bit may mend all the checksums: the tag tells. */
static void
test_tampered(void **state)
{
	struct dump d;

	(void)state;
	dump_init(&d);
	dump_write(&d);
	nr_tampered = 0;
	each_segment(&d, tamper);
	assert_true(nr_tampered > 60);
	assert_int_equal(readable(&d), NR_FRAMES);
	wfix_fini(&d.f);
}

static void
strip_flag(struct dump *d, uint8_t *h)
{
	uint8_t keep[DFMT_SEG_HEADER_LEN];

	if (h[12] != DFMT_SEG_PAGES)
		return;
	memcpy(keep, h, sizeof(keep));
	h[82] &= (uint8_t)~DFMT_SEG_ENCRYPTED;
	header_fix(h);
	assert_true(readable(d) < NR_FRAMES);
	memcpy(h, keep, sizeof(keep));
	nr_tampered++;
}

/* A segment in clear has no place in an encrypted dump. */
static void
test_clear_segment(void **state)
{
	struct dump d;

	(void)state;
	dump_init(&d);
	dump_write(&d);
	nr_tampered = 0;
	each_segment(&d, strip_flag);
	assert_true(nr_tampered > 3);
	wfix_fini(&d.f);
}

/* A file whose first segment is gone: the next one has the keys. */
static void
test_first_lost(void **state)
{
	const struct dfmt_options opt = { .key = (const uint8_t *)"" };
	struct dfmt_options with = opt;
	struct dfmt *dump;
	struct dump d;
	uint8_t *file;

	(void)state;
	dump_init(&d);
	dump_write(&d);
	file = d.f.device + d.result.dump_start;
	file[20] ^= 1;
	with.key = d.secret;
	assert_int_equal(
		dfmt_open_memory(file, d.result.dump_len, &with, &dump, NULL),
		DFMT_OK);
	assert_true(dfmt_native_get(dump)->encrypted);
	assert_int_equal(check_frames(dump, &d.f), NR_FRAMES);
	dfmt_close(dump);
	/* And that one too: then nobody can read it. */
	file[DFMT_TRIAGE_LEN + 130] ^= 1;
	assert_int_equal(
		dfmt_open_memory(file, d.result.dump_len, &with, &dump, NULL),
		DFMT_OK);
	assert_true(dfmt_native_get(dump)->locked);
	assert_int_equal(check_frames(dump, &d.f), 0);
	dfmt_close(dump);
	wfix_fini(&d.f);
}

/* Cut anywhere: what is whole before the cut is read, and no more. */
static void
test_cut(void **state)
{
	struct dump d;
	size_t last = 0;

	(void)state;
	dump_init(&d);
	dump_write(&d);
	for (uint64_t len = DFMT_TRIAGE_LEN; len < d.result.dump_len;
		len += 4096 * SPARSE) {
		const struct dfmt_options opt = { .key = d.secret };
		struct dfmt *dump;
		size_t nr;

		assert_int_equal(
			dfmt_open_memory(d.f.device + d.result.dump_start, len,
				&opt, &dump, NULL),
			DFMT_OK);
		nr = check_frames(dump, &d.f);
		assert_true(nr >= last && nr <= NR_FRAMES);
		last = nr;
		dfmt_close(dump);
	}
	assert_true(last > NR_FRAMES / 2);
	wfix_fini(&d.f);
}

/* ---- nonces ------------------------------------------------------------- */

/* How many callbacks a whole run makes. */
static unsigned long
nr_calls(void)
{
	struct dump d;
	unsigned long n;

	dump_init(&d);
	dump_write(&d);
	n = d.f.nr_calls;
	wfix_fini(&d.f);
	return n;
}

/*
 * A second panic at any callback, also while the device refuses some places:
 * record() sees to it that no nonce comes twice; what is read is right.
 */
static void
test_nonces_after_panic(void **state)
{
	unsigned long n = nr_calls(), tried = 0;

	(void)state;
	for (unsigned long at = 1; at <= n; at += SPARSE) {
		struct dump d;

		dump_init(&d);
		if (at / SPARSE % 2)
			d.config.ops = &wfix_ops_two_steps;
		d.f.panic_at = at;
		d.f.bad_first = 100000 + at * 97 % 200000;
		d.f.bad_end = d.f.bad_first + (at % 3) * 4096;
		dump_write(&d);
		if (d.died && d.result.dump_len)
			(void)readable(&d);
		tried += d.died;
		wfix_fini(&d.f);
	}
	assert_true(tried * SPARSE > n / 2);
}

/* A device that refuses one call, or places: the same bytes go further on. */
static void
test_nonces_under_faults(void **state)
{
	unsigned long n = nr_calls();
	size_t skipped = 0;

	(void)state;
	for (unsigned long at = 1; at <= n; at += SPARSE) {
		struct dump d;

		dump_init(&d);
		if (at / SPARSE % 2)
			d.config.ops = &wfix_ops_two_steps;
		d.f.fail_at = at;
		dump_write(&d);
		if (d.result.status < DFMT_W_CONFIG)
			(void)readable(&d);
		wfix_fini(&d.f);
	}
	for (uint64_t bad = DFMT_LABEL_LEN; bad < RANGE; bad += PLACES) {
		struct dump d;

		dump_init(&d);
		if (bad / PLACES % 2)
			d.config.ops = &wfix_ops_two_steps;
		d.f.bad_first = bad;
		d.f.bad_end = bad + 512;
		dump_write(&d);
		skipped += d.result.nr_skipped;
		if (d.result.status == DFMT_W_COMPLETE)
			assert_int_equal(readable(&d), NR_FRAMES);
		wfix_fini(&d.f);
	}
	assert_true(skipped > 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_key),
		cmocka_unit_test(test_nothing_in_clear),
		cmocka_unit_test(test_without_key),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_clear_segment),
		cmocka_unit_test(test_first_lost),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_nonces_after_panic),
		cmocka_unit_test(test_nonces_under_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
