/* SPDX-License-Identifier: MIT */
/* Sources over files: faults, holes, blocks counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-source.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEN (64 * 4096)

static int
temp_file(void)
{
	char path[] = "/tmp/dfmt-source-XXXXXX";
	int fd = mkstemp(path);
	uint8_t page[4096];

	assert_true(fd >= 0);
	unlink(path);
	for (int i = 0; i < LEN / 4096; i++) {
		memset(page, i + 1, sizeof(page));
		assert_int_equal(pwrite(fd, page, 4096, i * 4096), 4096);
	}
	return fd;
}

static void
test_source_counts_each_block_once(void **state)
{
	struct dfmt_source *src;
	uint8_t buf[8192];

	(void)state;
	assert_int_equal(dfmt_source_open_fd(temp_file(), false, &src, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_source_touched_bytes(src), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dfmt_source_read(src, 10, buf, 8, NULL),
			DFMT_OK);
		assert_int_equal(dfmt_source_read(src, 4090, buf, 8, NULL),
			DFMT_OK);
		assert_int_equal(dfmt_source_pass(src, 8192, buf, 8192, NULL),
			DFMT_OK);
	}
	assert_int_equal(dfmt_source_touched_bytes(src), 4 * 4096);
	dfmt_source_destroy(src);
}

struct reader {
	struct dfmt_source *src;
	atomic_bool *stop;
	atomic_size_t *nr_lost;
	size_t nr_wrong;
};

/* A byte read is right, or lost: never a zero. */
static void *
read_on(void *arg)
{
	struct reader *r = arg;
	uint8_t buf[64];

	for (uint64_t i = 0; !atomic_load(r->stop) || i < 2000; i++) {
		uint64_t off = i * 7919 % (LEN - 64);
		enum dfmt_status st =
			dfmt_source_read(r->src, off, buf, 64, NULL);

		if (st == DFMT_E_LOST) {
			atomic_fetch_add(r->nr_lost, 1);
			continue;
		}
		for (uint64_t k = 0; k < 64; k++)
			r->nr_wrong += buf[k] != (off + k) / 4096 + 1;
	}
	return NULL;
}

/* The file shrinks while four threads read it. */
static void
test_source_never_gives_zeros_of_a_shrunk_file(void **state)
{
	int fd = temp_file();
	int other = dup(fd);
	atomic_bool stop = false;
	struct dfmt_source *src;
	struct reader r[4];
	pthread_t threads[4];
	atomic_size_t nr_lost = 0;

	(void)state;
	assert_int_equal(dfmt_source_open_fd(fd, false, &src, NULL), DFMT_OK);
	for (int i = 0; i < 4; i++) {
		r[i] = (struct reader){ src, &stop, &nr_lost, 0 };
		pthread_create(&threads[i], NULL, read_on, &r[i]);
	}
	usleep(2000);
	assert_int_equal(ftruncate(other, 5 * 4096), 0);
	/* On a busy machine they may not have run yet. */
	for (int i = 0; i < 5000 && atomic_load(&nr_lost) == 0; i++)
		usleep(2000);
	atomic_store(&stop, true);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(r[i].nr_wrong, 0);
	}
	assert_true(atomic_load(&nr_lost) > 0);
	uint8_t byte;
	assert_int_equal(dfmt_source_read(src, 6 * 4096, &byte, 1, NULL),
		DFMT_E_LOST);
	assert_int_equal(dfmt_source_read(src, 4096, &byte, 1, NULL), DFMT_OK);
	assert_int_equal(byte, 2);
	dfmt_source_destroy(src);
	close(other);
}

static volatile sig_atomic_t nr_foreign;
static void *foreign_page;

static void
on_foreign(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	nr_foreign++;
	mmap(foreign_page, 4096, PROT_READ,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* A fault that is not ours goes to whoever handled SIGBUS before us. */
static void
test_source_passes_foreign_faults_on(void **state)
{
	struct sigaction sa = { .sa_sigaction = on_foreign,
		.sa_flags = SA_SIGINFO };
	int fd = temp_file();
	struct dfmt_source *src;

	(void)state;
	foreign_page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(foreign_page, MAP_FAILED);
	assert_int_equal(sigaction(SIGBUS, &sa, NULL), 0);
	assert_int_equal(dfmt_source_open_fd(dup(fd), false, &src, NULL),
		DFMT_OK);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(*(volatile uint8_t *)foreign_page, 0);
	assert_int_equal(nr_foreign, 1);
	munmap(foreign_page, 4096);
	dfmt_source_destroy(src);
	close(fd);
}

/* More files than places for guards: the rest is read with pread. */
static void
test_source_opens_more_files_than_it_can_guard(void **state)
{
	struct dfmt_source *src[300];
	int fd = temp_file();
	size_t nr_mapped = 0, len;
	uint8_t byte;

	(void)state;
	for (int i = 0; i < 300; i++) {
		assert_int_equal(
			dfmt_source_open_fd(dup(fd), false, &src[i], NULL),
			DFMT_OK);
		assert_int_equal(dfmt_source_read(src[i], 4096, &byte, 1, NULL),
			DFMT_OK);
		assert_int_equal(byte, 2);
		nr_mapped += dfmt_source_view(src[i], 0, 1, &len) != NULL;
	}
	assert_true(nr_mapped > 100 && nr_mapped < 300);
	for (int i = 0; i < 300; i++)
		dfmt_source_destroy(src[i]);
	close(fd);
}

static void
test_source_knows_holes(void **state)
{
	struct dfmt_source *src;
	int fd = temp_file();

	(void)state;
	assert_int_equal(ftruncate(fd, 1 << 24), 0);
	assert_int_equal(dfmt_source_open_fd(fd, false, &src, NULL), DFMT_OK);
	assert_int_equal(dfmt_source_hole_end(src, 0), 0);
	assert_int_equal(dfmt_source_hole_end(src, 1 << 24), 1 << 24);
	uint64_t end = dfmt_source_hole_end(src, 1 << 20);
	assert_true(end == 1 << 20 || end == 1 << 24);
	dfmt_source_destroy(src);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_counts_each_block_once),
		cmocka_unit_test(
			test_source_never_gives_zeros_of_a_shrunk_file),
		cmocka_unit_test(test_source_passes_foreign_faults_on),
		cmocka_unit_test(
			test_source_opens_more_files_than_it_can_guard),
		cmocka_unit_test(test_source_knows_holes),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
