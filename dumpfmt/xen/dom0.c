/* SPDX-License-Identifier: MIT */
/*
 * dom0's kernel against its processes, its page cache and its free pages.  A
 * tool in dom0 hands over its VMCOREINFO text while all is well (state.c): it
 * is taken apart and tried then, and only the numbers in it are used at the
 * panic.  Every frame that a page table of dom0's leads to must be dom0's by
 * the frame table, and every table one that Xen has validated as such.
 */
#include "xdump-impl.h"

#include "dfmt-linux.h"

#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/string.h>

#include <asm/page.h>

#define SURELY_THE_KERNEL 50u /* per cent of frames that must be readable */

/* As an ELF note, for the dump. */
static struct {
	uint32_t name_len, desc_len, type;
	char name[12];
	char text[DFMT_LINUX_TEXT_MAX];
} note;

static struct dfmt_linux kernel;
static bool registered; /* the numbers in it are dom0's */
static uint32_t crc;	/* of what was taken at registration */
static bool usable;	/* at the panic, or while it is tried */
static const char *refused;

/* How many there are, each frame counted once: those below `counted` are. */
static struct {
	uint64_t counted, nr_kernel, nr_left, nr_unknown;
} tally;

/* ---- dom0's memory ------------------------------------------------------- */

static const struct page_info *
page_of_dom0(uint64_t frame)
{
	const struct page_info *page;

	if (!mfn_valid(_mfn(frame)))
		return NULL;
	page = mfn_to_page(_mfn(frame));
	if (hardware_domain == NULL ||
		page_get_owner(page) != hardware_domain ||
		(page->count_info & (PGC_state | PGC_broken)) !=
			PGC_state_inuse)
		return NULL;
	return page;
}

/* In use as a page table of that level; 0: of any. */
static bool
is_table(const struct page_info *page, unsigned int level)
{
	unsigned long info = page->u.inuse.type_info;
	unsigned long type = info & PGT_type_mask;

	if (!(info & PGT_count_mask))
		return false;
	return level ? type == PG_mask(1, 3) * level
		     : type >= PGT_l1_page_table && type <= PGT_l4_page_table;
}

static int
dom0_entry(void *arg, uint64_t frame, unsigned int level, unsigned int index,
	uint64_t *entry_out)
{
	const struct page_info *page = page_of_dom0(frame);

	if (page == NULL || !is_table(page, level))
		return 1;
	return !xdump_words_copy(entry_out,
		(const uint64_t *)maddr_to_virt(frame << PAGE_SHIFT) + index,
		1);
}

static int
dom0_read(void *arg, uint64_t frame, uint32_t off, void *buf, uint32_t len)
{
	if (page_of_dom0(frame) == NULL || off % 8 || len % 8 ||
		off + len > PAGE_SIZE)
		return 1;
	return !xdump_words_copy(buf,
		(const uint8_t *)maddr_to_virt(frame << PAGE_SHIFT) + off,
		len / 8);
}

/* Written by dom0, as it likes. */
static int
dom0_pfn(void *arg, uint64_t frame, uint64_t *pfn_out)
{
	if (!mfn_valid(_mfn(frame)))
		return 1;
	return !xdump_words_copy(pfn_out, &machine_to_phys_mapping[frame], 1);
}

static const struct dfmt_linux_ops ops = {
	.entry = dom0_entry,
	.read = dom0_read,
	.pfn_of = dom0_pfn,
};

/* ---- what a frame of dom0's holds ---------------------------------------- */

static int
class_known(uint64_t frame)
{
	enum dfmt_linux_kind kind = dfmt_linux_kind(&kernel, frame);
	bool is_kernel =
		kind == DFMT_LINUX_KERNEL || kind == DFMT_LINUX_UNKNOWN;

	if (frame >= tally.counted) {
		tally.counted = frame + 1;
		tally.nr_kernel += is_kernel;
		tally.nr_left += !is_kernel;
		tally.nr_unknown += kind == DFMT_LINUX_UNKNOWN;
	}
	return is_kernel ? DFMT_CLASS_KERNEL : DFMT_CLASS_USER;
}

