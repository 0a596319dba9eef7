/* SPDX-License-Identifier: MIT */
/*
 * The proof of types that may be another build's: xen_trust.c keeps what the
 * evidence says and answers; xen_evidence.c tests members by their type, on
 * every sample; xen_samples.c has the samples and tests them against each
 * other.
 */
#ifndef MDB_WORLD_XEN_TRUST_H
#define MDB_WORLD_XEN_TRUST_H

#include "mdb/world/xen_types.h"

/* What one look at one member says. */
enum mdb_xen_evidence {
	MDB_XEN_SAYS_NOTHING = 0, /* agrees, as chance would: 0, NULL */
	MDB_XEN_AGREES,		  /* as chance would not */
	MDB_XEN_CONTRADICTS,
};

/* Bytes of a structure that were tested. */
struct mdb_xen_range {
	uint64_t start, end;
	unsigned int agree, contradict;
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
 * The number or pointer in a member of the object at addr; false where it
 * cannot be read, is no number, or there is no such member.
 */
bool mdb_xen_value(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr, uint64_t *value_out);
/* The address of a member; 0: no such. */
mdb_addr_t mdb_xen_member_addr(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr);

/*
 * The member is value: agreement, unless value is 0; else contradiction.
 * False when it is not, or cannot be read.
 */
bool mdb_xen_expect(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr, uint64_t value);

/* Tests all members of the object at addr by what their types allow. */
void mdb_xen_evidence(struct mdb_xen_prover *p, const char *type_name,
	mdb_addr_t addr);

/* A word of the hypervisor's; false: not there. */
bool mdb_xen_word(struct mdb_xen_prover *p, mdb_addr_t addr,
	uint64_t *value_out);
void mdb_xen_say(struct mdb_xen_prover *p, const char *type_name,
	const char *path, bool agrees);
/* S.path leads to a T whose member `back` is origin; where that T is. */
bool mdb_xen_circle(struct mdb_xen_prover *p, const char *s, const char *path,
	mdb_addr_t addr, const char *t, const char *back, mdb_addr_t origin,
	mdb_addr_t *there_out);

/* xen_samples_vcpu.c; next is the domain's next vCPU, or 0. */
void mdb_xen_test_vcpu(struct mdb_xen_prover *p, mdb_addr_t vcpu,
	mdb_addr_t next);
void mdb_xen_test_pool(struct mdb_xen_prover *p, mdb_addr_t domain);

/* All tests. */
void mdb_xen_samples(struct mdb_xen_prover *p);

#endif
