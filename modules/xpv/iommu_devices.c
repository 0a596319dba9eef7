/* SPDX-License-Identifier: MIT */
/*
 * The PCI devices of a domain, and what its IOMMU does with their accesses.
 *
 * A device hangs in the list of its domain and leads back to it.  What the
 * hardware does is in the unit's own table of devices (AMD I/O Virtualization
 * Technology Specification, "Device Table Entry"; xen/drivers/passthrough/amd/
 * iommu-defs.h): an entry that leads to the domain's own page tables proves
 * where both were read.
 */
#include "iommu.h"

#include "frame.h"

#include <inttypes.h>
#include <string.h>

#define MAX_UNITS 256u

/* What all devices of a domain have in common. */
struct devices {
	struct mdb_loc domain;
	uint64_t id;
	uint64_t root; /* machine address of its page tables; 0: not known */
	unsigned int count;
};

struct device {
	struct mdb_loc loc;
	uint64_t segment, bus, devfn, kind;
};

/* enum pdev_type, xen/include/xen/pci.h, 4.14 to 4.20. */
static const char *const kind_words[] = { NULL, "PCIe endpoint", "PCIe bridge",
	"PCIe to PCI bridge", "PCI to PCIe bridge", "PCI bridge", "host bridge",
	"PCI device" };

static enum mdb_status
device_read(struct mdb_ctx *cx, struct mdb_loc loc, struct device *d)
{
	static const char type[] = "struct pci_dev";
	enum mdb_status st =
		xpv_member(cx, loc, type, "seg\0sbdf.seg\0", &d->segment);

	d->loc = loc;
	if (st == MDB_OK)
		st = xpv_member(cx, loc, type, "bus\0sbdf.bus\0", &d->bus);
	if (st == MDB_OK)
		st = xpv_member(cx, loc, type, "devfn\0sbdf.devfn\0",
			&d->devfn);
	if (st == MDB_OK)
		st = xpv_member(cx, loc, type, "type\0", &d->kind);
	return st;
}

/* ---- page tables --------------------------------------------------------- */

/*
 * By the function that makes a domain ready (struct iommu_ops.init); NULL: not
 * known, or there is none.
 */
const char *
xpv_iommu_maker(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_loc ops;
	uint64_t init = 0;

	if (xpv_var_loc(cx, world, "iommu_ops", &ops) == MDB_OK &&
		xpv_member(cx, ops, "struct iommu_ops", "init\0", &init) ==
			MDB_OK &&
		init != 0)
		return mdb_sym_format(cx, mdb_at(ops, init));
	mdb_forget(cx);
	return NULL;
}

/* AMD keeps the page of the root. */
static enum mdb_status
root_of_page(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t *root_out)
{
	struct xpv_frames f = { 0 };
	uint64_t v = 0;
	enum mdb_status st = xpv_member(cx, domain, "struct domain",
		"iommu.arch.amd.root_table\0iommu.arch.root_table\0", &v);

	if (st == MDB_OK && v == 0) {
		*root_out = 0;
		return MDB_OK;
	}
	if (st == MDB_OK)
		st = xpv_frames_get(cx, domain.world, &f);
	if (st == MDB_OK && (v < f.table || (v - f.table) % f.page_len != 0 ||
				    (v - f.table) / f.page_len >= f.nr_pdx))
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"%" PRIx64 " is no struct page_info", v);
	if (st == MDB_OK)
		*root_out = xpv_mfn_of_pdx(&f, (v - f.table) / f.page_len)
			    << XPV_PAGE_SHIFT;
	return st;
}

/* The two makers' share their place: which it is, the operations say. */
enum mdb_status
xpv_iommu_root(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t *root_out)
{
	const char *maker = xpv_iommu_maker(cx, domain.world);
	enum mdb_status st;

	if (maker != NULL && strstr(maker, "amd") != NULL)
		return root_of_page(cx, domain, root_out);
	if (maker == NULL || strstr(maker, "intel") == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"whose IOMMU it is is not known");
	st = xpv_member(cx, domain, "struct domain",
		"iommu.arch.vtd.pgd_maddr\0iommu.arch.pgd_maddr\0", root_out);
	if (st == MDB_OK && *root_out % XPV_PAGE_LEN != 0)
		st = mdb_fail(cx, MDB_E_CORRUPT, "%" PRIx64 " is no page",
			*root_out);
	return st;
}

