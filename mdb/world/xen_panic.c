/* SPDX-License-Identifier: MIT */
/*
 * Did the hypervisor panic, where, and what did it say?
 *
 * panic() prints between two lines of asterisks "Panic on CPU n:" and its
 * message (xen/drivers/char/console.c of 4.14 to 4.20), which the console's
 * ring keeps.  Where the ring is not known, the stack is looked at: a CPU that
 * is in panic() has a return address into it.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/buf.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RING (64u << 20)
#define MAX_TAIL (64u << 10) /* a panic is looked for in that much */
#define MAX_MESSAGE 1024u

bool
mdb_xen_variable(struct mdb_ctx *cx, struct mdb_xen *xen, const char *name,
	mdb_addr_t *addr_out)
{
	mdb_addr_t stated = mdb_xen_info_symbol(xen, name);
	struct mdb_sym sym;

	if (stated != 0) {
		*addr_out = stated;
		return true;
	}
	if (mdb_xensyms_ops.by_name(cx, xen->object, name, &sym) != MDB_OK) {
		mdb_forget(cx);
		return false;
	}
	*addr_out = sym.value;
	return true;
}

bool
mdb_xen_number(struct mdb_ctx *cx, struct mdb_xen *xen, const char *name,
	size_t size, uint64_t *value_out)
{
	mdb_addr_t addr;
	uint8_t b[8];

	if (size > sizeof(b) || !mdb_xen_variable(cx, xen, name, &addr) ||
		mdb_space_try(xen->world->space, addr, b, size) != MDB_OK)
		return false;
	*value_out = mdb_le(b, size);
	return true;
}

/* ---- the console ---------------------------------------------------------
 */

