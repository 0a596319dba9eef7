/* SPDX-License-Identifier: MIT */
/* The notes of a dump as the bytes of an ELF note segment. */
#ifndef CMD_COMMON_NOTES_H
#define CMD_COMMON_NOTES_H

#include "cmd/common/error.h"
#include "mdb/base/buf.h"

/* Appends one note: header, name, desc, each padded to 4. */
void cmd_note_add(struct mdb_buf *b, const char *name, uint32_t type,
	const void *desc, size_t desc_len);

/* The dump's own notes, as they are and in their order. */
void cmd_notes_copy(const struct dfmt *d, struct mdb_buf *b);

/*
 * Notes that say what the dump says of its CPUs otherwise: NT_PRSTATUS for
 * each, and QEMU's note for each where control registers are known.
 */
void cmd_notes_make(const struct dfmt *d, struct mdb_buf *b);

#endif
