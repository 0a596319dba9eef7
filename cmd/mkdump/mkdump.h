/* SPDX-License-Identifier: MIT */
/*
 * The fixture compiler: what its files share.  The language is described at
 * the head of cmd/mkdump.c and in testdata/dumps/README.md.
 *
 * The text is executed again and again until its labels stand still, so a
 * label may be used before its line; then the file is written.  An error in
 * the text ends the program with `file:line: message`.
 *
 * Nothing of the reading library is used here: a fault that reader and writer
 * share would hide itself.
 */
#ifndef MKDUMP_H
#define MKDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MK_PAGE 4096u
#define MK_TOKENS 512
#define MK_DEPTH 32

struct mk_line {
	const char *text;
	const char *file;
	int number;
};

struct mk_lines {
	struct mk_line *lines;
	size_t nr;
};

struct mk_token {
	char *text;
	bool is_string;
};

struct mk_label {
	char *name;
	uint32_t hash; /* of the name: looking for one is most of the work */
	uint64_t value;
	uint64_t first;	   /* of the values that it took in the last pass */
	unsigned int pass; /* in which it was last set */
};

struct mk_macro {
	char *name;
	char **params;
	size_t nr_params;
	struct mk_lines body;
};

enum mk_codec {
	MK_NONE,
	MK_ZLIB,
	MK_LZO,
	MK_SNAPPY,
	MK_ZSTD
};

struct mk_frame {
	uint64_t pfn;
	bool excluded;
	enum mk_codec codec;
	uint8_t bytes[MK_PAGE];
};

/* A linear piece of virtual addresses. */
struct mk_place {
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t len;
};

struct mk_bytes {
	uint8_t *p;
	size_t len;
	size_t room;
};

struct mk_segment {
	uint64_t paddr, vaddr, filesz, memsz, offset;
	uint32_t type;
	bool has_offset;
	bool copy; /* its own bytes, though another segment has them */
};

struct mk_patch {
	const char *offset; /* expressions, of the finished file */
	const char *value;
	unsigned int size;
	const struct mk_line *line;
};

enum mk_format {
	MK_ELF64,
	MK_ELF32,
	MK_KDUMP,
	MK_DISKDUMP,
	MK_RAW
};
enum mk_paging {
	MK_PG_32,
	MK_PG_PAE,
	MK_PG_4,
	MK_PG_5
};

struct mk {
	const struct mk_line *at; /* for messages */
	unsigned int pass;
	bool moved; /* a label changed in this pass */
	bool last;  /* a name that is not known is an error */
	struct mk_label *labels;
	size_t nr_labels;
	struct mk_macro *macros;
	size_t nr_macros;

	struct mk_frame **frames; /* sorted by pfn */
	size_t nr_frames, room_frames;
	struct mk_place *places;
	size_t nr_places;
	uint64_t cursor;       /* machine address */
	uint64_t virt;	       /* virtual minus machine address of the cursor */
	struct mk_bytes *sink; /* a note's bytes instead of memory */

	struct mk_bytes notes;
	uint64_t info_offset, info_len; /* VMCOREINFO in notes */
	bool has_info;
	struct mk_segment *segments;
	size_t nr_segments;
	struct mk_patch *patches;
	size_t nr_patches;
	const char *truncate;

	enum mk_format format;
	bool is_i386;
	int version;
	bool width_32;
	enum mk_codec codec;
	uint32_t level;
	uint64_t max_pfn; /* 0: the highest frame + 1 */
	uint32_t block_size;
	int64_t status; /* -1: from the codec */
	bool one_bitmap;
	bool xnum;
	uint64_t *splits;
	size_t nr_splits;
	uint64_t flat_record; /* 0: not flattened */
	bool flat_reverse, flat_overlap, flat_open;

	enum mk_paging paging;
	uint64_t pg_root, pg_next;

	int fd; /* of the file being written */
};

/* text.c */
void mk_die(const struct mk *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void *mk_grow(void *p, size_t nr, size_t size); /* room for one more */
char *mk_dup(const char *s, size_t len);
struct mk_lines mk_lines_read(struct mk *m, const char *path, int depth);
void mk_execute(struct mk *m, const struct mk_lines *lines, int depth);
size_t mk_tokens(struct mk *m, const char *line, struct mk_token *tokens);
/* Number of lines up to the `end` that closes the block begun before i. */
size_t mk_block(struct mk *m, const struct mk_lines *lines, size_t i);
/* The value of `key=...` among tokens, or NULL. */
const char *mk_option(const struct mk_token *t, size_t nr, const char *key);
bool mk_word(const struct mk_token *t, size_t nr, const char *word);

/* expr.c */
uint64_t mk_expr(struct mk *m, const char *text);
void mk_label_set(struct mk *m, const char *name, uint64_t value);
/* A string with its escapes and %{...} done. */
struct mk_bytes mk_text(struct mk *m, const char *s, bool escapes);

/* memory.c */
struct mk_frame *mk_frame(struct mk *m, uint64_t pfn);
const struct mk_frame *mk_frame_find(const struct mk *m, uint64_t pfn);
void mk_emit(struct mk *m, const void *bytes, size_t len);
void mk_emit_int(struct mk *m, uint64_t v, unsigned int size);
void mk_poke(struct mk *m, uint64_t paddr, uint64_t v, unsigned int size);
uint64_t mk_peek(const struct mk *m, uint64_t paddr, unsigned int size);
uint64_t mk_phys(struct mk *m, uint64_t vaddr);
void mk_exclude(struct mk *m, uint64_t paddr, uint64_t len, bool untouched);
void mk_memory_reset(struct mk *m);
bool mk_data(struct mk *m, const struct mk_token *t, size_t nr);
void mk_bytes_add(struct mk_bytes *b, const void *p, size_t len);
void mk_bytes_int(struct mk_bytes *b, uint64_t v, unsigned int size);
void mk_bytes_zero(struct mk_bytes *b, size_t len);

/* notes.c */
void mk_note_add(struct mk *m, const char *name, uint32_t type,
	const struct mk_bytes *desc);
bool mk_cpu(struct mk *m, const struct mk_token *t, size_t nr);

/* paging.c */
bool mk_paging(struct mk *m, const struct mk_token *t, size_t nr);

/* codec.c: the length, or 0 when the codec does not make it shorter. */
size_t mk_compress(enum mk_codec codec, const uint8_t *in, size_t len,
	uint8_t *out, size_t room);
bool mk_codec_named(const char *name, enum mk_codec *codec_out);
uint32_t mk_codec_flag(enum mk_codec codec);

/* the writers */
void mk_pwrite(struct mk *m, uint64_t off, const void *p, size_t len);
void mk_write_elf(struct mk *m);
void mk_write_kdump(struct mk *m, uint64_t start_pfn, uint64_t end_pfn,
	bool split);
void mk_write_raw(struct mk *m);
void mk_write_flat(struct mk *m, int from, uint64_t size);
uint64_t mk_end_pfn(const struct mk *m);
/* The bytes of block (block_size bytes); false: not in the dump. */
bool mk_block_bytes(const struct mk *m, uint64_t block, uint8_t *out,
	bool *exists_out, enum mk_codec *codec_out);

/* grow.c: the same dump on a machine with more memory. */
int mk_grow_dump(const char *in, const char *out, uint64_t bytes);

#endif