/* ---- what the unit does -------------------------------------------------- */

/* The only unit of AMD's for the segment; world NULL: none, or several. */
struct unit {
	struct mdb_loc loc;
	uint64_t segment;
	unsigned int met, fit;
};

static enum mdb_status
note_unit(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct unit *u = arg;
	uint64_t segment;
	enum mdb_status st =
		xpv_member(cx, loc, "struct amd_iommu", "seg\0", &segment);

	if (st != MDB_OK || u->met++ == MAX_UNITS)
		return st != MDB_OK ? st : MDB_DONE;
	if (segment == u->segment && u->fit++ == 0)
		u->loc = loc;
	return MDB_OK;
}

#define ENTRY_LEN 32u
#define DTE_V 1u
#define DTE_TV 2u
#define DTE_MODE(q) ((unsigned int)((q) >> 9 & 7))
#define DTE_ROOT ((uint64_t)0x000ffffffffff000)

/* The table of devices of the unit for a segment, and its length. */
static enum mdb_status
table_of(struct mdb_ctx *cx, struct mdb_world *world, uint64_t segment,
	struct mdb_loc *table_out, uint64_t *len_out)
{
	static const char type[] = "struct amd_iommu";
	struct unit u = { .segment = segment };
	struct mdb_loc head = { 0 };
	uint64_t link = 0;
	enum mdb_status st = xpv_var_loc(cx, world, "amd_iommu_head", &head);

	if (st == MDB_OK)
		st = mdb_offset_of(cx, world, type, "list\0", &link);
	if (st == MDB_OK)
		st = xpv_each_in_list(cx, head, link, note_unit, &u);
	if (st == MDB_OK && u.fit != 1)
		st = mdb_fail(cx, MDB_E_NOTFOUND, "%u units of that segment",
			u.fit);
	if (st == MDB_OK)
		st = xpv_member_ptr(cx, u.loc, type, "dev_table.buffer\0",
			table_out);
	return st == MDB_OK ? xpv_member(cx, u.loc, type,
				      "dev_table.alloc_size\0", len_out)
			    : st;
}

/* The first two words of the unit's entry for the device. */
static enum mdb_status
entry_read(struct mdb_ctx *cx, const struct device *d, uint64_t entry[2])
{
	uint64_t len = 0, at = ENTRY_LEN * (d->bus << 8 | d->devfn);
	struct mdb_loc table = { 0 };
	enum mdb_status st =
		table_of(cx, d->loc.world, d->segment, &table, &len);

	if (st == MDB_OK && at + ENTRY_LEN > len)
		st = mdb_fail(cx, MDB_E_NOTFOUND, "the table ends before it");
	table.addr += at;
	if (st == MDB_OK)
		st = mdb_read_uint(cx, table, 8, &entry[0]);
	table.addr += 8;
	return st == MDB_OK ? mdb_read_uint(cx, table, 8, &entry[1]) : st;
}

/* In words; proven_out: it leads to the domain's own tables. */
static const char *
translation(struct mdb_ctx *cx, const struct devices *all,
	const struct device *d, bool *proven_out)
{
	uint64_t e[2];

	*proven_out = false;
	if (entry_read(cx, d, e) != MDB_OK) {
		mdb_forget(cx);
		return "";
	}
	if ((e[0] & DTE_V) == 0)
		return ", the unit has no entry";
	if ((e[0] & DTE_TV) == 0)
		return ", its entry has no translation";
	if (DTE_MODE(e[0]) == 0)
		return ", untranslated";
	*proven_out = all->root != 0 && (e[0] & DTE_ROOT) == all->root;
	return mdb_tmp_printf(cx, ", %u levels at %#" PRIx64 "%s",
		DTE_MODE(e[0]), e[0] & DTE_ROOT,
		(e[1] & 0xffff) == all->id
			? ""
			: mdb_tmp_printf(cx, " as domain %u",
				  (unsigned int)(e[1] & 0xffff)));
}

