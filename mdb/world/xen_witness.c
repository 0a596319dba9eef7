/* SPDX-License-Identifier: MIT */
/*
 * Reading for evidence.  A value that was read may contradict; where there is
 * nothing to read nothing is said.  Memory that was wiped reads as zeroes:
 * those of a long run of them are no values.
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_trust.h"

#include <string.h>

#define PAGE_MASK 0xfffull
#define MAX_LOOK 64u
#define DOMAIN_HEAD 24u /* as xen_vcpu.c reads it */
#define VCPU_HEAD 0x48u
#define MAX_VCPUS 8192u

bool
mdb_xen_is_own(mdb_addr_t addr)
{
	return addr >= MDB_XEN_RANGE_START && addr <= MDB_XEN_RANGE_LAST;
}

/* ---- wiped memory -------------------------------------------------------- */

/* What can be read of the MDB_XEN_WIPED bytes before addr, and how much. */
static size_t
read_before(struct mdb_space *space, mdb_addr_t addr, uint8_t *end)
{
	size_t len = MDB_XEN_WIPED;

	if (mdb_space_try(space, addr - len, end - len, len) == MDB_OK)
		return len;
	len = addr & PAGE_MASK;
	return len < MDB_XEN_WIPED && mdb_space_try(space, addr - len,
					      end - len, len) == MDB_OK
		       ? len
		       : 0;
}

static size_t
read_behind(struct mdb_space *space, mdb_addr_t addr, uint8_t *to)
{
	size_t len = MDB_XEN_WIPED;

	if (mdb_space_try(space, addr, to, len) == MDB_OK)
		return len;
	len = -addr & PAGE_MASK;
	return len < MDB_XEN_WIPED &&
			       mdb_space_try(space, addr, to, len) == MDB_OK
		       ? len
		       : 0;
}

bool
mdb_xen_is_wiped(struct mdb_xen_prover *p, mdb_addr_t addr, size_t len)
{
	struct mdb_space *space = p->xen->world->space;
	uint8_t b[2 * MDB_XEN_WIPED + MAX_LOOK], *mid = b + MDB_XEN_WIPED;
	size_t at, end, run = 0;

	if (len > MAX_LOOK)
		len = MAX_LOOK;
	if (mdb_space_try(space, addr, mid, len) != MDB_OK)
		return true;
	at = MDB_XEN_WIPED - read_before(space, addr, mid);
	end = MDB_XEN_WIPED + len + read_behind(space, addr + len, mid + len);
	for (; at < end; at++) {
		run = b[at] == 0 ? run + 1 : 0;
		/* Such a run, of which some is ours. */
		if (run >= MDB_XEN_WIPED && at >= MDB_XEN_WIPED &&
			at + 1 - run < MDB_XEN_WIPED + len)
			return true;
	}
	return false;
}

static bool
is_zero(const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (b[i] != 0)
			return false;
	return true;
}

bool
mdb_xen_look(struct mdb_xen_prover *p, mdb_addr_t addr, void *buf, size_t len)
{
	return mdb_xen_is_own(addr) &&
	       mdb_space_try(p->xen->world->space, addr, buf, len) == MDB_OK &&
	       !(is_zero(buf, len) && mdb_xen_is_wiped(p, addr, len));
}

bool
mdb_xen_word(struct mdb_xen_prover *p, mdb_addr_t addr, uint64_t *value_out)
{
	uint8_t b[8];

	if (!mdb_xen_look(p, addr, b, sizeof(b)))
		return false;
	*value_out = mdb_le64(b);
	return true;
}

/* ---- what is recognised -------------------------------------------------- */

