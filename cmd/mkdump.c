/* SPDX-License-Identifier: MIT */
/*
 * mkdump: the fixture compiler, text -> dump.
 *
 *	mkdump TEXT OUT		(with `split`: OUT.1, OUT.2, ...)
 *	mkdump --grow BYTES IN OUT
 *
 * One directive on a line, words separated by blanks, `#` begins a comment.
 * A number is an expression without blanks: 0x1f, label+8, phys(init_task),
 * (i*4)|3, 'A', u64(ADDR), file.descs+24*2.  A label may be used before its
 * line.
 *
 * The file:
 *	format elf64|elf32|kdump|diskdump|raw
 *	machine x86_64|i386
 *	version N, width 32|64	kdump header, and whose layout it has
 *	codec none|zlib|lzo|snappy|zstd	for the frames first touched from here
 *	level N, status N, max_pfn N, block_size N, one_bitmap
 *	xnum			the number of ELF segments in section 0
 *	split PFN...		parts of a split dump end at these frames
 *	flat [record=N] [reverse] [overlap] [noend]	flattened
 *	segment PADDR MEMSZ [vaddr=] [filesz=] [offset=] [type=] [copy]
 *	include "FILE"
 *
 * Memory:
 *	at PADDR, vat VADDR	where the next data go
 *	place VADDR PADDR LEN	says where virtual addresses lie, no more
 *	u8|u16|u32|u64 EXPR...	ref is u64
 *	str|strz|lstr8 "TEXT"	%{EXPR} hex, %{EXPR,d} decimal; lstr8: length
 *	text ... end		lines as they are, with %{}
 *	fill LEN BYTE, zero LEN, noise LEN SEED, align N, skip N
 *	incbin "FILE"
 *	NAME:, label NAME	the cursor (virtual after vat); equ NAME EXPR
 *	excluded PADDR LEN [untouched]	frames that exist and are not in the
 *		dump; untouched: only those that hold no data yet
 *
 * Page tables:
 *	pgtable NAME 32bit|pae|4level|5level at=PADDR	tables follow the root
 *	map VADDR PADDR LEN [size=4k|2m|4m|1g] [flags=] [nx] [notbig]
 *	pte VADDR LEVEL VALUE	an entry as it stands, for what is wrong
 *
 * CPUs and notes:
 *	prstatus [pid=] [rip=] [rsp=] ...	NT_PRSTATUS of the machine
 *	qemu_cpu [cr3=] [gs_base=] [kernel_gs_base=] ...
 *	xen_regs [cr0=] [cr2=] [cr3=] [cr4=]
 *	note "NAME" TYPE ... end	data directives between
 *	vmcoreinfo ... end, vmcoreinfo_xen ... end	lines of text
 *
 * Again and again:
 *	repeat NAME COUNT ... end	NAME counts from 0
 *	macro NAME PARAMETER... ... end	${PARAMETER} in its lines
 *
 * Damage, after all is written, with the labels file.phdrs file.notes
 * file.sub file.bitmap1 file.bitmap2 file.descs file.data:
 *	patch8|patch16|patch32|patch64 OFFSET VALUE
 *	truncate SIZE
 */
#include "mkdump/mkdump.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PASSES 16

/* It ends soon and frees nothing; the leak checker need not say so. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

void
mk_pwrite(struct mk *m, uint64_t off, const void *p, size_t len)
{
	if (len && pwrite(m->fd, p, len, (off_t)off) != (ssize_t)len)
		mk_die(m, "writing at %#llx failed", (unsigned long long)off);
}

static void
reset(struct mk *m)
{
	mk_memory_reset(m);
	free(m->notes.p);
	m->notes = (struct mk_bytes){ 0 };
	m->has_info = false;
	m->info_len = m->info_offset = 0;
	m->nr_segments = m->nr_patches = m->nr_places = m->nr_splits = 0;
	free(m->segments);
	free(m->patches);
	free(m->places);
	free(m->splits);
	m->segments = NULL;
	m->patches = NULL;
	m->places = NULL;
	m->splits = NULL;
	m->cursor = m->virt = m->pg_root = m->pg_next = 0;
	m->codec = MK_NONE;
	m->moved = false;
}

static void
compile(struct mk *m, const struct mk_lines *lines)
{
	for (m->pass = 1;; m->pass++) {
		reset(m);
		mk_execute(m, lines, 0);
		if (m->last)
			break;
		m->last = !m->moved || m->pass == MAX_PASSES;
	}
	m->at = NULL;
	if (m->moved)
		mk_die(m, "the labels do not settle");
}

static void
damage(struct mk *m)
{
	for (size_t i = 0; i < m->nr_patches; i++) {
		const struct mk_patch *p = &m->patches[i];

		m->at = p->line;
		uint64_t v = mk_expr(m, p->value);
		mk_pwrite(m, mk_expr(m, p->offset), &v, p->size);
	}
	if (m->truncate &&
		ftruncate(m->fd, (off_t)mk_expr(m, m->truncate)) != 0)
		mk_die(m, "truncating failed");
	m->at = NULL;
}

static int
create(struct mk *m, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		mk_die(m, "cannot write %s", path);
	return fd;
}

static void
write_one(struct mk *m, uint64_t start, uint64_t end, bool split)
{
	if (m->format == MK_ELF64 || m->format == MK_ELF32)
		mk_write_elf(m);
	else if (m->format == MK_RAW)
		mk_write_raw(m);
	else
		mk_write_kdump(m, start, end, split);
	damage(m);
}

static void
write_file(struct mk *m, const char *path, uint64_t start, uint64_t end,
	bool split)
{
	if (!m->flat_record) {
		m->fd = create(m, path);
		write_one(m, start, end, split);
		close(m->fd);
		return;
	}
	/* The file as it is meant to be, then its flattened form. */
	FILE *plain = tmpfile();
	if (!plain)
		mk_die(m, "no temporary file");
	m->fd = fileno(plain);
	write_one(m, start, end, split);
	off_t size = lseek(m->fd, 0, SEEK_END);
	int from = m->fd;
	m->fd = create(m, path);
	mk_write_flat(m, from, (uint64_t)size);
	close(m->fd);
	(void)fclose(plain);
}

static void
write_parts(struct mk *m, const char *path)
{
	char part[4096];
	uint64_t start = 0;

	for (size_t i = 0; i <= m->nr_splits; i++) {
		uint64_t end = i < m->nr_splits ? m->splits[i] : mk_end_pfn(m);

		(void)snprintf(part, sizeof(part), "%s.%zu", path, i + 1);
		write_file(m, part, start, end, true);
		start = end;
	}
}

int
main(int argc, char **argv)
{
	struct mk m = { .version = 6, .block_size = MK_PAGE, .status = -1 };

	if (argc == 5 && !strcmp(argv[1], "--grow"))
		return mk_grow_dump(argv[3], argv[4],
			strtoull(argv[2], NULL, 0));
	if (argc != 3) {
		(void)fputs("usage: mkdump TEXT OUT\n"
			    "       mkdump --grow BYTES IN OUT\n",
			stderr);
		return 2;
	}
	struct mk_lines lines = mk_lines_read(&m, argv[1], 0);
	compile(&m, &lines);
	m.last = true;
	if (m.nr_splits)
		write_parts(&m, argv[2]);
	else
		write_file(&m, argv[2], 0, mk_end_pfn(&m), false);
	return 0;
}
