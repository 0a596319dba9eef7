/* SPDX-License-Identifier: MIT */
/* ::print and its like on a fake world whose types are built here. */
#include "mdb/dcmd/dcmd.h"
#include "mdb/mem/memory.h"
#include "mdb/shell/edit.h"
#include "mdb/shell/session.h"
#include "mdb/sym/btf_build.h"
#include "mdb/world/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TASK 0x1000 /* the first task; the second lies one page on */
#define NEXT 0x2000
#define TEXT 0x3000
#define HOLE 0x5000 /* a page that is not in the dump */

/* What no compiler makes: unnamed members that multiply, and a bad name. */
static void
make_hostile(struct btf_build *b)
{
	uint32_t below = btf_type(b, "", 5, 1, false, 8);

	btf_member(b, "leaf\033[31m", 1, 0);
	for (int depth = 0; depth < 7; depth++) {
		uint32_t id =
			btf_type(b, depth < 6 ? "" : "braid", 5, 200, false, 8);

		for (int i = 0; i < 200; i++)
			btf_member(b, i ? "" : "leaf", i ? below : 1, 0);
		below = id;
	}
}

/*
 * struct task {
 *	int pid; char comm[8]; enum state st; unsigned low:3, high:5;
 *	struct list_head { struct list_head *next, *prev; } tasks;
 *	struct task *parent; char *name;
 *	union { int x; unsigned long y; };
 *	unsigned long arr[40];
 *	enum bits f;
 * };
 */
static struct mdb_types *
make_types(struct mdb_ctx *cx)
{
	struct mdb_types *types = NULL;
	struct btf_build b;
	size_t len;

	btf_begin(&b, 0);
	uint32_t i = btf_int(&b, "int", 4, 1);
	uint32_t c = btf_int(&b, "char", 1, 0);
	uint32_t u = btf_int(&b, "unsigned int", 4, 0);
	uint32_t l = btf_int(&b, "long unsigned int", 8, 0);
	uint32_t comm = btf_array(&b, c, 8), arr = btf_array(&b, l, 40);
	uint32_t st = btf_type(&b, "state", 6, 2, false, 4);
	btf_u32(&b.types, btf_str(&b, "IDLE"));
	btf_u32(&b.types, 0);
	btf_u32(&b.types, btf_str(&b, "BUSY"));
	btf_u32(&b.types, 1);
	uint32_t bits = btf_type(&b, "bits", 6, 4, true, 4);
	for (uint32_t n = 0; n < 4; n++) {
		char name[] = { 'B', (char)('0' + n), 0 };

		btf_u32(&b.types, btf_str(&b, name));
		btf_u32(&b.types, 1u << n);
	}
	uint32_t plist = btf_type(&b, "", 2, 0, false, b.nr + 2);
	uint32_t list = btf_type(&b, "list_head", 4, 2, false, 16);
	btf_member(&b, "next", plist, 0);
	btf_member(&b, "prev", plist, 64);
	uint32_t anon = btf_type(&b, "", 5, 2, false, 8);
	btf_member(&b, "x", i, 0);
	btf_member(&b, "y", l, 0);
	uint32_t text = btf_type(&b, "", 2, 0, false, c);
	uint32_t task = btf_type(&b, "", 2, 0, false, b.nr + 2);
	btf_type(&b, "task", 4, 11, true, 392);
	btf_member(&b, "pid", i, 0);
	btf_member(&b, "comm", comm, 32);
	btf_member(&b, "st", st, 96);
	btf_member(&b, "low", u, 3u << 24 | 128);
	btf_member(&b, "high", u, 5u << 24 | 131);
	btf_member(&b, "tasks", list, 192);
	btf_member(&b, "parent", task, 320);
	btf_member(&b, "name", text, 384);
	btf_member(&b, "", anon, 448);
	btf_member(&b, "arr", arr, 512);
	btf_member(&b, "f", bits, 3072);
	make_hostile(&b);
	void *bytes = btf_end(&b, &len);
	assert_int_equal(mdb_btf_create(cx, bytes, len, NULL, 8, &types),
		MDB_OK);
	return types;
}

static void
put(struct mdb_memory *mem, uint64_t addr, uint64_t v, size_t len)
{
	mdb_fake_write(mem, addr, &v, len);
}

static void
fill(struct mdb_memory *mem)
{
	put(mem, TASK, (uint32_t)-2, 4);
	mdb_fake_write(mem, TASK + 4, "init\0xy", 8);
	put(mem, TASK + 12, 1, 4);
	put(mem, TASK + 16, 5 | 17 << 3, 4);
	put(mem, TASK + 24, NEXT + 24, 8);
	put(mem, TASK + 32, NEXT + 24, 8);
	put(mem, TASK + 40, NEXT, 8);
	put(mem, TASK + 48, TEXT, 8);
	put(mem, TASK + 56, 0x1234567890, 8);
	put(mem, TASK + 64, 7, 8);
	put(mem, TASK + 384, 5, 4);
	put(mem, NEXT, 2, 4);
	put(mem, NEXT + 24, TASK + 24, 8);
	put(mem, NEXT + 48, HOLE, 8);
	mdb_fake_write(mem, TEXT, "a \"b\"\n", 7);
	put(mem, HOLE, 0, 8);
	mdb_fake_fault(mem, HOLE, MDB_E_EXCLUDED);
}

