/* SPDX-License-Identifier: MIT */
/*
 * vCPUs and domains, told by their structure alone: a vCPU points to its
 * domain, whose array of vCPUs leads back to it.  No layout is taken on trust;
 * where that circle closes, the numbers beside the pointers are theirs.
 *
 * struct vcpu begins with vcpu_id and processor; its domain follows within a
 * few words.  struct domain, which has pages of its own, begins with domain_id
 * and max_vcpus; the array's address is the next word, or the one after that
 * (xen/include/xen/sched.h of Xen 4.14 to 4.20).
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>

#define MAX_VCPUS 8192u
#define PAGE_MASK 0xfffull

/* Where in struct vcpu its domain may be. */
#define DOMAIN_FIRST 0x10u
#define DOMAIN_LAST 0x40u

static bool
is_heap(mdb_addr_t addr)
{
	return addr >= MDB_XEN_DIRECTMAP && addr <= MDB_XEN_RANGE_LAST;
}

/* Anything of the hypervisor's: image, heap, or mapped. */
static bool
is_own(mdb_addr_t addr)
{
	return addr >= MDB_XEN_RANGE_START && addr <= MDB_XEN_RANGE_LAST;
}

/* Does element i of the array lead to a vCPU i of this domain? */
static bool
leads_back(struct mdb_xen *xen, mdb_addr_t array, uint32_t i, mdb_addr_t domain)
{
	uint8_t b[DOMAIN_LAST + 8];
	mdb_addr_t vcpu;

	if (mdb_space_try(xen->world->space, array + 8 * (uint64_t)i, b, 8) !=
		MDB_OK)
		return false;
	vcpu = mdb_le64(b);
	if (!is_own(vcpu) ||
		mdb_space_try(xen->world->space, vcpu, b, sizeof(b)) !=
			MDB_OK ||
		mdb_le32(b) != i)
		return false;
	for (size_t at = DOMAIN_FIRST; at <= DOMAIN_LAST; at += 8)
		if (mdb_le64(b + at) == domain)
			return true;
	return false;
}

/* The array of a domain, at least one of whose vCPUs, that of `i`, is known. */
static bool
array_find(struct mdb_xen *xen, mdb_addr_t addr, uint32_t i,
	struct mdb_xen_domain *domain_out)
{
	struct mdb_xen_domain d = { .addr = addr };
	uint8_t b[24];

	if (!is_heap(addr) || (addr & PAGE_MASK) != 0 ||
		mdb_space_try(xen->world->space, addr, b, sizeof(b)) != MDB_OK)
		return false;
	d.domid = mdb_le16(b);
	d.max_vcpus = mdb_le32(b + 4);
	if (d.domid > MDB_XEN_DOMID_IDLE || i >= d.max_vcpus ||
		d.max_vcpus > MAX_VCPUS)
		return false;
	for (size_t at = 8; at <= 16; at += 8) {
		d.vcpus = mdb_le64(b + at);
		if (!is_own(d.vcpus) || !leads_back(xen, d.vcpus, i, addr))
			continue;
		*domain_out = d;
		return true;
	}
	return false;
}

bool
mdb_xen_domain_try(struct mdb_xen *xen, mdb_addr_t addr,
	struct mdb_xen_domain *domain_out)
{
	for (uint32_t i = 0; i < 4; i++) /* the first may be gone */
		if (array_find(xen, addr, i, domain_out))
			return true;
	return false;
}

static struct mdb_world *
world_of_domain(const struct mdb_xen *xen, unsigned int domid)
{
	for (struct mdb_world *w = xen->world->target->worlds; w; w = w->next)
		if (w->domain >= 0 && (unsigned int)w->domain == domid)
			return w;
	return NULL;
}

bool
mdb_xen_vcpu_try(struct mdb_xen *xen, mdb_addr_t addr,
	struct mdb_xen_vcpu *vcpu_out)
{
	struct mdb_xen_domain d;
	uint8_t b[DOMAIN_LAST + 8];
	uint32_t id;

	if (!is_own(addr) || addr % 8 != 0 ||
		mdb_space_try(xen->world->space, addr, b, sizeof(b)) != MDB_OK)
		return false;
	id = mdb_le32(b);
	if (id >= MAX_VCPUS)
		return false;
	for (size_t at = DOMAIN_FIRST; at <= DOMAIN_LAST; at += 8) {
		uint8_t back[8];

		if (!array_find(xen, mdb_le64(b + at), id, &d) ||
			mdb_space_try(xen->world->space,
				d.vcpus + 8 * (uint64_t)id, back,
				8) != MDB_OK ||
			mdb_le64(back) != addr)
			continue;
		*vcpu_out = (struct mdb_xen_vcpu){ .addr = addr,
			.known = true,
			.domain = d.addr,
			.domid = d.domid,
			.vcpu = id,
			.processor = (int)mdb_le32(b + 4),
			.world = world_of_domain(xen, d.domid) };
		return true;
	}
	return false;
}

enum mdb_status
mdb_xen_vcpu_at(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t addr,
	struct mdb_xen_vcpu *vcpu_out)
{
	struct mdb_xen *xen = mdb_xen_of(world);
	uint64_t word;
	enum mdb_status st;

	if (xen == NULL)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"world %s is no 64-bit Xen", world->name);
	if (mdb_xen_vcpu_try(xen, addr, vcpu_out))
		return MDB_OK;
	st = mdb_space_read_uint(cx, world->space, addr, 8, &word);
	if (st != MDB_OK)
		return mdb_context(cx, st, "a vCPU");
	return mdb_fail(cx, MDB_E_CORRUPT,
		"at %#" PRIx64 " is no vCPU: its domain does not lead back to "
		"it",
		addr);
}

struct mdb_world *
mdb_xen_world(struct mdb_world *world)
{
	struct mdb_xen *xen = mdb_xen_of(world);

	if (xen == NULL && world->target != NULL && world->domain >= 0)
		xen = mdb_xen_of_target(world->target);
	return xen != NULL ? xen->world : NULL;
}

int
mdb_xen_domain_of(const struct mdb_world *world)
{
	return world->domain;
}
