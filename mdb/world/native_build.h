/* SPDX-License-Identifier: MIT */
/*
 * For tests: what a dump would say of a small machine with a 32-bit Xen and a
 * SunOS kernel that it runs, with symbols, over fake memory.  All its virtual
 * addresses from 0xc0000000 on lie in a window at machine address 0.
 */
#ifndef MDB_WORLD_NATIVE_BUILD_H
#define MDB_WORLD_NATIVE_BUILD_H

#include "mdb/base/ctx.h"
#include "mdb/world/native.h"

#include <elf.h>
#include <string.h>

#define NB_WINDOW 0xc0000000ull
#define NB_XEN 0xff100000ull
#define NB_XEN_END 0xff1a0000ull
#define NB_UNIX 0xf4c00000ull
#define NB_UNIX_END 0xf4d00000ull
#define NB_GENUNIX 0xf5000000ull
#define NB_GENUNIX_END 0xf5010000ull
#define NB_MAX_SYMS 24

enum {
	NB_OBJ_XPV,
	NB_OBJ_GENUNIX,
	NB_OBJ_UNIX,
	NB_NR_OBJECTS
};

struct native_syms {
	Elf64_Sym syms[NB_MAX_SYMS];
	size_t nr;
	char strings[512];
	size_t strings_len;
};

struct native_build {
	struct mdb_ctx cx;
	struct mdb_memory *mem;
	struct mdb_target *target;
	struct dfmt_world worlds[2];
	struct dfmt_object objects[NB_NR_OBJECTS];
	struct dfmt_cpu cpus[2];
	const char *versions[1];
	struct mdb_native_facts facts;
	struct native_syms syms[NB_NR_OBJECTS];
	const void *btf[NB_NR_OBJECTS];
	size_t btf_len[NB_NR_OBJECTS];
	unsigned int nr_blobs_asked;
	enum mdb_status blob_status; /* not MDB_OK: each blob fails so */
};

static inline enum mdb_status
nb_blob(struct mdb_ctx *cx, void *arg, size_t object, uint32_t kind,
	const void **bytes_out, size_t *len_out)
{
	struct native_build *nb = arg;
	const struct native_syms *s = &nb->syms[object];

	nb->nr_blobs_asked++;
	if (nb->blob_status != MDB_OK)
		return mdb_fail(cx, nb->blob_status, "a piece is lost");
	switch (kind) {
	case DFMT_BLOB_SYMTAB:
		*bytes_out = s->syms;
		*len_out = s->nr * sizeof(s->syms[0]);
		return s->nr ? MDB_OK : MDB_E_NOTFOUND;
	case DFMT_BLOB_STRTAB:
		*bytes_out = s->strings;
		*len_out = s->strings_len;
		return MDB_OK;
	default:
		*bytes_out = nb->btf[object];
		*len_out = nb->btf_len[object];
		return nb->btf[object] ? MDB_OK : MDB_E_NOTFOUND;
	}
}

static inline void
nb_sym(struct native_build *nb, size_t object, const char *name, uint64_t value,
	uint64_t size)
{
	struct native_syms *s = &nb->syms[object];
	Elf64_Sym *sym = &s->syms[s->nr++];

	if (s->strings_len == 0)
		s->strings_len = 1;
	sym->st_name = (Elf64_Word)s->strings_len;
	sym->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	sym->st_shndx = 1;
	sym->st_value = value;
	sym->st_size = size;
	memcpy(s->strings + s->strings_len, name, strlen(name) + 1);
	s->strings_len += strlen(name) + 1;
}

static inline void
nb_world(struct dfmt_world *w, uint32_t kind, const char *system,
	const char *name)
{
	*w = (struct dfmt_world){ .kind = kind,
		.paging = DFMT_PAGING_NONE,
		.machine = DFMT_MACHINE_I386,
		.domain = kind == DFMT_WORLD_HYPERVISOR ? UINT32_MAX : 0,
		.parent = kind == DFMT_WORLD_HYPERVISOR ? UINT32_MAX : 0,
		.window_start = NB_WINDOW,
		.window_len = 0x100000000 - NB_WINDOW };
	memcpy(w->system, system, strlen(system));
	memcpy(w->name, name, strlen(name));
}

