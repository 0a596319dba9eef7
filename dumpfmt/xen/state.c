/* SPDX-License-Identifier: MIT */
/*
 * What dom0 sees: /xdump in Xen's hypfs, one text for each thing (dumpadm
 * status reads it, xenhypfs too), and one entry that it writes: vmcoreinfo.
 * Callbacks run in hypercalls; nothing here is of use at the panic.
 */
#include "xdump-impl.h"

#include "dfmt-linux.h"

#include <xen/errno.h>
#include <xen/guest_access.h>
#include <xen/hypfs.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/spinlock.h>
#include <xen/string.h>

#define VERSION "1"

static const char *__initdata off_why =
	"the command line does not switch it on";
/* Whoever tries dom0's page structures, or sets what is said of them. */
static DEFINE_SPINLOCK(lock);

void
xdump_off(const char *why)
{
	printk(XENLOG_ERR "xdump: off: %s\n", why);
	off_why = why;
}

#ifdef CONFIG_HYPFS

/* ---- texts --------------------------------------------------------------- */

enum item {
	STATE,
	DISK,
	LABEL,
	RANGE,
	CONTENT,
	MEMORY,
	ESTIMATE,
	FITS,
	WAITING,
	LAST,
	DOM0,
	CODE,
	NR_ITEMS,
};

static const char *const names[NR_ITEMS] = { "state", "disk", "label", "range",
	"content", "memory", "estimate", "fits", "waiting", "last", "dom0",
	"version" };

static struct {
	struct hypfs_entry_leaf leaf;
	char text[112];
} items[NR_ITEMS];

static HYPFS_DIR_INIT(xdump_dir, "xdump");

static void __attribute__((__format__(__printf__, 2, 3)))
item_set(enum item i, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(items[i].text, sizeof(items[i].text), format, args);
	va_end(args);
	hypfs_string_set_reference(&items[i].leaf, items[i].text);
}

static void
dom0_set(void)
{
	char said[96];
	bool fits;
	uint64_t len = xdump_estimate(&fits);

	xdump_dom0_say(said, sizeof(said));
	item_set(DOM0, "%s", said);
	if (!len)
		return;
	item_set(ESTIMATE, "%lu", len);
	item_set(FITS, "%s", fits ? "yes" : "no");
}

/* ---- vmcoreinfo ---------------------------------------------------------- */

static int
text_take(XEN_GUEST_HANDLE_PARAM(const_void) from, unsigned int len)
{
	const char *why = "its text cannot be read";

	if (!copy_from_guest(xdump_dom0_text(), from, len))
		why = xdump_dom0_register(len);
	if (why)
		printk(XENLOG_WARNING "xdump: dom0 is not registered: %s\n",
			why);
	xdump_estimate_say(!why);
	dom0_set();
	return why ? -EINVAL : 0;
}

static int
vmcoreinfo_write(struct hypfs_entry_leaf *leaf,
	XEN_GUEST_HANDLE_PARAM(const_void) from, unsigned int len)
{
	int rc;

	if (current->domain != hardware_domain)
		return -EPERM;
	if (!xdump.ready)
		return -ENODEV;
	if (len == 0 || len > DFMT_LINUX_TEXT_MAX)
		return -ENOSPC;
	spin_lock(&lock);
	rc = text_take(from, len);
	spin_unlock(&lock);
	return rc;
}

static const struct hypfs_funcs vmcoreinfo_funcs = {
	.enter = hypfs_node_enter,
	.exit = hypfs_node_exit,
	.read = hypfs_read_leaf,
	.write = vmcoreinfo_write,
	.getsize = hypfs_getsize,
	.findentry = hypfs_leaf_findentry,
};

static struct hypfs_entry_leaf vmcoreinfo = {
	.e.type = XEN_HYPFS_TYPE_BLOB,
	.e.encoding = XEN_HYPFS_ENC_PLAIN,
	.e.name = "vmcoreinfo",
	.e.max_size = DFMT_LINUX_TEXT_MAX,
	.e.funcs = &vmcoreinfo_funcs,
	.u.content = "",
};

