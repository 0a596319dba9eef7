/* SPDX-License-Identifier: MIT */
/*
 * ::xenregs: registers that the hypervisor saved.
 *
 * struct cpu_user_regs (xen/include/public/arch-x86/xen-x86_64.h) is what it
 * leaves on a stack when it is entered, and in a vcpu that does not run; struct
 * vcpu_guest_context (arch-x86/xen.h) is what a toolstack is given.  Both are
 * part of the interface to guests and look the same in all versions.
 */
#include "xpv.h"

#include <inttypes.h>

const struct mdb_option xpv_xenregs_options[] = {
	{ 'g', MDB_OPT_FLAG, NULL,
		"the address is that of a struct vcpu_guest_context" },
	{ 'p', MDB_OPT_FLAG, NULL, "the address is that of a struct vcpu" },
	{ 0 },
};

const struct mdb_example xpv_xenregs_examples[] = {
	{ "::walk vcpu | ::xenregs -p", "the registers of each vcpu" },
	{ "*xpv`stack_base+7ef8::xenregs",
		"those of a guest at the top of CPU 0's stack, 4.17 to 4.20" },
	{ NULL },
};

/* Offsets in struct vcpu_guest_context of a 64-bit guest. */
enum {
	CONTEXT_FLAGS = 512,
	CONTEXT_REGS = 520,
	CONTEXT_CTRLREG = 4984,
	CONTEXT_FS_BASE = 5144,
	CONTEXT_LEN = 5168,
};

/* VGCF_* */
static const struct xpv_bit context_bits[] = {
	{ 1u << 0, "i387_valid" },
	{ 1u << 2, "in_kernel" },
	{ 1u << 3, "failsafe_disables_events" },
	{ 1u << 4, "syscall_disables_events" },
	{ 1u << 5, "online" },
	{ 0, NULL },
};

/* What of struct cpu_user_regs is no register. */
struct entry {
	uint32_t error_code, vector;
	uint8_t upcall_mask;
};

static uint64_t
le(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	while (len-- > 0)
		v = v << 8 | p[len];
	return v;
}

/* In the order of the structure, 8 bytes each. */
static void
decode(const uint8_t b[MDB_XEN_REGS_LEN], struct mdb_regs *regs,
	struct entry *e)
{
	static const struct {
		enum mdb_reg reg;
		uint8_t at, len;
	} map[] = { { MDB_R_15, 0, 8 }, { MDB_R_14, 8, 8 }, { MDB_R_13, 16, 8 },
		{ MDB_R_12, 24, 8 }, { MDB_R_BP, 32, 8 }, { MDB_R_BX, 40, 8 },
		{ MDB_R_11, 48, 8 }, { MDB_R_10, 56, 8 }, { MDB_R_9, 64, 8 },
		{ MDB_R_8, 72, 8 }, { MDB_R_AX, 80, 8 }, { MDB_R_CX, 88, 8 },
		{ MDB_R_DX, 96, 8 }, { MDB_R_SI, 104, 8 }, { MDB_R_DI, 112, 8 },
		{ MDB_R_IP, 128, 8 }, { MDB_R_CS, 136, 2 },
		{ MDB_R_FLAGS, 144, 8 }, { MDB_R_SP, 152, 8 },
		{ MDB_R_SS, 160, 2 }, { MDB_R_ES, 168, 2 },
		{ MDB_R_DS, 176, 2 }, { MDB_R_FS, 184, 2 },
		{ MDB_R_GS, 192, 2 } };

	*regs = (struct mdb_regs){ 0 };
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		mdb_reg_set(regs, map[i].reg, le(b + map[i].at, map[i].len));
	e->error_code = (uint32_t)le(b + 120, 4);
	e->vector = (uint32_t)le(b + 124, 4);
	e->upcall_mask = b[140];
	mdb_reg_set(regs, MDB_R_TRAP, e->vector);
	mdb_reg_set(regs, MDB_R_ERR, e->error_code);
}

/* ---- in words ------------------------------------------------------------ */

/* TRAP_syscall and HYPERCALL_VECTOR, xen/arch/x86/include/asm. */
#define VECTOR_SYSCALL 0x100u
#define VECTOR_HYPERCALL 0x82u

static const char *
vector_text(struct mdb_ctx *cx, const struct entry *e)
{
	const char *name =
		e->vector < 32 ? mdb_trap_vector_name((int)e->vector) : NULL;
	char error[128];

	if (e->vector == VECTOR_SYSCALL)
		return "syscall: hypercall of a guest's kernel, or a system "
		       "call in it";
	if (e->vector == VECTOR_HYPERCALL)
		return "int 82: hypercall of a 32-bit guest";
	if (name == NULL)
		return e->vector == 0 ? "none, or division by zero"
				      : "interrupt";
	mdb_trap_error_text((int)e->vector, e->error_code, error,
		sizeof(error));
	return *error != '\0' ? mdb_tmp_printf(cx, "%s: %s", name, error)
			      : name;
}

/* xen/include/public/arch-x86/xen-x86_64.h: FLAT_RING*; those of Xen, x86_64
 * of asm/config.h (__HYPERVISOR_CS). */
static const char *
selector_text(uint64_t cs)
{
	switch (cs) {
	case 0xe008:
		return "the hypervisor";
	case 0xe033:
		return "64-bit code of a guest, its kernel or a program";
	case 0xe023:
		return "32-bit code of a guest";
	case 0xe019:
		return "a 32-bit guest's kernel";
	default:
		return (cs & 3) == 3 ? "a guest's program"
				     : "a guest's own selector";
	}
}

