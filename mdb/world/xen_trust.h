/* SPDX-License-Identifier: MIT */
/*
 * The proof of types that may be another build's: xen_trust.c keeps what the
 * evidence says and answers; xen_evidence.c tests members by their type, on
 * every sample; xen_samples.c has the samples and tests them against each
 * other; xen_witness.c reads for all of them.
 */
#ifndef MDB_WORLD_XEN_TRUST_H
#define MDB_WORLD_XEN_TRUST_H

#include "mdb/world/xen_types.h"

/*
 * What one look at one member says.  Only values that were read speak: what is
 * lost, and zeroes of wiped memory, say nothing.
 */
enum mdb_xen_evidence {
	/* agrees, as chance would (0, NULL), or nothing is there to read */
	MDB_XEN_SAYS_NOTHING = 0,
	MDB_XEN_AGREES, /* as chance would not */
	/* is what its type allows, which a neighbour of that type is, too */
	MDB_XEN_SEEMS,
	MDB_XEN_CONTRADICTS,
};

/* Bytes of a structure that were tested. */
struct mdb_xen_range {
	uint64_t start, end;
	unsigned int agree, seem, contradict;
};

struct mdb_xen_proof {
	const char *name; /* "struct domain"; static */
	struct mdb_type type;
	uint64_t size;
	struct mdb_xen_range *ranges; /* by start; no two equal */
	size_t nr, room;
	bool size_proven;
	uint8_t *used; /* by byte: a member holds it; padding is 0 */
};

#define MDB_XEN_MAX_PROOFS 32
struct mdb_xen_trust {
	struct mdb_xen_proof proofs[MDB_XEN_MAX_PROOFS];
	size_t nr;
};

struct mdb_xen_prover {
	struct mdb_ctx *cx;
	struct mdb_xen *xen;
	struct mdb_types *types; /* under test */
	struct mdb_xen_trust *trust;
};

/* The proof of a structure, made when first asked; NULL: no such type. */
struct mdb_xen_proof *mdb_xen_proof_of(struct mdb_xen_prover *p,
	const char *type_name);

/* Notes evidence on [start, end) or on the member of that path. */
void mdb_xen_note(struct mdb_xen_proof *proof, uint64_t start, uint64_t end,
	enum mdb_xen_evidence evidence);
void mdb_xen_note_member(struct mdb_xen_prover *p, const char *type_name,
	const char *path, enum mdb_xen_evidence evidence);

/*
 * The number or pointer in a member of the object at addr; false where there is
 * nothing to read: lost or wiped, no number, no such member.
 */
bool mdb_xen_value(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr, uint64_t *value_out);
/* The address of a member; 0: no such. */
mdb_addr_t mdb_xen_member_addr(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr);

/*
 * The member is value: agreement, unless value is 0; else contradiction.
 * False when it is not, or there is nothing to read.
 */
bool mdb_xen_expect(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr, uint64_t value);

/* Tests all members of the object at addr by what their types allow. */
void mdb_xen_evidence(struct mdb_xen_prover *p, const char *type_name,
	mdb_addr_t addr);

/* xen_witness.c: in the range that is the hypervisor's alone. */
bool mdb_xen_is_own(mdb_addr_t addr);
/*
 * Bytes, or a word, of the hypervisor's; false: nothing to read there, for it
 * is lost, or is zeroes and wiped.
 */
bool mdb_xen_look(struct mdb_xen_prover *p, mdb_addr_t addr, void *buf,
	size_t len);
bool mdb_xen_word(struct mdb_xen_prover *p, mdb_addr_t addr,
	uint64_t *value_out);
/*
 * Is any of these bytes, 64 at most, one of so many zeroes in a row that the
 * memory was rather wiped?  Then a contradiction by them is none.
 */
#define MDB_XEN_WIPED 256u
bool mdb_xen_is_wiped(struct mdb_xen_prover *p, mdb_addr_t addr, size_t len);
/* A text of up to len bytes of the image: printable, and not empty. */
enum mdb_xen_evidence mdb_xen_text(struct mdb_xen_prover *p, mdb_addr_t addr,
	char *buf, size_t len);
/* What is at addr is a domain, as xen_vcpu.c knows it. */
enum mdb_xen_evidence mdb_xen_is_domain(struct mdb_xen_prover *p,
	mdb_addr_t addr, struct mdb_xen_domain *domain_out);

/* Of the member of the object at addr: a contradiction by a wiped one is none;
 * nothing is noted of what says nothing. */
void mdb_xen_say(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr, enum mdb_xen_evidence says);
/* A structure whose member leads to another, whose member `back` leads back. */
struct mdb_xen_link {
	const char *here, *path, *there, *back;
};
/* Does it, of the one at addr?  Then where the other is. */
bool mdb_xen_circle(struct mdb_xen_prover *p, const struct mdb_xen_link *link,
	mdb_addr_t addr, mdb_addr_t *there_out);

static inline enum mdb_xen_evidence
mdb_xen_agrees_if(bool agrees)
{
	return agrees ? MDB_XEN_AGREES : MDB_XEN_CONTRADICTS;
}

/* xen_samples_vcpu.c; next is the domain's next vCPU, or 0. */
void mdb_xen_test_vcpu(struct mdb_xen_prover *p, mdb_addr_t vcpu,
	mdb_addr_t next);
void mdb_xen_test_pool(struct mdb_xen_prover *p, mdb_addr_t domain);

/* Of a member of that structure, as far as it was tested. */
enum mdb_trust mdb_xen_trust_of(struct mdb_ctx *cx,
	const struct mdb_xen_trust *trust, const char *type_name,
	const struct mdb_member *member);

/* All tests. */
void mdb_xen_samples(struct mdb_xen_prover *p);

#endif
