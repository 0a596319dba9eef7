/* SPDX-License-Identifier: MIT */
/*
 * The machine as an ELF core, as a crash kernel's /proc/vmcore has it: one
 * segment for each range of memory, and for each processor NT_PRSTATUS with
 * the general registers and Xen's note with the control registers.  Frames of
 * zeros are holes of the file.
 */
#include "machine_impl.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NOTES_LEN 4096u
#define PRSTATUS_LEN 144u
#define PRSTATUS_PID 24
#define PRSTATUS_REGS 72
#define XEN_CRASH_REGS 0x1000002u
#define MAX_RANGES 8

struct notes {
	uint8_t bytes[NOTES_LEN];
	uint32_t len;
};

static void
put(struct notes *n, uint32_t type, const char *name, const void *desc,
	uint32_t len)
{
	uint32_t name_len = (uint32_t)strlen(name) + 1;
	Elf32_Nhdr h = { name_len, len, type };

	memcpy(n->bytes + n->len, &h, sizeof(h));
	memcpy(n->bytes + n->len + sizeof(h), name, name_len);
	n->len += (uint32_t)sizeof(h) + (name_len + 3) / 4 * 4;
	memcpy(n->bytes + n->len, desc, len);
	n->len += (len + 3) / 4 * 4;
}

static void
put_cpu(struct notes *n, const struct gold_cpu *c)
{
	const uint32_t regs[] = { c->ebx, c->ecx, c->edx, c->esi, c->edi,
		c->ebp, c->eax, c->ds, c->es, c->fs, c->gs, ~0u, c->eip, c->cs,
		c->eflags, c->esp, c->ss };
	const uint64_t control[] = { c->cr0, c->cr2, c->cr3, c->cr4 };
	uint8_t status[PRSTATUS_LEN] = { 0 };

	memcpy(status + PRSTATUS_PID, &c->id, sizeof(c->id));
	memcpy(status + PRSTATUS_REGS, regs, sizeof(regs));
	put(n, NT_PRSTATUS, "CORE", status, sizeof(status));
	put(n, XEN_CRASH_REGS, "Xen", control, sizeof(control));
}

static void
put_cpus(struct notes *n, const struct gold_machine *m)
{
	uint32_t first = gold_panic_cpu(m);

	for (uint32_t i = 0; i < GOLD_NR_CPUS; i++)
		put_cpu(n, &m->cpus[(first + i) % GOLD_NR_CPUS]);
}

static bool
write_at(int fd, const void *bytes, size_t len, uint64_t at)
{
	return pwrite(fd, bytes, len, (off_t)at) == (ssize_t)len;
}

static bool
write_range(const struct gold_machine *m, int fd, const struct gold_range *r,
	uint64_t at)
{
	for (uint64_t pfn = r->start_pfn; pfn < r->end_pfn; pfn++)
		if (m->frames[pfn] &&
			!write_at(fd, m->frames[pfn], GOLD_PAGE,
				at + (pfn - r->start_pfn) * GOLD_PAGE))
			return false;
	return true;
}

static Elf32_Phdr
segment(const struct gold_range *r, uint64_t at)
{
	uint32_t len = (uint32_t)(r->end_pfn - r->start_pfn) * GOLD_PAGE;

	return (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_offset = (Elf32_Off)at,
		.p_paddr = (Elf32_Addr)r->start_pfn * GOLD_PAGE,
		.p_filesz = len,
		.p_memsz = len,
		.p_flags = PF_R | PF_W | PF_X,
	};
}

static bool
write_headers(int fd, const struct notes *n, const Elf32_Phdr *loads, size_t nr)
{
	Elf32_Ehdr h = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32,
			ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(h),
		.e_ehsize = sizeof(h),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = (Elf32_Half)(nr + 1),
	};
	Elf32_Phdr note = {
		.p_type = PT_NOTE,
		.p_offset = GOLD_PAGE,
		.p_filesz = n->len,
	};

	return write_at(fd, &h, sizeof(h), 0) &&
	       write_at(fd, &note, sizeof(note), sizeof(h)) &&
	       write_at(fd, loads, nr * sizeof(*loads),
		       sizeof(h) + sizeof(note)) &&
	       write_at(fd, n->bytes, n->len, GOLD_PAGE);
}

static bool
write_all(const struct gold_machine *m, int fd)
{
	struct notes notes = { .len = 0 };
	Elf32_Phdr loads[MAX_RANGES];
	uint64_t at = UINT64_C(2) * GOLD_PAGE;
	size_t nr;
	const struct gold_range *ranges = gold_ranges(m, &nr);

	put_cpus(&notes, m);
	for (size_t i = 0; i < nr && i < MAX_RANGES; i++) {
		loads[i] = segment(&ranges[i], at);
		if (!write_range(m, fd, &ranges[i], at))
			return false;
		at += loads[i].p_filesz;
	}
	return ftruncate(fd, (off_t)at) == 0 &&
	       write_headers(fd, &notes, loads, nr);
}

bool
gold_write_core(const struct gold_machine *m, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool ok;

	if (fd < 0)
		return false;
	ok = write_all(m, fd);
	return close(fd) == 0 && ok;
}