static int
setup(void **state)
{
	struct mdb_session *s = mdb_session_create(mdb_sink_create_memory(),
		mdb_sink_create_memory(), NULL);
	struct mdb_target *target =
		mdb_target_create_memory(mdb_memory_create_fake());
	struct mdb_world *w = mdb_world_create(target, MDB_WORLD_BARE, "fake");

	fill(target->memory);
	w->arch = &mdb_arch_x86_64;
	w->space = mdb_space_create("fake", target->memory, w->arch,
		MDB_PAGING_NONE, 0);
	mdb_space_add_window(w->space, 0x1000, 0x6000, 0);
	w->objects = mdb_object_create(w, "vmlinux");
	w->objects->types = make_types(&s->cx);
	w->objects->types_tried = true;
	w->objects_loaded = true;
	mdb_target_add_world(target, w);
	mdb_session_set_target(s, target);
	mdb_registry_add_dcmds(&s->registry, "mdb", mdb_dcmds_print);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	mdb_session_destroy(*state);
	return 0;
}

static const char *
eval(struct mdb_session *s, const char *text)
{
	mdb_sink_clear(s->out);
	mdb_sink_clear(s->err);
	(void)!mdb_session_eval(s, text, strlen(text), NULL);
	if (*mdb_sink_text(s->err))
		return mdb_sink_text(s->err);
	return mdb_sink_text(s->out);
}

static void
test_print_whole_object(void **state)
{
	assert_string_equal(eval(*state, "1000::print -l 3 struct task"),
		"{\n"
		"    pid = 0xfffffffe\n"
		"    comm = [ \"init\" ]\n"
		"    st = 1 (BUSY)\n"
		"    low = 0x5\n"
		"    high = 0x11\n"
		"    tasks = {\n"
		"        next = 0x2018\n"
		"        prev = 0x2018\n"
		"    }\n"
		"    parent = 0x2000\n"
		"    name = 0x3000 \"a \\\"b\\\"\\n\"\n"
		"    {\n"
		"        x = 0x34567890\n"
		"        y = 0x1234567890\n"
		"    }\n"
		"    arr = [ 0x7, 0, 0, ... ]\n"
		"    f = 0x5 (B0|B2)\n"
		"}\n");
}

static void
test_print_members_by_expression(void **state)
{
	assert_string_equal(
		eval(*state, "1000::print -d struct task pid parent->pid "
			     "tasks.next->prev arr[0] y"),
		"pid = -2\n"
		"parent->pid = 2\n"
		"tasks.next->prev = 0\n"
		"arr[0] = 7\n"
		"y = 78187493520\n");
	assert_non_null(strstr(eval(*state, "1000::print struct task nosuch"),
		"has no member \"nosuch\""));
	assert_non_null(strstr(eval(*state, "1000::print struct task arr[28]"),
		"outside of array bounds"));
	assert_non_null(strstr(eval(*state, "1000::print struct task pid->x"),
		"is no pointer"));
}

static void
test_print_unreadable_is_named(void **state)
{
	assert_string_equal(eval(*state, "5000::print struct list_head"),
		"{\n    next = <excluded>\n    prev = <excluded>\n}\n");
	assert_string_equal(
		eval(*state, "2000::print struct task name parent->pid"),
		"name = 0x5000\n"
		"parent->pid = <through a NULL pointer>\n");
	assert_string_equal(eval(*state, "9000::print struct task comm"),
		"comm = <unmapped>\n");
}

static void
test_print_layout_without_address(void **state)
{
	assert_string_equal(eval(*state, "::print -at struct list_head"),
		"0 struct list_head {\n"
		"    0 struct list_head *next \n"
		"    8 struct list_head *prev \n"
		"}\n");
	assert_string_equal(eval(*state, "::print -th struct task low"),
		"unsigned int low :3 \n");
}

static void
test_print_holes(void **state)
{
	const char *text = eval(*state, "::print -h struct task");

	assert_non_null(strstr(text, "high \n    <<hole>> = 7 bytes\n"));
	assert_non_null(strstr(text, "f \n    <<hole>> = 4 bytes\n}"));
}

static void
test_print_immediate_and_limits(void **state)
{
	assert_string_equal(eval(*state, "41::print -i char"), "'A'\n");
	assert_string_equal(eval(*state, "1::print -i enum state"),
		"1 (BUSY)\n");
	assert_string_equal(eval(*state, "1004::print -c 2 'char [8]'"),
		"[ \"in\", ... ]\n");
	assert_string_equal(eval(*state, "1000::print -s 1 struct task tasks"),
		"tasks = {\n    next = 0x2018\n    prev = 0x2018\n}\n");
}

