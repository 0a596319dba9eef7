/* SPDX-License-Identifier: MIT */
/*
 * Files with debug data beside the dump: whose they are, and where they are
 * kept.  A file belongs to an object if both have the same build-id; no other
 * evidence counts.
 */
#ifndef MDB_SYM_DEBUGFILE_H
#define MDB_SYM_DEBUGFILE_H

#include <mdb/status.h>

/* Hex, with room for the longest id that linkers make (SHA-256). */
#define MDB_BUILD_ID_TEXT 65

/*
 * The build-id (note NT_GNU_BUILD_ID, ELF gABI notes) of an ELF file as hex.
 * MDB_E_NOTFOUND: it has none; MDB_E_FORMAT: it is no ELF file;
 * MDB_E_SYSTEM: it cannot be opened.
 */
enum mdb_status mdb_build_id_of_file(struct mdb_ctx *cx, const char *path,
	char text_out[MDB_BUILD_ID_TEXT]);

/*
 * What savecore writes into unix.N: the id of the dump that its symbols are
 * out of, 16 bytes.  As mdb_build_id_of_file.
 */
#define MDB_NOTE_NAME "mdb"
#define MDB_NOTE_DUMP_ID 1u
enum mdb_status mdb_dump_id_of_file(struct mdb_ctx *cx, const char *path,
	char text_out[MDB_BUILD_ID_TEXT]);

/*
 * MDB_OK if the file has this build-id, else MDB_E_FORMAT with both ids and
 * the object's name in the trail.
 */
enum mdb_status mdb_debugfile_check(struct mdb_ctx *cx, const char *path,
	const char *object_name, const char *build_id);

/*
 * ROOT/.build-id/xx/yyyy.debug, checked; the path lives until the command
 * ends.  MDB_E_NOTFOUND: there is none.
 */
enum mdb_status mdb_debugfile_find(struct mdb_ctx *cx, const char *root,
	const char *build_id, const char **path_out);

#endif
