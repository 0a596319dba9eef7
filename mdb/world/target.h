/* SPDX-License-Identifier: MIT */
/*
 * The target: one dump and the worlds found in it.
 */
#ifndef MDB_WORLD_TARGET_H
#define MDB_WORLD_TARGET_H

#include "mdb/world/world.h"

struct mdb_target_options {
	const char *const *dump_paths; /* one, or the parts of a split dump */
	size_t nr_dump_paths;
	const char *symbols_path; /* vmlinux given by the user, or NULL */
	const char *debug_root;	  /* "/usr/lib/debug" unless tests say else */
	bool raw;		  /* take any file as raw memory */
	size_t cache_bytes;	  /* 0: default */
	const char *key_path;	  /* of an encrypted dump's key, or NULL */
};

struct mdb_native;

struct mdb_target {
	struct mdb_target_options options; /* paths are owned copies */
	struct mdb_memory *memory;
	struct mdb_world *worlds;  /* owned; at least one (bare) */
	struct mdb_native *native; /* owned; what the dump itself states of its
				      worlds, or NULL; native.h */
	bool symbols_embedded;	   /* the file of symbols that the user named
				      is what the dump embeds: unix.N */
	char *name;		   /* the first dump path */
};

/*
 * Opens the dump and finds its worlds.  MDB_E_FORMAT, MDB_E_SYSTEM,
 * MDB_E_CORRUPT with what, where and what to do in the trail.  cx->target and
 * cx->world are set on success.
 */
enum mdb_status mdb_target_open(struct mdb_ctx *cx,
	const struct mdb_target_options *options,
	struct mdb_target **target_out);
/* Over memory that a test made; takes it over. */
struct mdb_target *mdb_target_create_memory(struct mdb_memory *memory);
void mdb_target_destroy(struct mdb_target *target);

/*
 * The registers that note number index of the dump has, as they are there;
 * what the dump does not say is not valid.  MDB_E_NOTFOUND without the note.
 */
enum mdb_status mdb_regs_of_note(struct mdb_ctx *cx, struct mdb_target *target,
	size_t index, struct mdb_regs *regs_out);

/* The registers that a dump has of a CPU; wide: of 64-bit code. */
struct mdb_regs mdb_regs_of_cpu(const struct dfmt_cpu *cpu, bool wide);

void mdb_target_add_world(struct mdb_target *target, struct mdb_world *world);

#endif
