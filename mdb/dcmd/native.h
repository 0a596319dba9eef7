/* SPDX-License-Identifier: MIT */
/* What a dump of our own format says of itself, for ::status and ::triage. */
#ifndef MDB_DCMD_NATIVE_H
#define MDB_DCMD_NATIVE_H

#include "mdb/dcmd/dcmd.h"
#include "mdb/world/target.h"

/* NULL for a dump of another format. */
const struct dfmt_native *mdb_native_of(const struct mdb_ctx *cx);

/* "complete", "cut: it has no end", "the time limit ended it", ... */
const char *mdb_native_completeness(struct mdb_ctx *cx,
	const struct dfmt_native *n);

/* "hypervisor, page table and kernel pages": what was asked for. */
const char *mdb_native_content(struct mdb_ctx *cx, const struct dfmt_native *n);

/* "CPU 2 in xpv, running vcpu 0 of domain 0"; NULL: nobody is known to. */
const char *mdb_native_culprit(struct mdb_ctx *cx, const struct dfmt_native *n);

/* "2007-04-10 11:29:01 UTC"; NULL without a clock. */
const char *mdb_native_time(struct mdb_ctx *cx, const struct dfmt_native *n);

/* "0123abcd...": bytes as hex. */
const char *mdb_native_hex(struct mdb_ctx *cx, const uint8_t *bytes,
	size_t len);

/* The lines of ::status that only this format has, and its nested record. */
enum mdb_status mdb_native_status_record(struct mdb_ctx *cx,
	const struct dfmt_native *n);
enum mdb_status mdb_native_status_lines(struct mdb_ctx *cx,
	const struct dfmt_native *n);

#endif
