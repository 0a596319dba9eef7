/* SPDX-License-Identifier: MIT */
/*
 * Registers of a domain's vCPUs.  A vCPU that runs has those of the CPU that
 * it is on, which may be in the hypervisor on its behalf; one that gave its CPU
 * to nobody but the idler has left them on that CPU's stack; any other's are
 * saved in its struct vcpu (arch.user_regs).
 *
 * Where that is, types say; without them it is looked for: in all vCPUs of the
 * domain that ever ran there must be registers at one and the same place, those
 * that the processor's own record of the vCPU has where there is one.
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_world.h"

#include <string.h>

#define PAGE_LEN 0x1000u
#define MAX_LOOKED 64u /* vCPUs */

/* struct cpu_user_regs */
#define AT_IP 128u
#define AT_CS 136u
#define AT_FLAGS 144u
#define AT_SP 152u
#define AT_SS 160u

static bool
vcpu_addr(struct mdb_xen *xen, const struct mdb_xen_domain *d,
	unsigned int vcpu, mdb_addr_t *addr_out)
{
	uint8_t b[8];

	if (vcpu >= d->max_vcpus ||
		mdb_space_try(xen->world->space, d->vcpus + 8ul * vcpu, b, 8) !=
			MDB_OK ||
		mdb_le64(b) == 0)
		return false;
	*addr_out = mdb_le64(b);
	return true;
}

static bool
is_canonical(uint64_t addr)
{
	return addr >> 47 == 0 || addr >> 47 == 0x1ffff;
}

/* The selectors of a paravirtual guest in 64-bit mode (FLAT_KERNEL_CS64 ...,
 * xen/include/public/arch-x86/xen-x86_64.h), or of its own table. */
static bool
is_regs(const uint8_t *b)
{
	uint16_t cs = mdb_le16(b + AT_CS), ss = mdb_le16(b + AT_SS);
	uint64_t flags = mdb_le64(b + AT_FLAGS);

	return (cs & 3) == 3 && (ss & 3) == 3 && cs != ss && cs > 3 &&
	       (flags & 2) != 0 && flags >> 22 == 0 &&
	       mdb_le64(b + AT_IP) > 0xffff &&
	       is_canonical(mdb_le64(b + AT_IP)) &&
	       mdb_le64(b + AT_SP) > 0xffff &&
	       is_canonical(mdb_le64(b + AT_SP));
}

/* Are these the registers of a vCPU?  hvm: of a hardware guest's; or NULL. */
static bool
may_be_regs(const struct mdb_xen_hvm *hvm, const uint8_t *b)
{
	if (hvm == NULL)
		return is_regs(b);
	/* what it exited at is skipped: an instruction has 15 bytes at most */
	return hvm->has_state && hvm->sp != 0 &&
	       mdb_le64(b + AT_SP) == hvm->sp &&
	       mdb_le64(b + AT_FLAGS) == hvm->flags &&
	       mdb_le64(b + AT_IP) - hvm->ip <= 15;
}

/* Takes off what holds no registers in this vCPU; false: nothing does. */
static bool
offsets_narrow(struct mdb_ctx *cx, struct mdb_xen *xen,
	const struct mdb_xen_domain *d, mdb_addr_t vcpu, bool may[PAGE_LEN / 8])
{
	struct mdb_xen_hvm hvm, *is_hvm;
	bool here[PAGE_LEN / 8] = { false };
	bool any = false;
	uint8_t b[PAGE_LEN];

	if (mdb_space_try(xen->world->space, vcpu, b, PAGE_LEN) != MDB_OK)
		return false;
	is_hvm = mdb_xen_hvm_try(cx, xen, vcpu, d->addr, &hvm) ? &hvm : NULL;
	for (size_t at = 0; at + MDB_XEN_REGS_LEN <= PAGE_LEN; at += 8) {
		here[at / 8] = may_be_regs(is_hvm, b + at);
		any = any || here[at / 8];
	}
	for (size_t i = 0; any && i < PAGE_LEN / 8; i++)
		may[i] = may[i] && here[i];
	return any;
}

/* The one place that holds registers in all of them; 0: none, or several. */
static uint64_t
offset_find(struct mdb_ctx *cx, struct mdb_xen *xen,
	const struct mdb_xen_domain *d)
{
	bool may[PAGE_LEN / 8];
	bool any = false;
	uint64_t found = 0;

	memset(may, 1, sizeof(may));
	for (unsigned int i = 0; i < d->max_vcpus && i < MAX_LOOKED; i++) {
		mdb_addr_t addr;

		if (vcpu_addr(xen, d, i, &addr) &&
			offsets_narrow(cx, xen, d, addr, may))
			any = true; /* else it never ran */
	}
	for (size_t i = 0; any && i < PAGE_LEN / 8; i++) {
		if (may[i] && found != 0)
			return 0;
		found = may[i] ? 8 * i : found;
	}
	return found;
}

