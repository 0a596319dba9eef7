/* SPDX-License-Identifier: MIT */
/*
 * Pages: struct page in vmemmap, the direct map, and SLUB's objects in it.
 *
 * A page is a slab's if its flags say so: a bit of page flags (before 6.10),
 * a page type since.  An object is free if a free list of its slab holds it:
 * the slab's own, or that of the CPU that has the slab.  Where the kernel has
 * more places for free objects (sheaves, 6.18 on), nothing is claimed.
 */
#include "linux.h"

#include <inttypes.h>
#include <string.h>

#define PAGE_SHIFT 12

/* The kernel's own limit: struct slab.objects has 15 bits. */
#define MAX_OBJECTS 0x7fff

struct map {
	mdb_addr_t direct, vmemmap, direct_end;
	uint64_t page_len;
};

static bool
map_get(struct mdb_ctx *cx, struct mdb_world *w, struct map *m)
{
	if (linux_sym_ptr(cx, w, "page_offset_base", &m->direct) == MDB_OK &&
		linux_sym_ptr(cx, w, "vmemmap_base", &m->vmemmap) == MDB_OK &&
		linux_sym_ptr(cx, w, "vmalloc_base", &m->direct_end) ==
			MDB_OK &&
		linux_type_size(cx, w, "struct page", &m->page_len) &&
		m->page_len >= 32 && m->page_len <= 256)
		return true;
	mdb_forget(cx);
	return false;
}

struct page {
	uint64_t flags;
	uint64_t head; /* of a tail page: see head_of() */
	uint32_t type;
	int32_t refs;
};

static const struct mdb_field page_fields[] = {
	MDB_FIELD(struct page, flags, "flags.f\0flags"),
	MDB_FIELD(struct page, head, "compound_head\0compound_info"),
	MDB_FIELD_OPT(struct page, type, "page_type"),
	MDB_FIELD_OPT(struct page, refs, "_refcount.counter"),
	MDB_FIELD_END,
};

static const struct mdb_shape page_shape = { "struct page", page_fields };

/*
 * include/linux/page-flags.h: PGTY_slab is the top byte of page_type (6.12
 * on); in 6.10 and 6.11 a type is a zero bit under ones on top.
 */
static bool
is_slab(struct mdb_ctx *cx, struct mdb_world *w, const struct page *p)
{
	int64_t v;

	if (linux_enumerator(cx, w, "enum pagetype", "PGTY_slab", &v))
		return p->type >> 24 == (uint64_t)v;
	if (linux_enumerator(cx, w, "enum pagetype", "PG_slab", &v))
		return (p->type & (0xf0000000u | (uint32_t)v)) == 0xf0000000u;
	if (linux_enumerator(cx, w, "enum pageflags", "PG_slab", &v) &&
		v >= 0 && v < 64)
		return (p->flags >> v & 1) != 0;
	return false;
}

struct slab {
	mdb_addr_t cache;
	mdb_addr_t freelist;
	uint32_t objects;
};

static const struct mdb_field slab_fields[] = {
	MDB_FIELD(struct slab, cache, "slab_cache"),
	MDB_FIELD(struct slab, freelist, "freelist"),
	MDB_FIELD(struct slab, objects, "objects"),
	MDB_FIELD_END,
};

static const struct mdb_shape slab_shape = { "struct slab", slab_fields };
/* before 5.17 */
static const struct mdb_shape slab_page_shape = { "struct page", slab_fields };

struct cache {
	mdb_addr_t name;
	uint32_t size;
	uint32_t object_size;
	uint32_t offset; /* of the free pointer in an object */
	uint32_t red_left_pad;
	uint64_t random;
	mdb_addr_t cpu_slab;
	mdb_addr_t sheaves;
};

static const struct mdb_field cache_fields[] = {
	MDB_FIELD(struct cache, name, "name"),
	MDB_FIELD(struct cache, size, "size"),
	MDB_FIELD(struct cache, object_size, "object_size"),
	MDB_FIELD(struct cache, offset, "offset"),
	MDB_FIELD_OPT(struct cache, red_left_pad, "red_left_pad"),
	MDB_FIELD_OPT(struct cache, random, "random"),
	MDB_FIELD_OPT(struct cache, cpu_slab, "cpu_slab"),
	MDB_FIELD_OPT(struct cache, sheaves, "cpu_sheaves"),
	MDB_FIELD_END,
};

static const struct mdb_shape cache_shape = { "struct kmem_cache",
	cache_fields };

