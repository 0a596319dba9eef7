/* SPDX-License-Identifier: MIT */
/*
 * The running kernel's VMCOREINFO, which /proc/kcore has as a note (Linux 4.19;
 * fs/proc/kcore.c).
 */
#include "cmd/dumpadm/hypfs.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTES_MAX (1u << 20)
#define HEADERS_MAX 4096u

static bool
read_at(int fd, uint64_t offset, void *buf, size_t len)
{
	return offset <= INT64_MAX - len &&
	       pread(fd, buf, len, (off_t)offset) == (ssize_t)len;
}

static size_t
up4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* Notes: name and description, each padded to four bytes. */
static bool
note_find(const unsigned char *p, size_t len, char *text, size_t *len_out)
{
	static const char name[] = "VMCOREINFO";
	Elf64_Nhdr h;

	while (len >= sizeof(h)) {
		size_t name_len, desc_len;

		memcpy(&h, p, sizeof(h));
		p += sizeof(h);
		len -= sizeof(h);
		if (h.n_namesz > len || h.n_descsz > len)
			return false;
		name_len = up4(h.n_namesz);
		desc_len = up4(h.n_descsz);
		if (name_len > len || h.n_descsz > len - name_len)
			return false;
		if (h.n_namesz == sizeof(name) &&
			memcmp(p, name, sizeof(name)) == 0) {
			if (h.n_descsz == 0 || h.n_descsz > ADM_NOTE_TEXT)
				return false;
			memcpy(text, p + name_len, h.n_descsz);
			*len_out = h.n_descsz;
			return true;
		}
		if (desc_len > len - name_len)
			return false;
		p += name_len + desc_len;
		len -= name_len + desc_len;
	}
	return false;
}

static bool
segment_look(int fd, const Elf64_Phdr *ph, char *text, size_t *len_out)
{
	unsigned char *notes;
	bool found;

	if (ph->p_type != PT_NOTE || ph->p_filesz > NOTES_MAX)
		return false;
	notes = malloc(ph->p_filesz + 1);
	if (notes == NULL)
		return false;
	found = read_at(fd, ph->p_offset, notes, ph->p_filesz) &&
		note_find(notes, ph->p_filesz, text, len_out);
	free(notes);
	return found;
}

static bool
core_look(int fd, char *text, size_t *len_out)
{
	Elf64_Ehdr eh;

	if (!read_at(fd, 0, &eh, sizeof(eh)) ||
		memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
		eh.e_ident[EI_CLASS] != ELFCLASS64 ||
		eh.e_phentsize != sizeof(Elf64_Phdr) ||
		eh.e_phnum > HEADERS_MAX)
		return false;
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;

		if (!read_at(fd, eh.e_phoff + i * sizeof(ph), &ph, sizeof(ph)))
			return false;
		if (segment_look(fd, &ph, text, len_out))
			return true;
	}
	return false;
}

enum cmd_status
adm_vmcoreinfo(const char *path, char *text, size_t *len_out,
	struct cmd_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool found;

	if (fd < 0)
		return cmd_fail_errno(err, CMD_OPEN, "%s", path);
	found = core_look(fd, text, len_out);
	(void)close(fd);
	return found ? CMD_OK
		     : cmd_fail(err, CMD_FAILED, "%s has no note VMCOREINFO",
			       path);
}
