/* SPDX-License-Identifier: MIT */
/* Boot: the command line, memory, the disk; what came of it on the console. */
#include "xdump-impl.h"

#include <xen/init.h>
#include <xen/keyhandler.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/string.h>

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

static void __init
seed_take(uint8_t *seed)
{
	uint64_t words[2] = { rdtsc(), 0 };

	for (uint32_t i = 0; i < 2; i++)
		words[i] = words[i] * 6364136223846793005ull + rdtsc() + i;
	memcpy(seed, words, sizeof(words));
}

/* What is behind the writer goes back. */
static bool __init
memory_trim(size_t used)
{
	uint32_t len = (uint32_t)ROUNDUP(used, PAGE_SIZE);

	for (uint32_t at = len; at < xdump.memory_len; at += PAGE_SIZE)
		free_xenheap_page(xdump.memory + at);
	xdump.memory_len = len;
	memset(xdump.memory + XDUMP_STACK_AT, XDUMP_STACK_FILL,
		XDUMP_NR_STACKS * STACK_SIZE);
	return true;
}

static bool __init
writer_make(void)
{
	const struct xdump_config *c = &xdump.config;
	struct dfmt_writer_config w = {
		.ops = &xdump_ops,
		.arg = &xdump.run,
		.codec = &dfmt_writer_lz4,
		.content = c->content,
		.page_shift = PAGE_SHIFT,
		.time_limit_ms = c->limit_s * 1000ull,
		.flags = DFMT_WRITER_SCOUT,
		.nr_helpers =
			min_t(uint32_t, num_online_cpus() - 1, XDUMP_HELPERS),
	};
	size_t room = XDUMP_MEMORY_MAX - XDUMP_WRITER_AT;

	if (boot_cpu_has(X86_FEATURE_SSE4_2))
		w.flags |= DFMT_WRITER_CRC32;
	if (xdump.cipher.seal)
		w.cipher = &xdump.cipher;
	if (c->dry_run)
		w.flags |= DFMT_WRITER_DRY_RUN;
	if (c->overwrite)
		w.flags |= DFMT_WRITER_OVERWRITE;
	w.nr_slots = 2 * w.nr_helpers + 1;
	memcpy(w.uuid, c->uuid, sizeof(w.uuid));
	seed_take(w.seed);
	while (w.nr_helpers && dfmt_writer_memory(&w) > room) {
		w.nr_helpers--;
		w.nr_slots = 2 * w.nr_helpers + 1;
	}
	if (dfmt_writer_memory(&w) > room)
		return false;
	room = dfmt_writer_memory(&w);
	xdump.writer =
		dfmt_writer_init(&w, xdump.memory + XDUMP_WRITER_AT, room);
	return xdump.writer != NULL && memory_trim(XDUMP_WRITER_AT + room);
}

/* false: the dump cannot be encrypted as it was asked for. */
static bool __init
cipher_make(void)
{
	const uint8_t *id = xdump.cipher.keys.recipient;
	const char *why;

	if (!xdump.config.has_key)
		return true;
	why = xdump_cipher_make(xdump.config.key, &xdump.cipher);
	if (why != NULL) {
		xdump_off(why);
		return false;
	}
	printk("xdump: encrypted to key %02x%02x%02x%02x%02x%02x%02x%02x\n",
		id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7]);
	return true;
}

/* What would come of a panic now. */
static void __init
ready_say(enum dfmt_writer_status st)
{
	const struct xdump_target *t = &xdump.target;
	const struct xdump_function *f = t->function;

	char part[24] = "";

	if (t->partition)
		snprintf(part, sizeof(part), ", partition %u", t->partition);
	printk("xdump: ready: %s %s/%u (%s) at %04x:%02x:%02x.%u%s, %lu MiB, %u KiB of memory%s\n",
		f->driver->name, t->id.serial, t->id.unit, t->id.model,
		f->segment, f->bdf >> 8, f->bdf >> 3 & 31, f->bdf & 7, part,
		t->len >> 20, xdump.memory_len >> 10,
		xdump.config.dry_run ? ", dry run" : "");
	if (st != DFMT_W_COMPLETE)
		printk(XENLOG_WARNING
			"xdump: as it is, nothing would be written: %s\n",
			dfmt_writer_refusal(st));
}

static void
key_dump(unsigned char key)
{
	printk("'%c' pressed -> dump and crash\n", key);
	panic("Dump asked for by debug key\n");
}

/* The disk is asked at boot and left as it was found: not running. */
static bool __init
target_make(enum dfmt_writer_status *st_out)
{
	struct dfmt_disk *disk = &xdump.run.disk;

	xdump_functions_find();
	if (!xdump_target_find(&xdump.target, disk, true)) {
		xdump_off(xdump.target.why);
		return false;
	}
	xdump.run.offset = xdump.target.offset;
	if (writer_make()) {
		*st_out = dfmt_writer_check(xdump.writer, xdump.target.len);
		xdump_state_disk(disk, *st_out);
		dfmt_disk_stop(disk);
		return true;
	}
	dfmt_disk_stop(disk);
	xdump_off("the writer needs more memory");
	return false;
}

static void __init
memory_free(void)
{
	for (uint32_t at = 0; at < xdump.memory_len; at += PAGE_SIZE)
		free_xenheap_page(xdump.memory + at);
}

/* Without a disk: the last resort alone. */
static bool __init
serial_make(void)
{
	if (!xdump.config.serial || !writer_make())
		return false;
	xdump_crc(&xdump.code_crc, &xdump.config_crc);
	xdump.serial_only = true;
	printk("xdump: a panic sends the triage record over the serial line, and nothing else\n");
	return true;
}

static bool __init
boot(enum dfmt_writer_status *st_out)
{
	const char *why;

	if (!xdump_config_parse(&xdump.config) || !cipher_make())
		return false;
	if (xdump.config.has_key && xdump.config.serial) {
		printk(XENLOG_WARNING
			"xdump: no triage record over the serial line: the dump is encrypted\n");
		xdump.config.serial = false;
	}
	why = xdump_iommus_find();
	if (why != NULL) {
		xdump_off(why);
		return false;
	}
	xdump.memory = alloc_xenheap_pages(XDUMP_ORDER, 0);
	if (xdump.memory == NULL) {
		xdump_off("no memory");
		return false;
	}
	xdump.memory_len = PAGE_SIZE << XDUMP_ORDER;
	dfmt_crc_init(&xdump.crc, boot_cpu_has(X86_FEATURE_SSE4_2));
	xdump_memory_init();
	if (!target_make(st_out)) {
		if (!serial_make())
			memory_free();
		return false;
	}
	xdump_crc(&xdump.code_crc, &xdump.config_crc);
	return true;
}

static int __init
xdump_init(void)
{
	enum dfmt_writer_status st;

	xdump.ready = boot(&st);
	if (xdump.ready) {
		register_keyhandler('X', key_dump, "write a dump and crash", 0);
		ready_say(st);
		xdump_estimate_init();
	}
	xdump_state_init();
	return 0;
}
__initcall(xdump_init);
