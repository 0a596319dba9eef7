/* SPDX-License-Identifier: MIT */
/*
 * Machine memory over a dump: the one place that translates dfmt_status into
 * mdb_status and a dfmt_err into words.
 */
#include "mdb/mem/memory.h"

#include "dfmt-crypt.h"
#include "mdb/base/alloc.h"
#include "mdb/mem/memory_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum mdb_status
translate(enum dfmt_status st)
{
	switch (st) {
	case DFMT_OK:
		return MDB_OK;
	case DFMT_E_EXCLUDED:
		return MDB_E_EXCLUDED;
	case DFMT_E_RANGE:
		return MDB_E_RANGE;
	case DFMT_E_LOST:
	case DFMT_E_MALFORMED:
		return MDB_E_LOST;
	case DFMT_E_FORMAT:
		return MDB_E_FORMAT;
	case DFMT_E_UNSUPPORTED:
		return MDB_E_UNSUPPORTED;
	case DFMT_E_IO:
	case DFMT_E_NOMEM:
		break;
	}
	return MDB_E_SYSTEM;
}

/* "WHAT at file offset 0x..: strerror: detail", as far as they are known.
 * Offset 0 of a file that is not understood at all tells nothing. */
static const char *
describe(struct mdb_ctx *cx, const struct dfmt_err *err)
{
	const char *what =
		err->what ? err->what : dfmt_status_name(err->status);
	bool plain = err->sys_errno == EISDIR; /* `what` has said it */
	const char *host =
		err->sys_errno && !plain ? strerror(err->sys_errno) : "";
	char where[64] = "";

	if (err->offset != DFMT_NONE &&
		(err->offset || err->status != DFMT_E_FORMAT))
		(void)snprintf(where, sizeof(where),
			" at file offset %#" PRIx64, err->offset);
	return mdb_tmp_printf(cx, "%s%s%s%s%s%s", what, where,
		*host ? ": " : "", host, *err->detail ? ": " : "", err->detail);
}

static enum mdb_status
dump_read(const struct mdb_memory *mem, mdb_paddr_t addr, void *buf, size_t len,
	struct dfmt_err *err)
{
	return translate(dfmt_read(mem->dump, addr, buf, len, err));
}

static enum mdb_status
dump_next(const struct mdb_memory *mem, mdb_paddr_t addr,
	mdb_paddr_t *start_out, mdb_paddr_t *end_out)
{
	struct dfmt_err err = { 0 };
	enum dfmt_status st =
		dfmt_next_range(mem->dump, addr, start_out, end_out, &err);

	return st == DFMT_E_RANGE ? MDB_DONE : translate(st);
}

static void
dump_destroy(struct mdb_memory *mem)
{
	dfmt_close(mem->dump);
}

static const struct mdb_memory_ops dump_ops = {
	.read = dump_read,
	.next = dump_next,
	.destroy = dump_destroy,
};

struct mdb_memory *
mdb_memory_create_dump(struct dfmt *dump)
{
	struct mdb_memory *mem = mdb_xalloc(sizeof(*mem));

	mem->ops = &dump_ops;
	mem->dump = dump;
	return mem;
}

enum mdb_status
mdb_memory_key(struct mdb_ctx *cx, const char *path, uint8_t *key_out)
{
	const char *why = dfmt_key_load(path, key_out);

	return why ? mdb_fail(cx, MDB_E_FORMAT, "%s: %s", path, why) : MDB_OK;
}

enum mdb_status
mdb_memory_open(struct mdb_ctx *cx, const char *const *paths, size_t nr_paths,
	const struct dfmt_options *options, struct mdb_memory **mem_out)
{
	struct dfmt_err err = { .offset = DFMT_NONE, .addr = DFMT_NONE };
	struct dfmt *dump;
	enum dfmt_status st = dfmt_open(paths, nr_paths, options, &dump, &err);

	if (st == DFMT_OK) {
		*mem_out = mdb_memory_create_dump(dump);
		return MDB_OK;
	}
	/* At opening, malformed speaks of the file, not of one page. */
	enum mdb_status ours =
		st == DFMT_E_MALFORMED ? MDB_E_CORRUPT : translate(st);

	return mdb_fail(cx, ours, "%s%s", describe(cx, &err),
		ours == MDB_E_FORMAT && *err.detail
			? "; -f takes it as raw memory"
			: "");
}

void
mdb_memory_destroy(struct mdb_memory *mem)
{
	if (!mem)
		return;
	mem->ops->destroy(mem);
	free(mem);
}

const char *
mdb_memory_address(const struct mdb_memory *mem)
{
	return mem->stage ? "guest-physical address" : "machine address";
}

const struct dfmt *
mdb_memory_dump(const struct mdb_memory *mem)
{
	return mem->dump;
}

enum mdb_status
mdb_memory_try(const struct mdb_memory *mem, mdb_paddr_t addr, void *buf,
	size_t len)
{
	struct dfmt_err err = { .offset = DFMT_NONE, .addr = DFMT_NONE };

	return mem->ops->read(mem, addr, buf, len, &err);
}

enum mdb_status
mdb_memory_read(struct mdb_ctx *cx, const struct mdb_memory *mem,
	mdb_paddr_t addr, void *buf, size_t len)
{
	struct dfmt_err err = { .offset = DFMT_NONE, .addr = DFMT_NONE };
	enum mdb_status st = mem->ops->read(mem, addr, buf, len, &err);

	if (st == MDB_OK)
		return MDB_OK;
	mdb_paddr_t at = err.addr != DFMT_NONE ? err.addr : addr;

	return mdb_fail(cx, st, "%s: %s %#" PRIx64 " (frame %#" PRIx64 "): %s",
		mdb_status_name(st), mdb_memory_address(mem), at, at >> 12,
		describe(cx, &err));
}

enum mdb_status
mdb_memory_next(const struct mdb_memory *mem, mdb_paddr_t addr,
	mdb_paddr_t *start_out, mdb_paddr_t *end_out)
{
	return mem->ops->next(mem, addr, start_out, end_out);
}

enum mdb_status
mdb_memory_blob(struct mdb_ctx *cx, const struct mdb_memory *mem, size_t object,
	uint32_t kind, const void **bytes_out, size_t *len_out)
{
	struct dfmt_err err = { .offset = DFMT_NONE, .addr = DFMT_NONE };
	enum dfmt_status st;

	if (!mem->dump)
		return MDB_E_NOTFOUND;
	st = dfmt_object_blob(mem->dump, object, kind, bytes_out, len_out,
		&err);
	if (st == DFMT_E_RANGE)
		return MDB_E_NOTFOUND;
	return st == DFMT_OK
		       ? MDB_OK
		       : mdb_fail(cx, translate(st), "%s", describe(cx, &err));
}
