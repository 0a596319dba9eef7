/* SPDX-License-Identifier: MIT */
/*
 * Which disk: every unit of every controller that there is a driver for is
 * asked for its label, at boot and once more at the panic.  Exactly one may
 * have the label that the command line names; what it says of itself must then
 * be what it said at boot.
 */
#include "xdump-impl.h"

#include <xen/init.h>
#include <xen/lib.h>
#include <xen/pci.h>
#include <xen/string.h>

static struct xdump_function functions[XDUMP_FUNCTIONS];
static uint32_t nr_functions;

const struct xdump_function *
xdump_functions(uint32_t *nr_out)
{
	*nr_out = nr_functions;
	return functions;
}

static void __init
function_refuse(const struct xdump_function *f, const char *why)
{
	printk(XENLOG_INFO "xdump: not %04x:%02x:%02x.%u (%s): %s\n",
		f->segment, f->bdf >> 8, f->bdf >> 3 & 31, f->bdf & 7,
		f->driver->name, why);
}

static void __init
function_look(uint16_t segment, uint16_t bdf)
{
	struct xdump_function f = { .segment = segment, .bdf = bdf };
	struct dfmt_hw hw = xdump_hw(&f, xdump.memory);
	const char *why;

	f.vendor_device = xdump_config_read(segment, bdf, 0, 4);
	if ((f.vendor_device & 0xffff) == 0xffff)
		return;
	f.driver = dfmt_disk_driver_of(&hw);
	if (f.driver == NULL)
		return;
	why = dfmt_disk_refusal(f.driver, &hw);
	if (why != NULL) {
		function_refuse(&f, why);
		return;
	}
	if (nr_functions == XDUMP_FUNCTIONS) {
		printk(XENLOG_WARNING
			"xdump: more than %u controllers: %04x:%02x:%02x.%u is not looked at\n",
			XDUMP_FUNCTIONS, segment, bdf >> 8, bdf >> 3 & 31,
			bdf & 7);
		return;
	}
	if (xdump_function_map(&f))
		functions[nr_functions++] = f;
	else
		function_refuse(&f, "its registers cannot be mapped");
}

static bool __init
has_functions(uint16_t bdf)
{
	return xdump_config_read(0, bdf, 0x0e, 1) & 0x80;
}

void __init
xdump_functions_find(void)
{
	const struct xdump_config *c = &xdump.config;

	if (c->has_place)
		function_look(c->segment, c->bdf);
	for (uint32_t bdf = 0; bdf < 0x10000; bdf++) {
		if (xdump_config_read(0, (uint16_t)bdf, 0, 2) == 0xffff) {
			if ((bdf & 7) == 0)
				bdf |= 7;
			continue;
		}
		if (!c->has_place || c->segment || c->bdf != bdf)
			function_look(0, (uint16_t)bdf);
		if ((bdf & 7) == 0 && !has_functions((uint16_t)bdf))
			bdf |= 7;
	}
}

/* ---- one unit ------------------------------------------------------------ */

static uint8_t *
label_buffer(void)
{
	return xdump.memory + XDUMP_LABEL_AT;
}

/* Is there a label, the one that is looked for?  As the writer reads it. */
static bool
label_is(struct dfmt_disk *d, uint64_t offset, struct dfmt_fmt_label *out)
{
	if (!dfmt_disk_read(d, offset, label_buffer(), DFMT_LABEL_LEN))
		return false;
	memcpy(out, label_buffer(), sizeof(*out));
	return !memcmp(out->magic, DFMT_LABEL_MAGIC, sizeof(out->magic)) &&
	       out->crc == dfmt_crc32c(&xdump.crc, out,
				   offsetof(struct dfmt_fmt_label, crc)) &&
	       !memcmp(out->uuid, xdump.config.uuid, sizeof(out->uuid));
}

/* The controller is where it was and its registers too. */
static bool
is_there(const struct xdump_function *f, const struct dfmt_hw *hw)
{
	return xdump_config_read(f->segment, f->bdf, 0, 4) ==
		       f->vendor_device &&
	       dfmt_pci_bar(hw, f->driver->bar(hw)) == f->bar;
}