static void
test_print_passes_values_on(void **state)
{
	assert_string_equal(
		eval(*state,
			"1000::print struct task parent | ::print struct task "
			"pid"),
		"pid = 0x2\n");
	assert_string_equal(
		eval(*state, "1000::print struct task tasks | ::print struct "
			     "list_head next"),
		"next = 0x2018\n");
}

static void
test_sizeof_and_offsetof(void **state)
{
	assert_string_equal(eval(*state, "::sizeof struct task"),
		"sizeof (struct task) = 0x188\n");
	assert_string_equal(eval(*state, "::sizeof unsigned long"),
		"sizeof (unsigned long) = 0x8\n");
	assert_string_equal(eval(*state, "::offsetof struct task high"),
		"offsetof (struct task, high) = 0x10.3, sizeof (...->high) = "
		"5 bits\n");
	assert_string_equal(eval(*state, "::offsetof struct task tasks.prev"),
		"offsetof (struct task, tasks.prev) = 0x20, "
		"sizeof (...->tasks.prev) = 0x8\n");
}

static void
test_list_ends_at_its_start_and_reports_loops(void **state)
{
	struct mdb_session *s = *state;

	assert_string_equal(eval(s, "1000::list struct task tasks"),
		"0x1000\n0x2000\n");
	assert_string_equal(eval(s, "1000::list struct task parent"),
		"0x1000\n0x2000\n");
	put(s->target->memory, NEXT + 24, NEXT + 24, 8);
	assert_non_null(strstr(eval(s, "1000::list struct task tasks"),
		"comes back to 0x2000"));
	assert_non_null(strstr(eval(s, "1000::list struct task pid"),
		"no pointer and no list link"));
}

static void
test_array_enum_printf(void **state)
{
	assert_string_equal(eval(*state, "1000::array int 3"),
		"0x1000\n0x1004\n0x1008\n");
	assert_string_equal(eval(*state, "::enum state"),
		"      VALUE NAME\n          0 IDLE\n          1 BUSY\n");
	assert_string_equal(eval(*state, "::enum -x bits B3"),
		"   VALUE NAME\n       8 B3\n");
	assert_string_equal(
		eval(*state,
			"1000::printf \"%-6d|%s|%04x|%s|%%\\n\" struct task "
			"pid comm low st"),
		"-2    |init|0005|1 (BUSY)|%\n");
	assert_non_null(
		strstr(eval(*state, "1000::printf \"%d\" struct task pid comm"),
			"more members than conversions"));
	assert_non_null(
		strstr(eval(*state, "1000::printf \"%n\" struct task pid"),
			"unknown conversion"));
}

static void
test_print_json_is_one_object(void **state)
{
	struct mdb_session *s = *state;

	s->opts.json = true;
	assert_string_equal(eval(s, "1000::print -s 1 struct task tasks"),
		"{\"tasks\":{\"next\":\"0x2018\",\"prev\":\"0x2018\"}}\n");
	/* A pointer is its address; what it points to stands beside it. */
	assert_string_equal(eval(s, "1000::print struct task name pid"),
		"{\"name\":\"0x3000\",\"*name\":\"a \\\"b\\\"\\n\","
		"\"pid\":\"0xfffffffe\"}\n");
	assert_string_equal(eval(s, "2000::print struct task name"),
		"{\"name\":\"0x5000\"}\n");
}

static void
test_complete_bounds_what_it_looks_at(void **state)
{
	struct mdb_session *s = *state;
	size_t start;
	char **list = mdb_complete(s, "::print union braid le", &start);

	assert_non_null(list);
	assert_string_equal(list[0], "leaf");
	assert_null(list[1]); /* no escapes */
	for (size_t i = 0; list[i]; i++)
		free(list[i]);
	free(list);
}

/* VMCOREINFO states a build-id as text, which may be anything. */
static void
test_objects_escape_the_build_id(void **state)
{
	struct mdb_session *s = *state;

	mdb_registry_add_dcmds(&s->registry, "mdb", mdb_dcmds_objects);
	s->target->worlds->objects->build_id = strdup("0\033[2J");
	assert_null(strchr(eval(s, "::objects -v"), '\033'));
	assert_non_null(strstr(eval(s, "::objects -v"), "0\\x1b[2J"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_print_whole_object),
		TEST(test_print_members_by_expression),
		TEST(test_print_unreadable_is_named),
		TEST(test_print_layout_without_address),
		TEST(test_print_holes),
		TEST(test_print_immediate_and_limits),
		TEST(test_print_passes_values_on),
		TEST(test_sizeof_and_offsetof),
		TEST(test_list_ends_at_its_start_and_reports_loops),
		TEST(test_array_enum_printf),
		TEST(test_print_json_is_one_object),
		TEST(test_complete_bounds_what_it_looks_at),
		TEST(test_objects_escape_the_build_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