struct object {
	struct mdb_world *world;
	struct cache cache;
	struct slab slab;
	mdb_addr_t page;  /* struct page or slab */
	mdb_addr_t base;  /* of the slab's memory */
	mdb_addr_t start; /* of the object, past the red zone */
	uint64_t index;
};

static bool
in_slab(const struct object *o, mdb_addr_t addr)
{
	return addr >= o->base &&
	       addr - o->base < (uint64_t)o->slab.objects * o->cache.size &&
	       (addr - o->base - o->cache.red_left_pad) % o->cache.size == 0;
}

/*
 * The next free object after obj.  With hardening (4.14 on) the pointer is
 * masked with the cache's secret and its own address, whose bytes are swapped
 * since 5.7: the reading that is a possible pointer is taken.
 */
static bool
next_free(struct mdb_ctx *cx, const struct object *o, mdb_addr_t obj,
	mdb_addr_t *next_out)
{
	mdb_addr_t at = obj + o->cache.offset;
	uint64_t raw, masks[3];
	size_t i;

	if (mdb_read_ptr(cx, mdb_kernel_loc(o->world, at), &raw) != MDB_OK)
		return false;
	masks[0] = o->cache.random == 0
			   ? 0
			   : o->cache.random ^ __builtin_bswap64(at);
	masks[1] = o->cache.random == 0 ? 0 : o->cache.random ^ at;
	masks[2] = 0;
	for (i = 0; i < 3; i++) {
		mdb_addr_t next = raw ^ masks[i];

		if (next == 0 || in_slab(o, next)) {
			*next_out = next;
			return true;
		}
	}
	return false;
}

/* 1: the list holds the object, 0: it does not, -1: it cannot be followed. */
static int
list_holds(struct mdb_ctx *cx, const struct object *o, mdb_addr_t list)
{
	uint32_t i;

	for (i = 0; i <= o->slab.objects && list != 0; i++) {
		if (!in_slab(o, list))
			return -1;
		if (list == o->start)
			return 1;
		if (!next_free(cx, o, list, &list))
			return -1;
	}
	return list == 0 ? 0 : -1;
}

struct cpu_slab {
	mdb_addr_t freelist;
	mdb_addr_t slab;
};

static const struct mdb_field cpu_slab_fields[] = {
	MDB_FIELD(struct cpu_slab, freelist, "freelist"),
	MDB_FIELD(struct cpu_slab, slab, "slab\0page"),
	MDB_FIELD_END,
};

static const struct mdb_shape cpu_slab_shape = { "struct kmem_cache_cpu",
	cpu_slab_fields };

/* "allocated from", "freed from", or "of cache" where it is not known. */
static const char *
object_state(struct mdb_ctx *cx, const struct object *o)
{
	int held, cpu = -1;

	if (o->cache.sheaves != 0)
		return "in cache";
	held = list_holds(cx, o, o->slab.freelist);
	while (held == 0 && o->cache.cpu_slab != 0 &&
		kern_cpu_next(cx, o->world, &cpu) == MDB_OK) {
		struct cpu_slab c;
		mdb_addr_t addr;

		if (mdb_percpu_addr(cx, o->world, o->cache.cpu_slab, cpu,
			    &addr) != MDB_OK ||
			mdb_read_shape(cx, &cpu_slab_shape,
				mdb_kernel_loc(o->world, addr), &c) != MDB_OK)
			held = -1;
		else if (c.slab == o->page)
			held = list_holds(cx, o, c.freelist);
	}
	mdb_forget(cx);
	return held < 0	  ? "in cache"
	       : held > 0 ? "freed from"
			  : "allocated from";
}

/* The slab at a head page whose memory begins at base; false: no sense in it */
static bool
object_get(struct mdb_ctx *cx, struct mdb_loc page, mdb_addr_t base,
	mdb_addr_t addr, struct object *o)
{
	uint64_t len;
	bool typed = linux_type_size(cx, page.world, "struct slab", &len);

	memset(o, 0, sizeof(*o));
	o->world = page.world;
	o->page = page.addr;
	o->base = base;
	if (mdb_read_shape(cx, typed ? &slab_shape : &slab_page_shape, page,
		    &o->slab) != MDB_OK ||
		mdb_read_shape(cx, &cache_shape, mdb_at(page, o->slab.cache),
			&o->cache) != MDB_OK ||
		o->cache.size == 0 || o->slab.objects == 0 ||
		o->slab.objects > MAX_OBJECTS)
		return false;
	o->index = (addr - base) / o->cache.size;
	o->start = base + o->index * o->cache.size + o->cache.red_left_pad;
	return true;
}