/* ---- devices ------------------------------------------------------------- */

static const char *
troubles(struct mdb_ctx *cx, struct mdb_loc loc)
{
	static const struct {
		const char *names, *word;
	} flags[] = { { "quarantine\0", "quarantine" },
		{ "broken\0", "broken" } };
	const char *text = "";
	uint64_t v;

	for (size_t i = 0; i < 2; i++)
		if (xpv_member(cx, loc, "struct pci_dev", flags[i].names, &v) ==
				MDB_OK &&
			v != 0)
			text = mdb_tmp_printf(cx, "%s, %s", text,
				flags[i].word);
	if (xpv_member(cx, loc, "struct pci_dev", "fault.count\0", &v) ==
			MDB_OK &&
		v != 0)
		text = mdb_tmp_printf(cx, "%s, %" PRIu64 " faults", text, v);
	mdb_forget(cx);
	return text;
}

/* The branch begins with the first. */
static enum mdb_status
device_leaf(struct mdb_ctx *cx, struct devices *all, const struct device *d)
{
	const char *name, *text;
	bool proven;
	enum mdb_status st = MDB_OK;

	if (all->count++ == 0)
		st = mdb_tree_open(cx, NULL, "devices", MDB_BRANCH_STRUCT);
	if (st != MDB_OK)
		return st;
	name = mdb_tmp_printf(cx, "%04x:%02x:%02x.%x", (unsigned int)d->segment,
		(unsigned int)d->bus, (unsigned int)d->devfn >> 3,
		(unsigned int)d->devfn & 7);
	text = translation(cx, all, d, &proven);
	text = mdb_tmp_printf(cx, "%#" PRIx64 " (%s%s%s)", d->loc.addr,
		d->kind == 0
			? "device"
			: xpv_word(cx, kind_words,
				  sizeof(kind_words) / sizeof(kind_words[0]),
				  d->kind),
		text, troubles(cx, d->loc));
	return xpv_leaf_trusted(cx, name, text, mdb_v_text(text),
		proven ? MDB_TRUST_PROVEN
		       : xpv_member_trust(cx, d->loc.world, "struct pci_dev",
				 "devfn\0sbdf.devfn\0"));
}

static enum mdb_status
device(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct devices *all = arg;
	struct device d;
	struct mdb_loc owner;
	enum mdb_status st =
		xpv_member_ptr(cx, loc, "struct pci_dev", "domain\0", &owner);

	if (st == MDB_OK && owner.addr != all->domain.addr)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"device %" PRIx64 " does not lead back to its domain",
			loc.addr);
	if (st == MDB_OK)
		st = device_read(cx, loc, &d);
	return st == MDB_OK ? device_leaf(cx, all, &d) : st;
}

static enum mdb_status
end(struct mdb_ctx *cx, const struct devices *all, enum mdb_status st)
{
	if (st == MDB_E_INTERRUPTED)
		return st;
	if (st != MDB_OK)
		mdb_warn(cx, st, "PCI devices are left out");
	if (all->count > 0)
		return mdb_tree_close(cx);
	return xpv_leaf(cx, "devices", st == MDB_OK ? "none" : "not known",
		mdb_v_none());
}

enum mdb_status
xpv_iommu_devices(struct mdb_ctx *cx, struct mdb_loc domain)
{
	struct devices all = { .domain = domain };
	struct mdb_loc head = { 0 };
	uint64_t link = 0;
	enum mdb_status st;

	if (xpv_iommu_root(cx, domain, &all.root) != MDB_OK)
		all.root = 0;
	mdb_forget(cx);
	st = xpv_domid_of(cx, domain, &all.id);
	if (st == MDB_OK)
		st = xpv_member_loc(cx, domain, "struct domain",
			"pdev_list\0arch.pdev_list\0", &head);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, domain.world, "struct pci_dev",
			"domain_list\0", &link);
	if (st == MDB_OK)
		st = xpv_each_in_list(cx, head, link, device, &all);
	return end(cx, &all, st);
}