/* What Xen shares with dom0 is the hypervisor's own. */
int
xdump_dom0_class(uint64_t frame, const struct page_info *page)
{
	if (is_table(page, 0))
		return DFMT_CLASS_PAGETABLE;
	return usable && !(page->count_info & PGC_xen_heap) ? class_known(frame)
							    : DFMT_CLASS_KERNEL;
}

/* ---- registration -------------------------------------------------------- */

static uint32_t
crc_now(void)
{
	uint32_t c = dfmt_crc32c(&xdump.crc, &kernel.info, sizeof(kernel.info));

	c = dfmt_crc32c_more(&xdump.crc, c, &kernel.root, sizeof(kernel.root));
	return dfmt_crc32c_more(&xdump.crc, c, &kernel.vmemmap,
		sizeof(kernel.vmemmap));
}

static const char *
kernel_take(size_t len)
{
	const struct vcpu *v = current;
	const char *why;

	if (!is_pv_domain(v->domain))
		return "dom0 is PVH";
	if (is_pv_32bit_domain(v->domain))
		return "dom0 is a 32-bit kernel";
	why = dfmt_linux_parse(note.text, len, &kernel.info);
	if (why)
		return why;
	kernel.ops = &ops;
	return dfmt_linux_start(&kernel,
		pagetable_get_pfn(v->arch.guest_table));
}

/* Tries it on all that there is: can most of it be told? */
static const char *
kernel_try(void)
{
	memset(&tally, 0, sizeof(tally));
	usable = true;
	xdump_estimate_make();
	usable = false;
	dfmt_linux_forget(&kernel);
	return tally.nr_unknown * 100 >= (tally.nr_kernel + tally.nr_left) *
						 SURELY_THE_KERNEL
		       ? "its page structures cannot be read"
		       : NULL;
}

const char *
xdump_dom0_register(size_t len)
{
	const char *why = kernel_take(len);

	if (!why)
		why = kernel_try();
	refused = why;
	if (why) {
		xdump_estimate_make();
		return why;
	}
	note.name_len = sizeof("VMCOREINFO");
	note.desc_len = sizeof(note.text);
	memcpy(note.name, "VMCOREINFO", sizeof("VMCOREINFO"));
	crc = crc_now();
	smp_wmb();
	registered = true;
	return NULL;
}

char *
xdump_dom0_text(void)
{
	registered = false;
	smp_wmb();
	memset(note.text, 0, sizeof(note.text));
	return note.text;
}

bool
xdump_dom0_is_registered(void)
{
	return registered;
}

int
xdump_dom0_say(char *buf, size_t len)
{
	if (registered)
		return snprintf(buf, len, "registered: Linux %s",
			kernel.info.release);
	return snprintf(buf, len, "not registered%s%s", refused ? ": " : "",
		refused ?: "");
}

/* ---- the panic ----------------------------------------------------------- */

void
xdump_dom0_begin(void)
{
	memset(&tally, 0, sizeof(tally));
	kernel.ops = &ops;
	dfmt_linux_forget(&kernel);
	usable = registered && crc == crc_now() &&
		 dfmt_linux_kind(&kernel, kernel.root) == DFMT_LINUX_KERNEL;
	if (!(xdump.config.content & 1u << DFMT_CLASS_KERNEL))
		return;
	if (usable)
		printk("xdump: dom0 is registered: of its frames the kernel's are written%s\n",
			xdump.config.content & 1u << DFMT_CLASS_USER
				? " first"
				: ", not its processes', its cache and its free ones");
	else
		printk("xdump: dom0 is %s: all of its frames are written\n",
			registered
				? "registered, but its page structures cannot be read"
				: "not registered");
}

const void *
xdump_dom0_note(size_t *len_out)
{
	*len_out = sizeof(note);
	return usable ? &note : NULL;
}

size_t
xdump_dom0_remark(void *arg, char *buf, size_t len)
{
	if (!(xdump.config.content & 1u << DFMT_CLASS_KERNEL))
		return 0;
	if (!usable)
		return snprintf(buf, len, "all of dom0, not registered");
	return snprintf(buf, len,
		"dom0 registered: %lu frames of the kernel, %lu others, %lu not classified",
		tally.nr_kernel, tally.nr_left, tally.nr_unknown);
}