/*
 * By types that are known to be right; else what is seen to be registers goes
 * before types that may be another build's.
 */
static uint64_t
offset_of_regs(struct mdb_ctx *cx, struct mdb_xen *xen,
	const struct mdb_xen_domain *d)
{
	static const char path[] = "arch.user_regs\0";
	bool known = false;
	uint64_t offset, seen;
	enum mdb_trust trust;

	if (mdb_offset_of(cx, xen->world, "struct vcpu", path, &offset) ==
		MDB_OK) {
		trust = mdb_member_trust(cx, xen->world, "struct vcpu",
			"arch.user_regs");
		known = trust != MDB_TRUST_REFUTED;
		if (trust == MDB_TRUST_EXACT || trust == MDB_TRUST_PROVEN)
			return offset;
	}
	mdb_forget(cx);
	seen = offset_find(cx, xen, d);
	return seen == 0 && known ? offset : seen;
}

/* Does a CPU that is idle still have this vCPU's registers on its stack? */
static bool
is_loaded(const struct mdb_xen_pcpu *p, mdb_addr_t vcpu)
{
	return p->loaded.addr == vcpu && p->has_guest_regs;
}

/* The registers that were saved at addr, of this vCPU. */
static enum mdb_status
guest_regs(struct mdb_ctx *cx, struct mdb_xen *xen,
	const struct mdb_xen_domain *d, mdb_addr_t vcpu, mdb_addr_t addr,
	struct mdb_regs *regs_out)
{
	enum mdb_status st =
		mdb_xen_regs_read(cx, xen->world, addr, regs_out, NULL);
	struct mdb_xen_hvm hvm;

	if (st == MDB_OK && mdb_xen_hvm_try(cx, xen, vcpu, d->addr, &hvm))
		mdb_xen_hvm_regs(&hvm, regs_out);
	return st;
}

/* Of a vCPU that no CPU has loaded. */
static enum mdb_status
saved_regs(struct mdb_ctx *cx, struct mdb_xen *xen,
	const struct mdb_xen_domain *d, mdb_addr_t vcpu,
	struct mdb_regs *regs_out)
{
	uint64_t offset = offset_of_regs(cx, xen, d);
	uint8_t b[MDB_XEN_REGS_LEN];

	if (offset == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"it was not running, and where the hypervisor saved "
			"its registers is not known");
	if (mdb_space_try(xen->world->space, vcpu + offset, b, sizeof(b)) ==
			MDB_OK &&
		mdb_le64(b + AT_IP) == 0 && mdb_le64(b + AT_SP) == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "it never ran");
	return guest_regs(cx, xen, d, vcpu, vcpu + offset, regs_out);
}

enum mdb_status
mdb_xen_vcpu_regs(struct mdb_ctx *cx, struct mdb_xen *xen,
	const struct mdb_xen_domain *d, unsigned int vcpu,
	struct mdb_regs *regs_out)
{
	const struct mdb_xen_cpus *cpus = mdb_xen_cpus(cx, xen);
	bool asked = true;
	enum mdb_status st;
	mdb_addr_t addr;

	if (!vcpu_addr(xen, d, vcpu, &addr))
		return mdb_fail(cx, MDB_E_NOTFOUND, "domain %u has no vCPU %u",
			d->domid, vcpu);
	for (size_t i = 0; i < cpus->nr; i++) {
		struct mdb_xen_pcpu p;
		int id = (int)cpus->list[i].id;

		st = mdb_xen_pcpu(cx, xen->world, id, &p);
		if (st != MDB_OK)
			return st;
		if (p.current.addr == addr && p.has_regs)
			return mdb_xen_cpu_regs(cx, xen->world, id, regs_out);
		if (p.current.addr == addr || is_loaded(&p, addr))
			return guest_regs(cx, xen, d, addr, p.cpu_info,
				regs_out);
		asked = asked && p.loaded.addr != 0;
	}
	if (!asked)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"vCPU %u of domain %u was not running, and the "
			"hypervisor does not say whether its registers are "
			"saved yet",
			vcpu, d->domid);
	st = saved_regs(cx, xen, d, addr, regs_out);
	return st == MDB_OK ? st
			    : mdb_context(cx, st, "vCPU %u of domain %u", vcpu,
				      d->domid);
}
