/* SPDX-License-Identifier: MIT */
/*
 * vCPUs of hardware guests: their page tables and the second stage below.
 *
 * With AMD the processor's own record of the guest, the VMCB (AMD64 APM volume
 * 2, appendix B), has both.  struct vcpu points to it and has its machine
 * address in the next word (struct svm_vcpu, xen/arch/x86/include/asm/hvm/svm/
 * vmcb.h of 4.14 to 4.20), which no other words of it do; so no layout need be
 * known.  Intel's record is opaque: there the members are asked of which types
 * tell where they are.
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_world.h"

#define PAGE_LEN 4096u
#define VCPU_PAGES 2u
#define FRAME_MASK 0x000ffffffffff000ull

#define VMCB_NESTED 0x90u /* bit 0: nested paging */
#define VMCB_NCR3 0xb0u
#define VMCB_ES 0x400u /* selectors: es cs ss ds fs gs, 16 bytes each */
#define VMCB_EFER 0x4d0u
#define VMCB_CR4 0x548u
#define VMCB_CR3 0x550u
#define VMCB_CR0 0x558u
#define VMCB_RFLAGS 0x570u
#define VMCB_RIP 0x578u
#define VMCB_RSP 0x5d8u
#define VMCB_CR2 0x640u

#define EFER_SVME (1ull << 12) /* must be on for the processor to enter */
#define CR0_PG (1ull << 31)
#define CR4_LA57 (1ull << 12)

/* ---- AMD -----------------------------------------------------------------
 */

static bool
is_vmcb(const uint8_t *b)
{
	uint64_t ncr3 = mdb_le64(b + VMCB_NCR3);

	return (mdb_le64(b + VMCB_NESTED) & 1) != 0 && ncr3 != 0 &&
	       (ncr3 & ~FRAME_MASK) == 0 &&
	       (mdb_le64(b + VMCB_EFER) & EFER_SVME) != 0 &&
	       (mdb_le64(b + VMCB_RFLAGS) & 2) != 0;
}

static bool
vmcb_find(struct mdb_xen *xen, mdb_addr_t vcpu, uint8_t vmcb_out[PAGE_LEN])
{
	uint64_t before = 0;

	for (size_t page = 0; page < VCPU_PAGES; page++) {
		uint8_t b[PAGE_LEN];

		if (mdb_space_try(xen->world->space, vcpu + page * PAGE_LEN, b,
			    PAGE_LEN) != MDB_OK)
			return false;
		for (size_t at = 0; at < PAGE_LEN; at += 8) {
			uint64_t word = mdb_le64(b + at);

			if (word != 0 && word % PAGE_LEN == 0 &&
				before == MDB_XEN_DIRECTMAP + word &&
				mdb_memory_try(xen->world->target->memory, word,
					vmcb_out, PAGE_LEN) == MDB_OK &&
				is_vmcb(vmcb_out))
				return true;
			before = word;
		}
	}
	return false;
}

static bool
by_vmcb(struct mdb_xen *xen, mdb_addr_t vcpu, struct mdb_xen_hvm *hvm_out)
{
	uint8_t b[PAGE_LEN];

	if (!vmcb_find(xen, vcpu, b))
		return false;
	*hvm_out = (struct mdb_xen_hvm){ .stage = MDB_PAGING_NPT,
		.stage_root = mdb_le64(b + VMCB_NCR3),
		.cr0 = mdb_le64(b + VMCB_CR0),
		.cr2 = mdb_le64(b + VMCB_CR2),
		.cr3 = mdb_le64(b + VMCB_CR3),
		.cr4 = mdb_le64(b + VMCB_CR4),
		.has_state = true,
		.ip = mdb_le64(b + VMCB_RIP),
		.sp = mdb_le64(b + VMCB_RSP),
		.flags = mdb_le64(b + VMCB_RFLAGS) };
	for (size_t i = 0; i < 6; i++)
		hvm_out->selectors[i] = mdb_le16(b + VMCB_ES + 16 * i);
	return true;
}

/* ---- by types ------------------------------------------------------------
 */

/* A word of a member of the structure at addr. */
struct word {
	const char *type, *names;
	mdb_addr_t addr;
	size_t index;
};

