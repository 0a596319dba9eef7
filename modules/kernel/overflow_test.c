/* SPDX-License-Identifier: MIT */
/* Which stores push, and which faults were a stack that ran over. */
#include "overflow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned int
pushes(const char *code, size_t len, size_t word)
{
	return overflow_pushes((const uint8_t *)code, len, word);
}

static void
test_overflow_knows_what_pushes(void **state)
{
	(void)state;
	assert_int_equal(pushes("\x53", 1, 4), 4);	       /* push %ebx */
	assert_int_equal(pushes("\x41\x57", 2, 8), 8);	       /* push %r15 */
	assert_int_equal(pushes("\xe8\0\0\0\0", 5, 8), 8);     /* call */
	assert_int_equal(pushes("\xff\xd0", 2, 8), 8);	       /* call *%rax */
	assert_int_equal(pushes("\x41\xff\x34\x24", 4, 8), 8); /* push (%r12) */
	assert_int_equal(pushes("\x66\x50", 2, 4), 2);	       /* push %ax */
	assert_int_equal(pushes("\x60", 1, 4), 4);	       /* pusha */
	assert_int_equal(pushes("\x0f\xa0", 2, 4), 4);	       /* push %fs */
	assert_int_equal(pushes("\xc8\x10\0\0", 4, 4), 4);     /* enter */
	assert_int_equal(pushes("\x60", 1, 8), 0);
	assert_int_equal(pushes("\x5b", 1, 4), 0);	   /* pop */
	assert_int_equal(pushes("\xff\xe0", 2, 8), 0);	   /* jmp *%rax */
	assert_int_equal(pushes("\x89\x04\x24", 3, 4), 0); /* mov */
	assert_int_equal(pushes("\x41", 1, 8), 0);
	assert_int_equal(pushes("\xff", 1, 8), 0);
	assert_int_equal(pushes("", 0, 8), 0);
}

static struct overflow_facts
goldcloth(void)
{
	return (struct overflow_facts){ .word = 4,
		.base = 0xc5a09000,
		.end = 0xc5a0b000,
		.sp = 0xc5a08fe0,
		.code = { 0x53, 0x56, 0x57 },
		.code_len = 3,
		.has_cr2 = true,
		.cr2 = 0xc5a08fd4 };
}

static struct overflow
judge(const struct overflow_facts *f)
{
	struct overflow o;

	overflow_judge(f, &o);
	return o;
}

static void
test_overflow_tells_store_from_delivery(void **state)
{
	struct overflow_facts f = goldcloth();
	struct overflow o = judge(&f);

	(void)state;
	assert_true(o.is_overflow && o.has_store && o.has_delivery);
	assert_int_equal(o.store, 0xc5a08fdc);
	assert_int_equal(f.base - o.store, 36);
	assert_int_equal(o.delivery, 0xc5a08fd4);
	assert_int_equal(f.base - o.delivery, 44);
}

/* cr2 is the store's own: the exception had another stack. */
static void
test_overflow_takes_cr2_for_the_store(void **state)
{
	struct overflow_facts f = goldcloth();

	(void)state;
	f.cr2 = 0xc5a08fdc;
	assert_true(judge(&f).has_store);
	assert_false(judge(&f).has_delivery);
	f.code[0] = 0x89; /* mov %eax,0x4(%esp) */
	f.cr2 = 0xc5a08fe4;
	assert_true(judge(&f).is_overflow);
	assert_int_equal(judge(&f).store, 0xc5a08fe4);
	assert_false(judge(&f).has_delivery);
}

/* Nothing tells the store, but cr2 lies where no instruction would store. */
static void
test_overflow_does_not_make_up_a_store(void **state)
{
	struct overflow_facts f = goldcloth();

	(void)state;
	f.code_len = 0;
	assert_true(judge(&f).is_overflow);
	assert_false(judge(&f).has_store);
	assert_true(judge(&f).has_delivery);
	f.has_cr2 = false;
	assert_true(judge(&f).is_overflow);
	assert_false(judge(&f).has_store || judge(&f).has_delivery);
}

static void
test_overflow_is_not_any_fault(void **state)
{
	struct overflow_facts f = goldcloth();

	(void)state;
	f.sp = 0xc5a0a000; /* room enough, and cr2 a NULL pointer */
	f.cr2 = 8;
	assert_false(judge(&f).is_overflow);
	f.cr2 = 0xc5a09000; /* in the stack itself */
	assert_false(judge(&f).is_overflow);
	f = goldcloth();
	f.sp = 0xd0000000; /* another stack */
	assert_false(judge(&f).is_overflow);
	f.sp = 0xc5000000;
	assert_false(judge(&f).is_overflow);
	f = goldcloth();
	f.base = 0;
	assert_false(judge(&f).is_overflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overflow_knows_what_pushes),
		cmocka_unit_test(test_overflow_tells_store_from_delivery),
		cmocka_unit_test(test_overflow_takes_cr2_for_the_store),
		cmocka_unit_test(test_overflow_does_not_make_up_a_store),
		cmocka_unit_test(test_overflow_is_not_any_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