static inline void
nb_object(struct native_build *nb, size_t i, uint32_t world, const char *name,
	uint64_t base, uint64_t end)
{
	nb->objects[i] = (struct dfmt_object){ .world = world,
		.base = base,
		.end = end,
		.data_base = end,
		.data_end = end + 0x1000,
		.build_id = { 0xab, (uint8_t)i },
		.build_id_len = 2 };
	memcpy(nb->objects[i].name, name, strlen(name));
}

/* World 0 is the hypervisor, world 1 the kernel; CPU 2 panicked. */
static inline void
nb_init(struct native_build *nb)
{
	memset(nb, 0, sizeof(*nb));
	mdb_ctx_init(&nb->cx);
	nb->mem = mdb_memory_create_fake();
	nb->target = mdb_target_create_memory(nb->mem);
	nb->cx.target = nb->target;
	nb_world(&nb->worlds[0], DFMT_WORLD_HYPERVISOR, "xen", "xpv");
	nb->worlds[0].first = 0xff000000;
	nb->worlds[0].last = 0xffffffff;
	nb_world(&nb->worlds[1], DFMT_WORLD_CONTROL, "illumos", "unix");
	nb->worlds[1].first = NB_WINDOW;
	nb->worlds[1].last = 0xfeffffff;
	nb_object(nb, NB_OBJ_XPV, 0, "xpv", NB_XEN, NB_XEN_END);
	nb_object(nb, NB_OBJ_GENUNIX, 1, "genunix", NB_GENUNIX, NB_GENUNIX_END);
	nb_object(nb, NB_OBJ_UNIX, 1, "unix", NB_UNIX, NB_UNIX_END);
	nb->cpus[0] = (struct dfmt_cpu){ .has_regs = true,
		.has_cr = true,
		.has_native = true,
		.panicked = true,
		.has_vcpu = true,
		.has_stack = true,
		.id = 2,
		.rip = 0xff13b83f,
		.rbp = 0xffbf3f38,
		.rsp = 0xffbf3f1c,
		.cs = 0xe008,
		.cr2 = 0xc5a08fd4,
		.current_vcpu = 0xffbe1100,
		.stack_first = 0xffbf2000,
		.stack_end = 0xffbf4000 };
	nb->cpus[1] = (struct dfmt_cpu){ .has_regs = true,
		.has_vcpu = true,
		.id = 0,
		.domain = 0x7fff,
		.rip = NB_XEN };
	nb->versions[0] = "release=5.11";
	nb->facts = (struct mdb_native_facts){ .worlds = nb->worlds,
		.nr_worlds = 2,
		.objects = nb->objects,
		.nr_objects = NB_NR_OBJECTS,
		.cpus = nb->cpus,
		.nr_cpus = 2,
		.panic_cpu = 0,
		.reason = "Domain 0 crashed:",
		.versions = nb->versions,
		.nr_versions = 1,
		.blob = nb_blob,
		.blob_arg = nb };
}

static inline enum mdb_status
nb_create(struct native_build *nb)
{
	enum mdb_status st = mdb_native_create(&nb->cx, nb->target, &nb->facts);

	nb->cx.world = nb->target->worlds;
	return st;
}

static inline void
nb_fini(struct native_build *nb)
{
	mdb_target_destroy(nb->target);
	mdb_ctx_fini(&nb->cx);
}

static inline void
nb_write(struct native_build *nb, mdb_addr_t addr, const void *bytes,
	size_t len)
{
	mdb_fake_write(nb->mem, addr - NB_WINDOW, bytes, len);
}

static inline void
nb_word(struct native_build *nb, mdb_addr_t addr, uint32_t value)
{
	nb_write(nb, addr, &value, sizeof(value));
}

/* A call ends at addr. */
static inline void
nb_call_before(struct native_build *nb, mdb_addr_t addr)
{
	static const uint8_t call[] = { 0xe8, 0, 0, 0, 0 };

	nb_write(nb, addr - sizeof(call), call, sizeof(call));
}

#endif