struct search {
	struct xdump_target *target;
	uint32_t nr_found;
	bool aloud; /* at boot: there is time to mend it */
};

static void
unfit_say(const struct search *s, const struct xdump_function *f,
	const struct dfmt_disk *d, uint32_t unit)
{
	if (s->aloud)
		printk(XENLOG_INFO
			"xdump: not %04x:%02x:%02x.%u (%s %s/%u): %s\n",
			f->segment, f->bdf >> 8, f->bdf >> 3 & 31, f->bdf & 7,
			f->driver->name, d->id.serial, unit, d->why);
}

/* A range of the unit that may begin with the label; number: see target. */
static void
range_look(struct dfmt_disk *d, struct xdump_function *f, struct search *s,
	const struct dfmt_gpt_part *range)
{
	static struct dfmt_fmt_label label;
	struct xdump_target *t = s->target;
	uint64_t offset = range->first << d->sector_shift;

	if (!label_is(d, offset, &label))
		return;
	if (label.sector_len % d->sector_len) {
		d->why = "its label was made for shorter sectors";
		unfit_say(s, f, d, d->id.unit);
		return;
	}
	if (s->nr_found++ > 0)
		return;
	t->function = f;
	t->id = d->id;
	t->offset = offset;
	t->len = range->nr_sectors << d->sector_shift;
	t->partition = range->number;
}

static void
unit_look(struct dfmt_disk *d, uint32_t unit, struct xdump_function *f,
	struct search *s)
{
	static struct dfmt_gpt_part parts[XDUMP_PARTS];
	struct dfmt_gpt_part whole = { 0 };
	uint32_t nr;

	if (!dfmt_disk_select(d, unit)) {
		unfit_say(s, f, d, unit);
		return;
	}
	whole.nr_sectors = d->nr_sectors;
	range_look(d, f, s, &whole);
	if (!xdump.config.partition)
		return;
	nr = xdump_partitions(d, parts);
	if (nr == 0)
		unfit_say(s, f, d, unit);
	for (uint32_t i = 0; i < nr; i++)
		range_look(d, f, s, &parts[i]);
}

static void
function_search(struct xdump_function *f, struct dfmt_disk *d, struct search *s)
{
	struct dfmt_hw hw = xdump_hw(f, xdump.memory);
	uint32_t unit = 0;

	if (!is_there(f, &hw))
		return;
	if (!dfmt_disk_start(d, f->driver, &hw)) {
		unfit_say(s, f, d, 0);
		dfmt_disk_stop(d);
		return;
	}
	for (uint32_t i = 0; i < XDUMP_UNITS; i++) {
		unit = dfmt_disk_unit_next(d, unit);
		if (unit == 0)
			break;
		unit_look(d, unit, f, s);
	}
	dfmt_disk_stop(d);
}

static bool
fail(struct xdump_target *t, const char *why)
{
	t->function = NULL;
	t->why = why;
	return false;
}

bool
xdump_target_find(struct xdump_target *t, struct dfmt_disk *d, bool aloud)
{
	struct search s = { .target = t, .aloud = aloud };
	struct dfmt_hw hw;

	memset(t, 0, sizeof(*t));
	for (uint32_t i = 0; i < nr_functions; i++)
		function_search(&functions[i], d, &s);
	if (s.nr_found == 0)
		return fail(t, "no disk has the label");
	if (s.nr_found > 1)
		return fail(t, "two disks have the same label: one is a copy");
	if (xdump.config.partition && t->partition == 0)
		return fail(t,
			"the label is a whole disk's, not a partition's");
	hw = xdump_hw(t->function, xdump.memory);
	if (!dfmt_disk_start(d, t->function->driver, &hw) ||
		!dfmt_disk_select(d, t->id.unit)) {
		dfmt_disk_stop(d);
		return fail(t, d->why);
	}
	dfmt_disk_bound(d, t->offset, t->len);
	return true;
}