/* The end of the console's ring as one text, which the caller frees; NULL. */
static char *
console_tail(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	uint64_t ring, len, head;
	uint32_t want;
	char *text;

	if (!mdb_xen_number(cx, xen, "conring", 8, &ring) ||
		!mdb_xen_number(cx, xen, "conring_size", 4, &len) ||
		!mdb_xen_number(cx, xen, "conringp", 4, &head) || len == 0 ||
		len > MAX_RING || (len & (len - 1)) != 0)
		return NULL;
	want = len < MAX_TAIL ? (uint32_t)len : MAX_TAIL;
	if (head < want) /* also just after it went round at 2^32: too little */
		want = (uint32_t)head;
	text = mdb_xalloc(want + 1u);
	for (uint32_t done = 0; done < want;) {
		uint64_t at = (uint32_t)(head - want + done) & (len - 1);
		uint64_t n = want - done < len - at ? want - done : len - at;

		if (mdb_space_try(xen->world->space, ring + at, text + done,
			    n) != MDB_OK)
			memset(text + done, '?', n);
		done += (uint32_t)n;
	}
	for (uint32_t i = 0; i < want; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	return text;
}

/* Past "(XEN) " and "(XEN) [time] " of a line of the console. */
static const char *
skip_prefix(const char *line)
{
	const char *at = line;

	if (strncmp(at, "(XEN) ", 6) != 0)
		return line;
	at += 6;
	if (*at == '[') {
		const char *close = strstr(at, "] ");
		const char *end = strchr(at, '\n');

		if (close != NULL && (end == NULL || close < end))
			at = close + 2;
	}
	return at;
}

/* The lines from `at` to one of asterisks, joined by "; ". */
static char *
lines_join(const char *at)
{
	struct mdb_buf out = { 0 };

	while (*at != '\0' && out.len < MAX_MESSAGE) {
		const char *line = skip_prefix(at);
		size_t len = strcspn(line, "\n");

		if (strncmp(line, "****", 4) == 0)
			break;
		if (len != 0 && out.len != 0)
			mdb_buf_add(&out, "; ", 2);
		mdb_buf_add(&out, line, len < MAX_MESSAGE ? len : MAX_MESSAGE);
		at = line + len + (line[len] == '\n' ? 1 : 0);
	}
	return mdb_buf_steal(&out);
}

static const char *
last_of(const char *text, const char *what)
{
	const char *found = NULL;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		found = p;
	return found;
}

/*
 * The panic of the CPU that the dump itself names: another may have followed
 * while its memory was written.
 */
static const char *
named_of(struct mdb_xen *xen, const char *text)
{
	const struct dfmt *d = mdb_memory_dump(xen->world->target->memory);
	char head[40];

	for (size_t i = 0; d != NULL && i < dfmt_nr_cpus(d); i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		if (!cpu.has_native || !cpu.panicked)
			continue;
		(void)snprintf(head, sizeof(head), "Panic on CPU %" PRIu32 ":",
			cpu.id);
		return last_of(text, head);
	}
	return NULL;
}

static void
console_ask(struct mdb_ctx *cx, struct mdb_xen *xen, int *cpu_out)
{
	static const char head[] = "Panic on CPU ";
	MDB_AUTO_FREE char *text = console_tail(cx, xen);
	const char *at = text != NULL ? named_of(xen, text) : NULL;
	char *end;
	unsigned long cpu;

	if (at == NULL && text != NULL)
		at = last_of(text, head);
	if (at == NULL)
		return;
	cpu = strtoul(at + strlen(head), &end, 10);
	if (end == at + strlen(head) || *end != ':' || cpu >= MDB_XEN_MAX_CPUS)
		return;
	*cpu_out = (int)cpu;
	end += strcspn(end, "\n");
	xen->panic_message = lines_join(*end == '\n' ? end + 1 : end);
}

/* ---- the stacks ----------------------------------------------------------
 */

/* Is there a return address into panic() on the stack that the CPU is on? */
static bool
is_in_panic(struct mdb_ctx *cx, struct mdb_xen *xen, int cpu,
	const struct mdb_sym *panic)
{
	struct mdb_stack_range range;
	struct mdb_regs regs;
	uint8_t b[0x2000];
	size_t len;

	if (mdb_xen_cpu_regs(cx, xen->world, cpu, &regs) != MDB_OK ||
		mdb_xen_stack_range(cx, xen->world, regs.r[MDB_R_SP], &range) !=
			MDB_OK) {
		mdb_forget(cx);
		return false;
	}
	range.low = regs.r[MDB_R_SP] & ~7ull;
	len = range.high - range.low;
	if (len > sizeof(b) ||
		mdb_space_try(xen->world->space, range.low, b, len) != MDB_OK)
		return false;
	for (size_t at = 0; at + 8 <= len; at += 8) {
		mdb_addr_t ip = mdb_le64(b + at);

		if (ip > panic->value && ip <= panic->value + panic->size)
			return true;
	}
	return false;
}

static int
stacks_ask(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	static const char *const names[] = { "panic", "panic.cold" };
	const struct mdb_xen_cpus *cpus = mdb_xen_cpus(cx, xen);

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		struct mdb_sym panic;

		if (mdb_xensyms_ops.by_name(cx, xen->object, names[n],
			    &panic) != MDB_OK)
			continue;
		for (size_t i = 0; i < cpus->nr; i++)
			if (is_in_panic(cx, xen, (int)cpus->list[i].id, &panic))
				return (int)cpus->list[i].id;
	}
	mdb_forget(cx);
	return -1;
}

static void
panic_find(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	struct mdb_xen_cpus *cpus = mdb_xen_cpus(cx, xen);

	if (cpus->panic_tried)
		return;
	cpus->panic_tried = true;
	console_ask(cx, xen, &cpus->panic_cpu);
	if (cpus->panic_cpu < 0)
		cpus->panic_cpu = stacks_ask(cx, xen);
}

int
mdb_xen_panic_cpu(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_xen *xen = mdb_xen_of(world);

	panic_find(cx, xen);
	return xen->cpus->panic_cpu;
}

int
mdb_xen_writer_cpu(const struct mdb_world *world)
{
	const struct dfmt *d = mdb_memory_dump(world->target->memory);

	if (world->kind != MDB_WORLD_XEN || d == NULL)
		return -1;
	for (size_t i = 0; i < dfmt_nr_cpus(d); i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		if (cpu.has_native && cpu.panicked && cpu.id < MDB_XEN_MAX_CPUS)
			return (int)cpu.id;
	}
	return -1;
}

const char *
mdb_xen_panic_message(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	panic_find(cx, xen);
	return xen->panic_message;
}