static enum mdb_status
words(struct mdb_ctx *cx, const struct mdb_regs *regs, const struct entry *e)
{
	enum mdb_status st = mdb_line(cx, "entered by %#x (%s)", e->vector,
		vector_text(cx, e));

	if (st == MDB_OK)
		st = mdb_line(cx, "from %s; event upcalls %s",
			selector_text(regs->r[MDB_R_CS]),
			e->upcall_mask ? "masked" : "not masked");
	return st;
}

/* ---- the three kinds ----------------------------------------------------- */

static enum mdb_status
show_saved(struct mdb_ctx *cx, struct mdb_loc loc, struct mdb_regs *more)
{
	uint8_t b[MDB_XEN_REGS_LEN];
	struct mdb_regs regs;
	struct entry e;
	enum mdb_status st = mdb_read(cx, loc, b, sizeof(b));

	if (st != MDB_OK)
		return mdb_context(cx, st, "struct cpu_user_regs");
	decode(b, &regs, &e);
	/* No processor has such: bits that are always 0, and bit 1, always 1.
	 */
	if ((regs.r[MDB_R_FLAGS] & ~0x3f7fd7ull) != 0 ||
		(regs.r[MDB_R_FLAGS] & 2) == 0 || e.vector > 0x100)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"these are no registers: rflags %#" PRIx64
			", entry vector %#x",
			regs.r[MDB_R_FLAGS], e.vector);
	for (int i = 0; more != NULL && i < MDB_NR_REGS; i++)
		if (mdb_reg_known(more, (enum mdb_reg)i))
			mdb_reg_set(&regs, (enum mdb_reg)i, more->r[i]);
	st = mdb_regs_show(cx, &regs, -1, true);
	return st == MDB_OK ? words(cx, &regs, &e) : st;
}

static enum mdb_status
show_context(struct mdb_ctx *cx, struct mdb_loc loc)
{
	static const struct {
		enum mdb_reg reg;
		unsigned int at;
	} extra[] = { { MDB_R_CR0, CONTEXT_CTRLREG },
		{ MDB_R_CR2, CONTEXT_CTRLREG + 16 },
		{ MDB_R_CR3, CONTEXT_CTRLREG + 24 },
		{ MDB_R_CR4, CONTEXT_CTRLREG + 32 },
		{ MDB_R_FSBASE, CONTEXT_FS_BASE } };
	struct mdb_regs more = { 0 };
	uint64_t v;
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]) && st == MDB_OK;
		i++) {
		st = mdb_read_uint(cx, mdb_at(loc, loc.addr + extra[i].at), 8,
			&v);
		if (st == MDB_OK)
			mdb_reg_set(&more, extra[i].reg, v);
	}
	if (st == MDB_OK)
		st = mdb_read_uint(cx, mdb_at(loc, loc.addr + CONTEXT_FLAGS), 8,
			&v);
	if (st != MDB_OK)
		return mdb_context(cx, st, "struct vcpu_guest_context");
	st = show_saved(cx, mdb_at(loc, loc.addr + CONTEXT_REGS), &more);
	if (st == MDB_OK)
		st = mdb_line(cx, "context flags: %#" PRIx64 " (%s)", v,
			xpv_bits_text(cx, context_bits, v));
	return st;
}

struct find {
	mdb_addr_t vcpu;
	struct mdb_xen_pcpu p;
	bool found;
};

static enum mdb_status
match_cpu(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	struct find *f = arg;
	struct mdb_xen_pcpu p;
	enum mdb_status st = mdb_xen_pcpu(cx, world, cpu, &p);

	if (st != MDB_OK || p.loaded.addr != f->vcpu)
		return st;
	f->p = p;
	f->found = true;
	return MDB_DONE;
}

/* Where its registers are: on a processor, on its stack, in the vcpu. */
static enum mdb_status
show_vcpu(struct mdb_ctx *cx, struct mdb_loc loc)
{
	struct find f = { .vcpu = loc.addr };
	const char *name = xpv_vcpu_name_at(cx, loc);
	struct mdb_regs regs;
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx, loc, &v);

	if (st == MDB_OK)
		st = xpv_each_cpu(cx, loc.world, match_cpu, &f);
	if (st != MDB_OK)
		return st;
	if (f.found && f.p.in_guest) {
		st = mdb_line(cx, "%s runs on CPU %d:", name, f.p.cpu);
		if (st == MDB_OK)
			st = mdb_cpu_regs(cx, loc.world, f.p.cpu, &regs);
		return st == MDB_OK ? mdb_regs_show(cx, &regs, f.p.cpu, true)
				    : st;
	}
	if (f.found && f.p.has_guest_regs) {
		st = mdb_line(cx, "%s entered the hypervisor on CPU %d:", name,
			f.p.cpu);
		loc.addr = f.p.cpu_info;
	} else {
		st = xpv_member_loc(cx, loc, "struct vcpu", "arch.user_regs\0",
			&loc);
		if (st == MDB_OK)
			st = mdb_line(cx,
				"%s does not run; as it was saved:", name);
	}
	return st == MDB_OK ? show_saved(cx, loc, NULL) : st;
}

enum mdb_status
xpv_xenregs(struct mdb_ctx *cx, const struct mdb_call *call)
{
	if (mdb_world_word(call->loc.world) != 8)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"only those of 64 bits are known");
	if (mdb_opt(call, 'g') && mdb_opt(call, 'p'))
		return mdb_fail(cx, MDB_E_USAGE, "-g or -p, not both");
	if (mdb_opt(call, 'g'))
		return show_context(cx, call->loc);
	if (mdb_opt(call, 'p'))
		return show_vcpu(cx, call->loc);
	return show_saved(cx, call->loc, NULL);
}