static enum mdb_status
say_object(struct mdb_ctx *cx, struct mdb_loc loc, const struct object *o)
{
	char name[KERN_NAME_LEN] = "?";

	if (mdb_read_str(cx, mdb_at(loc, o->cache.name), name, sizeof(name)) !=
		MDB_OK)
		mdb_forget(cx);
	if (o->index >= o->slab.objects || loc.addr < o->start)
		return mdb_line(cx,
			"%" PRIx64 " is in a slab of cache %s, between objects",
			loc.addr, mdb_escape(cx, name, strlen(name)));
	return mdb_line(cx, "%" PRIx64 " is %" PRIx64 "+%" PRIx64 ", %s %s%s",
		loc.addr, o->start, loc.addr - o->start, object_state(cx, o),
		mdb_escape(cx, name, strlen(name)),
		loc.addr - o->start >= o->cache.object_size ? " (past its end)"
							    : "");
}

static enum mdb_status
say_page(struct mdb_ctx *cx, struct mdb_loc loc, uint64_t pfn,
	struct mdb_loc page, const struct page *p)
{
	return mdb_line(cx,
		"%" PRIx64 " is in page frame %" PRIx64 " (struct page %" PRIx64
		", flags %" PRIx64 ", %d references)",
		loc.addr, pfn, page.addr, p->flags, p->refs);
}

/*
 * The head of a tail page: a pointer + 1, or since 7.0 a mask + 1 where the
 * size of struct page is a power of two (include/linux/page-flags.h).  The
 * mask of no page is as low as vmemmap's addresses.
 */
static mdb_addr_t
head_of(mdb_addr_t page, uint64_t info)
{
	if ((info & 1) == 0)
		return page;
	return info - 1 <= page ? info - 1 : page & info;
}

/* An address of the direct map. */
static enum mdb_status
in_direct(struct mdb_ctx *cx, struct mdb_loc loc, const struct map *m,
	bool *found_out)
{
	uint64_t pfn = (loc.addr - m->direct) >> PAGE_SHIFT;
	struct mdb_loc page = mdb_at(loc, m->vmemmap + pfn * m->page_len);
	struct mdb_loc head = page;
	struct object o;
	struct page p;

	if (mdb_read_shape(cx, &page_shape, page, &p) != MDB_OK)
		goto none;
	head.addr = head_of(page.addr, p.head);
	if (head.addr != page.addr) {
		if (mdb_read_shape(cx, &page_shape, head, &p) != MDB_OK ||
			head.addr < m->vmemmap || head.addr > page.addr)
			goto none;
	}
	*found_out = true;
	if (is_slab(cx, loc.world, &p) &&
		object_get(cx, head,
			m->direct + ((head.addr - m->vmemmap) / m->page_len
					    << PAGE_SHIFT),
			loc.addr, &o))
		return say_object(cx, loc, &o);
	mdb_forget(cx);
	return say_page(cx, loc, pfn, page, &p);
none:
	mdb_forget(cx);
	return MDB_OK;
}

/* A struct page itself. */
static enum mdb_status
is_page(struct mdb_ctx *cx, struct mdb_loc loc, const struct map *m,
	bool *found_out)
{
	uint64_t pfn = (loc.addr - m->vmemmap) / m->page_len;
	struct mdb_vtop v;

	if (mdb_vtop(cx, loc, &v) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	*found_out = true;
	return mdb_line(cx,
		"%" PRIx64 " is %" PRIx64 "+%" PRIx64
		", the struct page of frame %" PRIx64 " (at %" PRIx64 ")",
		loc.addr, m->vmemmap + pfn * m->page_len,
		(loc.addr - m->vmemmap) % m->page_len, pfn,
		m->direct + (pfn << PAGE_SHIFT));
}

enum mdb_status
linux_whatis_page(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	struct map m;

	if (!map_get(cx, loc.world, &m))
		return MDB_OK;
	if (loc.addr >= m.direct && loc.addr < m.direct_end)
		return in_direct(cx, loc, &m, found_out);
	/* vmemmap is at most as large as all frames below 2^46 or 2^52 */
	if (loc.addr >= m.vmemmap && (loc.addr - m.vmemmap) / m.page_len <
					     (m.direct_end - m.direct) >>
					     PAGE_SHIFT)
		return is_page(cx, loc, &m, found_out);
	return MDB_OK;
}
