/* SPDX-License-Identifier: MIT */
/*
 * Memory made by a test: frames exist once written, and fail on demand.
 * Frames are kept in a sorted array; tests have few.
 */
#include "mdb/base/alloc.h"
#include "mdb/mem/memory_impl.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_LEN 4096u

struct frame {
	mdb_pfn_t pfn;
	enum mdb_status fault; /* MDB_OK: readable */
	uint8_t *bytes;
};

struct mdb_fake {
	struct frame *frames; /* by pfn */
	size_t nr_frames;
	unsigned long fail_in; /* 0: never */
	enum mdb_status fail_status;
	bool fail_forever;
};

static struct frame *
find(const struct mdb_fake *fake, mdb_pfn_t pfn, size_t *index_out)
{
	size_t lo = 0, hi = fake->nr_frames;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (fake->frames[mid].pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (index_out)
		*index_out = lo;
	if (lo < fake->nr_frames && fake->frames[lo].pfn == pfn)
		return &fake->frames[lo];
	return NULL;
}

static struct frame *
get(struct mdb_fake *fake, mdb_pfn_t pfn)
{
	size_t at;
	struct frame *f = find(fake, pfn, &at);

	if (f)
		return f;
	fake->frames = mdb_xrealloc(fake->frames, fake->nr_frames + 1,
		sizeof(*fake->frames));
	f = &fake->frames[at];
	memmove(f + 1, f, (fake->nr_frames - at) * sizeof(*f));
	fake->nr_frames++;
	*f = (struct frame){ pfn, MDB_OK, mdb_xalloc(FRAME_LEN) };
	return f;
}

static enum mdb_status
injected(struct mdb_fake *fake)
{
	if (!fake->fail_in)
		return MDB_OK;
	if (fake->fail_in > 1) {
		fake->fail_in--;
		return MDB_OK;
	}
	if (!fake->fail_forever)
		fake->fail_in = 0;
	return fake->fail_status;
}

static enum mdb_status
fake_read(const struct mdb_memory *mem, mdb_paddr_t addr, void *buf, size_t len,
	struct dfmt_err *err)
{
	uint8_t *to = buf;
	enum mdb_status st = injected(mem->fake);

	while (st == MDB_OK && len) {
		size_t off = addr % FRAME_LEN;
		size_t n = len < FRAME_LEN - off ? len : FRAME_LEN - off;
		const struct frame *f = find(mem->fake, addr / FRAME_LEN, NULL);

		st = f ? f->fault : MDB_E_RANGE;
		if (st != MDB_OK)
			break;
		memcpy(to, f->bytes + off, n);
		to += n;
		addr += n;
		len -= n;
	}
	if (st != MDB_OK) {
		err->addr = addr;
		err->what = "fake";
	}
	return st;
}

static enum mdb_status
fake_next(const struct mdb_memory *mem, mdb_paddr_t addr,
	mdb_paddr_t *start_out, mdb_paddr_t *end_out)
{
	const struct mdb_fake *fake = mem->fake;
	size_t i;
	struct frame *f = find(fake, addr / FRAME_LEN, &i);

	while (i < fake->nr_frames && fake->frames[i].fault != MDB_OK)
		i++;
	if (i >= fake->nr_frames)
		return MDB_DONE;
	bool inside = f == &fake->frames[i];

	*start_out = inside ? addr : fake->frames[i].pfn * FRAME_LEN;
	*end_out = (fake->frames[i].pfn + 1) * FRAME_LEN;
	return MDB_OK;
}

static void
fake_destroy(struct mdb_memory *mem)
{
	for (size_t i = 0; i < mem->fake->nr_frames; i++)
		free(mem->fake->frames[i].bytes);
	free(mem->fake->frames);
	free(mem->fake);
}

static const struct mdb_memory_ops fake_ops = {
	.read = fake_read,
	.next = fake_next,
	.destroy = fake_destroy,
};

struct mdb_memory *
mdb_memory_create_fake(void)
{
	struct mdb_memory *mem = mdb_xalloc(sizeof(*mem));

	mem->ops = &fake_ops;
	mem->fake = mdb_xalloc(sizeof(*mem->fake));
	return mem;
}

void
mdb_fake_write(struct mdb_memory *mem, mdb_paddr_t addr, const void *buf,
	size_t len)
{
	const uint8_t *from = buf;

	while (len) {
		size_t off = addr % FRAME_LEN;
		size_t n = len < FRAME_LEN - off ? len : FRAME_LEN - off;

		memcpy(get(mem->fake, addr / FRAME_LEN)->bytes + off, from, n);
		from += n;
		addr += n;
		len -= n;
	}
}

void
mdb_fake_write_u64(struct mdb_memory *mem, mdb_paddr_t addr, uint64_t v)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	mdb_fake_write(mem, addr, bytes, sizeof(bytes));
}

void
mdb_fake_fault(struct mdb_memory *mem, mdb_paddr_t frame_addr,
	enum mdb_status st)
{
	get(mem->fake, frame_addr / FRAME_LEN)->fault = st;
}

void
mdb_fake_fail_nth(struct mdb_memory *mem, unsigned long nth, enum mdb_status st,
	bool forever)
{
	mem->fake->fail_in = nth;
	mem->fake->fail_status = st;
	mem->fake->fail_forever = forever;
}