static bool
member(struct mdb_ctx *cx, struct mdb_xen *xen, struct word w,
	uint64_t *value_out)
{
	uint64_t offset;
	uint8_t b[8];

	if (mdb_offset_of(cx, xen->world, w.type, w.names, &offset) != MDB_OK ||
		mdb_space_try(xen->world->space, w.addr + offset + 8 * w.index,
			b, 8) != MDB_OK) {
		mdb_forget(cx);
		return false;
	}
	*value_out = mdb_le64(b);
	return true;
}

/* Entries of nested tables that are walked have been accessed; in extended
 * ones that bit of an upper table is reserved. */
static enum mdb_paging
stage_of(struct mdb_xen *xen, mdb_paddr_t root)
{
	uint8_t b[PAGE_LEN];

	if (mdb_memory_try(xen->world->target->memory, root, b, PAGE_LEN) !=
		MDB_OK)
		return MDB_PAGING_NONE;
	for (size_t at = 0; at < PAGE_LEN; at += 8) {
		uint64_t e = mdb_le64(b + at);

		if ((e & 7) != 0)
			return e & 0x20 ? MDB_PAGING_NPT : MDB_PAGING_EPT;
	}
	return MDB_PAGING_NONE;
}

static bool
by_types(struct mdb_ctx *cx, struct mdb_xen *xen, mdb_addr_t vcpu,
	mdb_addr_t domain, struct mdb_xen_hvm *hvm_out)
{
	struct mdb_xen_hvm h = { 0 };
	const struct word table = { "struct domain", "arch.p2m\0", domain, 0 };
	struct word top = { "struct p2m_domain", "phys_table\0", 0, 0 };
	struct word cr = { "struct vcpu",
		"arch.hvm.guest_cr\0arch.hvm_vcpu.guest_cr\0", vcpu, 0 };
	uint64_t *const values[] = { &h.cr0, NULL, &h.cr2, &h.cr3, &h.cr4 };
	uint64_t root;

	if (!member(cx, xen, table, &top.addr) ||
		!member(cx, xen, top, &root) || root == 0 || root >= 1ull << 40)
		return false;
	for (; cr.index < 5; cr.index++)
		if (values[cr.index] != NULL &&
			!member(cx, xen, cr, values[cr.index]))
			return false;
	h.stage_root = root * PAGE_LEN;
	h.stage = stage_of(xen, h.stage_root);
	if (h.stage == MDB_PAGING_NONE)
		return false;
	*hvm_out = h;
	return true;
}

bool
mdb_xen_hvm_try(struct mdb_ctx *cx, struct mdb_xen *xen, mdb_addr_t vcpu,
	mdb_addr_t domain, struct mdb_xen_hvm *hvm_out)
{
	return by_vmcb(xen, vcpu, hvm_out) ||
	       by_types(cx, xen, vcpu, domain, hvm_out);
}

enum mdb_paging
mdb_xen_hvm_paging(const struct mdb_xen_hvm *hvm)
{
	if ((hvm->cr0 & CR0_PG) == 0)
		return MDB_PAGING_NONE;
	return hvm->cr4 & CR4_LA57 ? MDB_PAGING_5LEVEL : MDB_PAGING_4LEVEL;
}

void
mdb_xen_hvm_regs(const struct mdb_xen_hvm *hvm, struct mdb_regs *regs)
{
	static const enum mdb_reg order[] = { MDB_R_ES, MDB_R_CS, MDB_R_SS,
		MDB_R_DS, MDB_R_FS, MDB_R_GS };

	for (size_t i = 0; i < 6; i++) {
		regs->valid &= ~(1ull << order[i]);
		if (hvm->has_state)
			mdb_reg_set(regs, order[i], hvm->selectors[i]);
	}
	/* what the hypervisor saved there is its own business */
	regs->valid &= ~(1ull << MDB_R_TRAP | 1ull << MDB_R_ERR);
	mdb_reg_set(regs, MDB_R_CR0, hvm->cr0);
	mdb_reg_set(regs, MDB_R_CR2, hvm->cr2);
	mdb_reg_set(regs, MDB_R_CR3, hvm->cr3);
	mdb_reg_set(regs, MDB_R_CR4, hvm->cr4);
}