enum mdb_xen_evidence
mdb_xen_text(struct mdb_xen_prover *p, mdb_addr_t addr, char *buf, size_t len)
{
	if (addr < p->xen->text_start || addr >= p->xen->image_end)
		return MDB_XEN_CONTRADICTS;
	if (!mdb_xen_look(p, addr, buf, len))
		return MDB_XEN_SAYS_NOTHING;
	if (!buf[0] || !memchr(buf, 0, len))
		return mdb_xen_is_wiped(p, addr, len) ? MDB_XEN_SAYS_NOTHING
						      : MDB_XEN_CONTRADICTS;
	for (const char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			return MDB_XEN_CONTRADICTS;
	return MDB_XEN_AGREES;
}

/* Could the first vCPUs of this array be seen, and is there any? */
static bool
array_is_there(struct mdb_xen_prover *p, mdb_addr_t array, uint32_t nr)
{
	uint8_t b[VCPU_HEAD];
	bool any = false;

	for (uint32_t i = 0; i < nr && i < 4; i++) {
		uint64_t vcpu;

		if (!mdb_xen_word(p, array + 8 * (uint64_t)i, &vcpu))
			return false;
		if (vcpu == 0)
			continue;
		any = true;
		if (mdb_xen_is_own(vcpu) &&
			(!mdb_xen_look(p, vcpu, b, sizeof(b)) ||
				mdb_xen_is_wiped(p, vcpu, sizeof(b))))
			return false;
	}
	return any;
}

enum mdb_xen_evidence
mdb_xen_is_domain(struct mdb_xen_prover *p, mdb_addr_t addr,
	struct mdb_xen_domain *domain_out)
{
	uint8_t b[DOMAIN_HEAD];
	uint32_t max_vcpus;

	if (!mdb_xen_is_own(addr) || (addr & PAGE_MASK) != 0)
		return MDB_XEN_CONTRADICTS;
	if (mdb_xen_domain_try(p->xen, addr, domain_out))
		return MDB_XEN_AGREES;
	if (!mdb_xen_look(p, addr, b, sizeof(b)) ||
		mdb_xen_is_wiped(p, addr, sizeof(b)))
		return MDB_XEN_SAYS_NOTHING;
	max_vcpus = mdb_le32(b + 4);
	if (mdb_le16(b) > MDB_XEN_DOMID_IDLE || max_vcpus > MAX_VCPUS)
		return MDB_XEN_CONTRADICTS;
	/* The one that is its array may be lost, or have no vCPU as yet. */
	for (size_t at = 8; at <= 16; at += 8)
		if (mdb_xen_is_own(mdb_le64(b + at)) &&
			!array_is_there(p, mdb_le64(b + at), max_vcpus))
			return MDB_XEN_SAYS_NOTHING;
	return MDB_XEN_CONTRADICTS;
}

/* ---- circles ------------------------------------------------------------- */

/* Is the member that leads back origin?  A wiped one cannot contradict. */
static enum mdb_xen_evidence
leads_back(struct mdb_xen_prover *p, const struct mdb_xen_link *l,
	mdb_addr_t there, mdb_addr_t origin)
{
	uint64_t value;

	if (!mdb_xen_is_own(there))
		return MDB_XEN_CONTRADICTS;
	if (!mdb_xen_value(p, l->there, l->back, there, &value))
		return MDB_XEN_SAYS_NOTHING;
	if (value == origin)
		return MDB_XEN_AGREES;
	return mdb_xen_is_wiped(p,
		       mdb_xen_member_addr(p, l->there, l->back, there), 8)
		       ? MDB_XEN_SAYS_NOTHING
		       : MDB_XEN_CONTRADICTS;
}

bool
mdb_xen_circle(struct mdb_xen_prover *p, const struct mdb_xen_link *l,
	mdb_addr_t addr, mdb_addr_t *there_out)
{
	enum mdb_xen_evidence says;
	uint64_t there;

	if (!mdb_xen_value(p, l->here, l->path, addr, &there) || there == 0)
		return false;
	says = leads_back(p, l, there, addr);
	mdb_xen_say(p, l->here, l->path, addr, says);
	if (says != MDB_XEN_AGREES)
		return false;
	mdb_xen_note_member(p, l->there, l->back, MDB_XEN_AGREES);
	*there_out = there;
	return true;
}
