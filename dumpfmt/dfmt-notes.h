/* SPDX-License-Identifier: MIT */
/*
 * The notes of a dump and what they say of its CPUs.
 *
 * Notes are copied out of the file when the dump is opened: they are few, and
 * what is handed out must live as long as the dump.
 */
#ifndef DFMT_NOTES_H
#define DFMT_NOTES_H

#include "dfmt-source.h"

/* In all; no real dump is near this (8192 CPUs make some 8 MiB). */
#define DFMT_NOTES_MAX_BYTES (64u << 20)

struct dfmt_notes {
	struct dfmt_note *notes;
	size_t nr_notes;
	struct dfmt_cpu *cpus;
	size_t nr_cpus;
	enum dfmt_machine machine; /* whose registers NT_PRSTATUS holds */
	void **blocks;		   /* what the notes point into */
	size_t nr_blocks;
	uint64_t nr_bytes; /* in them; at most DFMT_NOTES_MAX_BYTES */
	const char *vmcoreinfo;
	size_t vmcoreinfo_len;
	const char *vmcoreinfo_xen;
	size_t vmcoreinfo_xen_len;
	bool cut; /* the last note ran over the end of its segment */
};

/*
 * Adds the notes in len bytes at off of src.  A note that overruns ends the
 * pass (notes->cut); what came before it stands.
 */
enum dfmt_status dfmt_notes_add(struct dfmt_notes *notes,
	struct dfmt_source *src, uint64_t off, uint64_t len,
	struct dfmt_err *err);

/* Takes len bytes at off of src as the text of VMCOREINFO. */
enum dfmt_status dfmt_notes_add_vmcoreinfo(struct dfmt_notes *notes,
	struct dfmt_source *src, uint64_t off, uint64_t len,
	struct dfmt_err *err);

/* After the last add: makes CPUs of the register notes. */
enum dfmt_status dfmt_notes_finish(struct dfmt_notes *notes,
	struct dfmt_err *err);

void dfmt_notes_fini(struct dfmt_notes *notes);

/* cpus.c: used by notes.c and its tests. */
bool dfmt_cpu_from_prstatus(const void *desc, size_t len,
	struct dfmt_cpu *cpu_out);
bool dfmt_cpu_add_qemu(const void *desc, size_t len, struct dfmt_cpu *cpu);
/* Whose NT_PRSTATUS has this length. */
enum dfmt_machine dfmt_cpu_machine(size_t len);
bool dfmt_cpu_add_xen(const void *desc, size_t len, struct dfmt_cpu *cpu);

#endif
