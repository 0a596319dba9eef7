/* SPDX-License-Identifier: MIT */
/*
 * The panicking hypervisor's own stack trace, for the first thing that a dump
 * says.  It follows saved frame pointers.  One that is inverted marks an
 * exception frame: inverted again it is where the interrupted ebp was saved,
 * with eax, error code and vector, and eip in the words behind it.
 *
 * Each frame lies above the one before, except where an exception frame leads
 * to another stack; the caller's limit bounds the walk all the same.
 */
#include "machine_impl.h"

/* The words of an exception frame from the saved ebp on. */
enum {
	SAVED_EBP,
	SAVED_EAX,
	SAVED_VECTOR,
	SAVED_EIP,
	NR_SAVED
};

/* A stack of the hypervisor is two pages. */
#define SAME_STACK 0x2000u

static void
name_frame(const struct gold_machine *m, struct gold_frame *f)
{
	f->object = gold_object_at(m, f->pc);
	f->symbol = gold_symbol_at(m, f->pc);
}

/* Does next, found at fp, mark an exception frame on the same stack? */
static bool
is_mark(uint32_t fp, uint32_t next)
{
	return ~next > fp && ~next - fp < SAME_STACK;
}

static bool
after_trap(const struct gold_machine *m, uint32_t cr3, uint32_t mark,
	struct gold_frame *next_out)
{
	uint32_t saved[NR_SAVED];

	if (!gold_read_virtual(m, cr3, ~mark, saved, sizeof(saved)))
		return false;
	*next_out = (struct gold_frame){
		.fp = saved[SAVED_EBP],
		.pc = saved[SAVED_EIP],
		.is_trap = true,
		.trap_vector = (uint16_t)(saved[SAVED_VECTOR] >> 16),
		.trap_error = (uint16_t)saved[SAVED_VECTOR],
	};
	return true;
}

/* The entry code's frame has the mark itself for an address. */
static bool
after_call(const struct gold_machine *m, uint32_t cr3, uint32_t fp,
	struct gold_frame *next_out)
{
	uint32_t pair[2];

	if (!gold_read_virtual(m, cr3, fp, pair, sizeof(pair)) || !pair[0])
		return false;
	*next_out = (struct gold_frame){ .fp = pair[0], .pc = pair[1] };
	if (is_mark(fp, pair[0]))
		next_out->fp = ~pair[0];
	else if (pair[0] <= fp)
		return false;
	return true;
}

static bool
step(const struct gold_machine *m, uint32_t cr3, const struct gold_frame *f,
	bool *is_entry, struct gold_frame *next_out)
{
	uint32_t pair[2];

	if (*is_entry) {
		*is_entry = false;
		return after_trap(m, cr3, ~f->fp, next_out);
	}
	*is_entry = gold_read_virtual(m, cr3, f->fp, pair, sizeof(pair)) &&
		    is_mark(f->fp, pair[0]);
	return after_call(m, cr3, f->fp, next_out);
}

size_t
gold_trace(const struct gold_machine *m, const struct gold_cpu *cpu,
	struct gold_frame *frames_out, size_t max)
{
	struct gold_frame f = { .fp = cpu->ebp, .pc = cpu->eip };
	bool is_entry = false;
	size_t nr = 0;

	while (nr < max) {
		name_frame(m, &f);
		frames_out[nr++] = f;
		if (!step(m, cpu->cr3, &f, &is_entry, &f))
			break;
	}
	return nr;
}
