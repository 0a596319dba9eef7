/* SPDX-License-Identifier: MIT */
/*
 * What a hypervisor says of itself: its version and who built it, how.
 *
 * xen/common/version.c has one function for each, which returns a constant or
 * the address of a text: the functions' symbols are always there, so the code
 * is asked.  A crash kernel's note states some of it too (crash_xen_info_t).
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 256

/* clang-format off */
static const struct {
	const char *key, *function;
	bool is_number;
	int info; /* index in crash_xen_info_t, or -1 */
} sources[] = {
	{ "major", "xen_major_version", true, 0 },
	{ "minor", "xen_minor_version", true, 1 },
	{ "extraversion", "xen_extra_version", false, 2 },
	{ "changeset", "xen_changeset", false, 3 },
	{ "compiler", "xen_compiler", false, 4 },
	{ "compile_date", "xen_compile_date", false, 5 },
	{ "compile_time", "xen_compile_time", false, 6 },
	{ "compile_by", "xen_compile_by", false, -1 },
	{ "compile_domain", "xen_compile_domain", false, -1 },
	{ "build_info", "xen_build_info", false, -1 },
	/* As Debian's hypervisors call the last two. */
	{ "compile_by", "xen_compile_system_maintainer_local", false, -1 },
	{ "compile_domain", "xen_compile_system_maintainer_domain", false, -1 },
};
/* clang-format on */

/*
 * What a function that begins at addr returns: the constant of `mov $imm,%eax`
 * or the address of `lea off(%rip),%rax`, perhaps after endbr64 and the frame
 * pointer's set-up; then it must be done: ret, or jmp to the return thunk.
 */
static bool
returned(struct mdb_space *space, mdb_addr_t addr, uint64_t *value_out)
{
	static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t frame[] = { 0x55, 0x48, 0x89, 0xe5 };
	uint8_t b[32];
	size_t at = 0;

	if (mdb_space_try(space, addr, b, sizeof(b)) != MDB_OK)
		return false;
	if (memcmp(b + at, endbr, 4) == 0)
		at += 4;
	if (memcmp(b + at, frame, 4) == 0)
		at += 4;
	if (b[at] == 0xb8) {
		*value_out = mdb_le32(b + at + 1);
		at += 5;
	} else if (b[at] == 0x48 && b[at + 1] == 0x8d && b[at + 2] == 5) {
		at += 7;
		*value_out = addr + at +
			     (uint64_t)(int64_t)(int32_t)mdb_le32(b + at - 4);
	} else {
		return false;
	}
	if (b[at] == 0x5d)
		at++;
	return b[at] == 0xc3 || b[at] == 0xe9;
}

static bool
function_says(struct mdb_ctx *cx, struct mdb_xen *xen, const char *name,
	uint64_t *value_out)
{
	struct mdb_sym sym;

	if (mdb_xensyms_ops.by_name(cx, xen->object, name, &sym) != MDB_OK ||
		sym.kind != MDB_SYM_FUNC) {
		mdb_forget(cx);
		return false;
	}
	return returned(xen->world->space, sym.value, value_out);
}

/* A text of the image: ends within MAX_TEXT and is printable. */
static char *
text_at(struct mdb_xen *xen, mdb_addr_t addr)
{
	char buf[MAX_TEXT];

	if (addr < xen->text_start || addr >= xen->image_end ||
		mdb_space_try(xen->world->space, addr, buf, sizeof(buf)) !=
			MDB_OK ||
		memchr(buf, 0, sizeof(buf)) == NULL)
		return NULL;
	for (const char *p = buf; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			return NULL;
	return mdb_xstrdup(buf);
}

static char *
fact_of(struct mdb_ctx *cx, struct mdb_xen *xen, size_t i)
{
	int info = sources[i].info;
	uint64_t value = 0;
	char number[24];

	if (!function_says(cx, xen, sources[i].function, &value)) {
		if (!xen->has_crash_info || info < 0)
			return NULL;
		value = xen->crash_info[info];
		if (!sources[i].is_number) /* a machine address of the image */
			value += xen->virt_start - xen->phys_start;
	}
	if (!sources[i].is_number)
		return text_at(xen, value);
	(void)snprintf(number, sizeof(number), "%" PRIu64, value);
	return mdb_xstrdup(number);
}

static const char *
known(const struct mdb_xen *xen, const char *key)
{
	for (size_t i = 0; i < xen->nr_facts; i++)
		if (xen->facts[i].value != NULL &&
			strcmp(xen->facts[i].key, key) == 0)
			return xen->facts[i].value;
	return NULL;
}

static void
add(struct mdb_xen *xen, const char *key, char *value)
{
	if (xen->nr_facts < MDB_XEN_MAX_FACTS)
		xen->facts[xen->nr_facts++] =
			(struct mdb_xen_fact){ key, value };
	else
		free(value);
}

static void
facts_fill(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	const char *major, *minor, *extra;
	char text[MAX_TEXT + 64];

	xen->facts_tried = true;
	/* Who knows more of data asks for these facts first. */
	mdb_xensyms_quiet(xen->symbols, true);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		add(xen, sources[i].key, fact_of(cx, xen, i));
	mdb_xensyms_quiet(xen->symbols, false);
	major = known(xen, "major");
	minor = known(xen, "minor");
	extra = known(xen, "extraversion");
	if (major == NULL || minor == NULL)
		return;
	(void)snprintf(text, sizeof(text), "%s.%s%s", major, minor,
		extra != NULL ? extra : ".?");
	add(xen, "release", mdb_xstrdup(text));
}

const char *
mdb_xen_fact(struct mdb_ctx *cx, struct mdb_world *world, const char *key)
{
	struct mdb_xen *xen = mdb_xen_of(world);

	if (strcmp(key, "build_id") == 0)
		return xen->object->build_id;
	if (strcmp(key, "sysname") == 0)
		return "Xen";
	if (strcmp(key, "machine") == 0)
		return "x86_64";
	if (strcmp(key, "page_tables") == 0)
		return mdb_space_is_damaged(world->space)
			       ? "are damaged: its text and direct map are "
				 "read by their fixed places"
			       : NULL;
	if (strcmp(key, "panic_message") == 0)
		return mdb_xen_panic_message(cx, xen);
	if (!xen->facts_tried)
		facts_fill(cx, xen);
	return known(xen, key);
}

void
mdb_xen_facts_fini(struct mdb_xen *xen)
{
	for (size_t i = 0; i < xen->nr_facts; i++)
		free(xen->facts[i].value);
	free(xen->panic_message);
}
