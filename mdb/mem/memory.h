/* SPDX-License-Identifier: MIT */
/*
 * Machine memory: the dump, or a fake of it for tests.  Above this line
 * nobody knows of files; this is the one place that translates dfmt_status.
 */
#ifndef MDB_MEM_MEMORY_H
#define MDB_MEM_MEMORY_H

#include <mdb/mem.h>

#include "dumpfmt/dfmt-format.h"
#include "dumpfmt/dfmt-reader.h"

struct mdb_memory;

/*
 * Opens the dump in these files.  MDB_E_FORMAT, MDB_E_CORRUPT, MDB_E_SYSTEM
 * with what, where and what to do in the trail.
 */
enum mdb_status mdb_memory_open(struct mdb_ctx *cx, const char *const *paths,
	size_t nr_paths, const struct dfmt_options *options,
	struct mdb_memory **mem_out);
/*
 * The secret key of encrypted dumps out of its file: 32 bytes, for
 * mdb_memory_open's options; the caller wipes them.
 */
enum mdb_status mdb_memory_key(struct mdb_ctx *cx, const char *path,
	uint8_t *key_out);
/* Takes the dump over. */
struct mdb_memory *mdb_memory_create_dump(struct dfmt *dump);
void mdb_memory_destroy(struct mdb_memory *mem);

/* What an address of it is called: "machine address". */
const char *mdb_memory_address(const struct mdb_memory *mem);

/* NULL for a fake, and for a guest's. */
const struct dfmt *mdb_memory_dump(const struct mdb_memory *mem);

enum mdb_status mdb_memory_read(struct mdb_ctx *cx,
	const struct mdb_memory *mem, mdb_paddr_t addr, void *buf, size_t len);

/* Silent form for inner loops: no trail is written. */
enum mdb_status mdb_memory_try(const struct mdb_memory *mem, mdb_paddr_t addr,
	void *buf, size_t len);

/*
 * What the dump embeds for one of its objects (enum dfmt_fmt_blob_kind); valid
 * as long as the memory.  MDB_E_NOTFOUND without a trail when it has none.
 */
enum mdb_status mdb_memory_blob(struct mdb_ctx *cx,
	const struct mdb_memory *mem, size_t object, uint32_t kind,
	const void **bytes_out, size_t *len_out);

/* Next run of memory held by the dump at or after addr; MDB_DONE at the end. */
enum mdb_status mdb_memory_next(const struct mdb_memory *mem, mdb_paddr_t addr,
	mdb_paddr_t *start_out, mdb_paddr_t *end_out);

/*
 * What a guest takes for its physical memory: mode (MDB_PAGING_NPT, _EPT) and
 * root are those of its second stage of page tables.  The machine's memory is
 * borrowed.
 */
struct mdb_memory *mdb_memory_create_guest(const struct mdb_memory *machine,
	unsigned int mode, mdb_paddr_t root);
/* Where in the machine a guest's physical address lies. */
enum mdb_status mdb_memory_to_machine(struct mdb_ctx *cx,
	const struct mdb_memory *guest, mdb_paddr_t addr,
	mdb_paddr_t *machine_out);

/*
 * A fake for tests: zeroed frames made on demand by writing, faults on
 * demand.  mdb_fake_fail_nth makes the nth read from now (1 = next) fail with
 * st, and every later one too if forever.
 */
struct mdb_memory *mdb_memory_create_fake(void);
void mdb_fake_write(struct mdb_memory *mem, mdb_paddr_t addr, const void *buf,
	size_t len);
void mdb_fake_write_u64(struct mdb_memory *mem, mdb_paddr_t addr, uint64_t v);
void mdb_fake_fault(struct mdb_memory *mem, mdb_paddr_t frame_addr,
	enum mdb_status st);
void mdb_fake_fail_nth(struct mdb_memory *mem, unsigned long nth,
	enum mdb_status st, bool forever);

#endif
