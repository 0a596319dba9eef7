/* SPDX-License-Identifier: MIT */
/*
 * How one value of each format character is printed: the part of the formats
 * that needs no target.  Widths and spellings are mdb's.
 */
#ifndef MDB_LANG_FORMAT_H
#define MDB_LANG_FORMAT_H

#include "mdb/base/buf.h"
#include "mdb/lang/lang.h"

/* The entry of a letter, or NULL. */
const struct mdb_format_info *mdb_format_find(char letter);

/*
 * Appends the number v in the form of letter (a numeric format: B b C c d D e
 * E f F g G h H J K o O q Q R u U v V w W x X Y y Z).  word is the size of a
 * pointer.  False when the letter is not numeric.
 */
bool mdb_format_number(struct mdb_buf *b, char letter, uint64_t v, size_t word);

/* Bytes that a numeric format takes; 0 for the others. */
size_t mdb_format_size(char letter, size_t word);

/* `j`: the bits of v with a line for each that is set; margin blanks first. */
void mdb_format_bits(struct mdb_buf *b, uint64_t v, unsigned int margin);

/* Appends text from the dump; control characters as C escapes.  Keeps \n and
 * \t as they are unless all. */
void mdb_format_text(struct mdb_buf *b, const char *text, size_t len, bool all);

#endif
