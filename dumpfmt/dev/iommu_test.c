/* SPDX-License-Identifier: MIT */
/*
 * IOMMUs off and on again: ones that work, slow ones, ones that do not answer
 * or stop doing so; every wait ends, nothing but the two bits changes.
 */
#include "iommu_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TES (1u << 31)

static void
vtd_comes_back(void **state)
{
	struct iommu_model m;
	struct dfmt_iommu u;
	uint32_t before;

	(void)state;
	iommu_model_init(&m, DFMT_IOMMU_VTD);
	u = iommu_model_unit(&m);
	before = m.regs[0x1c / 4];
	assert_true(dfmt_iommu_is_on(&u));
	assert_null(dfmt_iommu_off(&u));
	assert_false(dfmt_iommu_is_on(&u));
	assert_int_equal(m.regs[0x1c / 4], before & ~TES);
	assert_null(dfmt_iommu_restore(&u));
	assert_int_equal(m.regs[0x1c / 4], before);
	/* Once more changes nothing. */
	before = m.nr_writes;
	assert_null(dfmt_iommu_restore(&u));
	assert_int_equal(m.nr_writes, before);
	assert_int_equal(m.nr_once + m.nr_outside, 0);
}

static void
vtd_that_is_off(void **state)
{
	struct iommu_model m;
	struct dfmt_iommu u;

	(void)state;
	iommu_model_init(&m, DFMT_IOMMU_VTD);
	iommu_model_set(&m, 0x1c, 0x42000000);
	u = iommu_model_unit(&m);
	assert_null(dfmt_iommu_off(&u));
	assert_null(dfmt_iommu_restore(&u));
	assert_int_equal(m.nr_writes, 0);
}

static void
vtd_protected_memory(void **state)
{
	struct iommu_model m;
	struct dfmt_iommu u;

	(void)state;
	iommu_model_init(&m, DFMT_IOMMU_VTD);
	iommu_model_set(&m, 0x64, 0x80000001);
	u = iommu_model_unit(&m);
	assert_null(dfmt_iommu_off(&u));
	assert_int_equal(m.regs[0x64 / 4], 0);
	assert_null(dfmt_iommu_restore(&u));
	assert_int_equal(m.regs[0x64 / 4], 0x80000001);
	/* One without such regions: the register means nothing. */
	iommu_model_init(&m, DFMT_IOMMU_VTD);
	iommu_model_set(&m, 0x08, 0);
	iommu_model_set(&m, 0x64, 0x80000001);
	u = iommu_model_unit(&m);
	assert_null(dfmt_iommu_off(&u));
	assert_int_equal(m.regs[0x64 / 4], 0x80000001);
}

static void
amd_comes_back(void **state)
{
	struct iommu_model m;
	struct dfmt_iommu u;
	uint32_t before;

	(void)state;
	iommu_model_init(&m, DFMT_IOMMU_AMD);
	u = iommu_model_unit(&m);
	before = m.regs[0x18 / 4];
	assert_true(dfmt_iommu_is_on(&u));
	assert_null(dfmt_iommu_off(&u));
	assert_int_equal(m.regs[0x18 / 4], before & ~1u);
	assert_null(dfmt_iommu_restore(&u));
	assert_int_equal(m.regs[0x18 / 4], before);
	assert_int_equal(m.nr_outside, 0);
	/* One that was off stays so. */
	iommu_model_set(&m, 0x18, before & ~1u);
	before = m.nr_writes;
	assert_null(dfmt_iommu_off(&u));
	assert_null(dfmt_iommu_restore(&u));
	assert_int_equal(m.nr_writes, before);
}

/* Slow is well; deaf, gone, or gone while it is waited for is said, in time. */
static void
misbehaving(void **state)
{
	(void)state;
	for (int kind = DFMT_IOMMU_VTD; kind <= DFMT_IOMMU_AMD; kind++)
		for (int how = 0; how < 4; how++) {
			struct iommu_model m;
			struct dfmt_iommu u;
			const char *why;

			iommu_model_init(&m, (enum dfmt_iommu_kind)kind);
			u = iommu_model_unit(&m);
			m.slow_us = 500000;
			m.deaf = how == 1;
			m.gone = how == 2;
			m.gone_at = how == 3 ? 100000 : 0;
			why = dfmt_iommu_off(&u);
			assert_true((why == NULL) == (how == 0));
			assert_true(m.us < 2 * DFMT_IOMMU_WAIT_US);
			why = dfmt_iommu_restore(&u);
			assert_true((why == NULL) == (how == 0 || how == 2 ||
							    how == 1));
			assert_true(m.us < 4 * DFMT_IOMMU_WAIT_US);
		}
}

/* Registers that say anything: it ends, and stays inside the window. */
static uint32_t
noise_read(void *arg, uint32_t reg)
{
	struct iommu_model *m = arg;

	(void)iommu_model_read(m, reg);
	return (uint32_t)rand() << 16 ^ (uint32_t)rand();
}

static void
noise(void **state)
{
	(void)state;
	srand(5);
	for (int i = 0; i < 200; i++) {
		struct iommu_model m;
		struct dfmt_iommu u;
		struct dfmt_hw_ops ops;

		iommu_model_init(&m, (enum dfmt_iommu_kind)(i & 1));
		u = iommu_model_unit(&m);
		ops = *u.ops;
		ops.read32 = noise_read;
		u.ops = &ops;
		(void)dfmt_iommu_off(&u);
		(void)dfmt_iommu_restore(&u);
		assert_int_equal(m.nr_outside, 0);
		assert_true(m.us < 8 * DFMT_IOMMU_WAIT_US);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtd_comes_back),
		cmocka_unit_test(vtd_that_is_off),
		cmocka_unit_test(vtd_protected_memory),
		cmocka_unit_test(amd_comes_back),
		cmocka_unit_test(misbehaving),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