/* ---- boot ---------------------------------------------------------------- */

static void __init
disk_set(void)
{
	const struct xdump_target *t = &xdump.target;
	const struct xdump_function *f = t->function;
	const uint8_t *u = xdump.config.uuid;

	item_set(DISK, "%s %s/%u (%s) at %04x:%02x:%02x.%u", f->driver->name,
		t->id.serial, t->id.unit, t->id.model, f->segment, f->bdf >> 8,
		f->bdf >> 3 & 31, f->bdf & 7);
	item_set(LABEL,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9],
		u[10], u[11], u[12], u[13], u[14], u[15]);
	item_set(RANGE, "%lu", t->len);
}

static void __init
content_set(void)
{
	uint32_t c = xdump.config.content;

	item_set(CONTENT, "hypervisor%s%s%s",
		c & 1u << DFMT_CLASS_USER     ? ", all of dom0"
		: c & 1u << DFMT_CLASS_KERNEL ? ", dom0"
					      : "",
		c & 1u << DFMT_CLASS_GUEST ? ", guests" : "",
		xdump.cipher.seal ? ", encrypted" : "");
	item_set(MEMORY, "%lu", (uint64_t)total_pages << PAGE_SHIFT);
}

/* What is left on the disk from before, which is running. */
void __init
xdump_state_disk(struct dfmt_disk *disk, enum dfmt_writer_status st)
{
	struct xdump_last last;
	bool waits = st == DFMT_W_UNSAVED;

	if (st != DFMT_W_COMPLETE)
		item_set(STATE, "nothing would be written: %s",
			dfmt_writer_refusal(st));
	else
		item_set(STATE, "ready%s",
			xdump.config.dry_run ? ", dry run" : "");
	disk_set();
	xdump_last_read(disk, &last);
	item_set(WAITING, "%s",
		waits || (last.found && !last.saved) ? "yes" : "no");
	if (last.found && !(waits && last.saved))
		item_set(LAST, "%s, %lu pages, %lu KiB%s", last.how,
			last.nr_frames, last.len >> 10,
			last.saved ? ", saved" : "");
	else
		item_set(LAST, "%s", waits ? "no end record" : "none");
}

static void __init
items_add(void)
{
	hypfs_add_dir(&hypfs_root, &xdump_dir, false);
	for (unsigned int i = 0; i < NR_ITEMS; i++) {
		struct hypfs_entry *e = &items[i].leaf.e;

		e->type = XEN_HYPFS_TYPE_STRING;
		e->encoding = XEN_HYPFS_ENC_PLAIN;
		e->name = names[i];
		e->funcs = &hypfs_leaf_ro_funcs;
		if (!items[i].text[0])
			item_set(i, "unknown");
		hypfs_add_leaf(&xdump_dir, &items[i].leaf, false);
	}
	hypfs_add_leaf(&xdump_dir, &vmcoreinfo, false);
}

void __init
xdump_state_init(void)
{
	item_set(CODE, "%s, code %08x", VERSION, xdump.code_crc);
	if (xdump.ready) {
		content_set();
		dom0_set();
	} else {
		item_set(STATE, "off: %s", off_why);
	}
	items_add();
}

#else

static void
dom0_set(void)
{
}

void __init
xdump_state_disk(struct dfmt_disk *disk, enum dfmt_writer_status st)
{
}

void __init
xdump_state_init(void)
{
	if (xdump.ready)
		printk("xdump: this Xen has no hypfs: dom0 cannot register and sees no state\n");
}

#endif

void
xdump_state_estimate(void)
{
	spin_lock(&lock);
	if (!xdump_dom0_is_registered()) {
		xdump_estimate_make();
		xdump_estimate_say(false);
		dom0_set();
	}
	spin_unlock(&lock);
}
