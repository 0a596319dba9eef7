/* SPDX-License-Identifier: MIT */
/*
 * native.c, native_cpu.c, xen.c, args.c, frameptr.c: records of any content
 * over a small machine, and any stack.  A walk ends, whatever is there.
 */
#include "mdb/stack/unwind.h"
#include "mdb/world/native_build.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct input {
	const uint8_t *data;
	size_t len;
};

/* Takes from the input as much as there is; the rest of buf stays. */
static void
take(struct input *in, void *buf, size_t len)
{
	size_t n = len < in->len ? len : in->len;

	memcpy(buf, in->data, n);
	in->data += n;
	in->len -= n;
}

static void
quiet(struct mdb_ctx *cx, const char *text)
{
	(void)cx;
	(void)text;
}

/* The reader ends texts and makes truth values: so does this. */
static void
change_records(struct native_build *nb, struct input *in)
{
	uint32_t bits = 0xff;

	for (size_t i = 0; i < 2; i++) {
		take(in, &nb->worlds[i], offsetof(struct dfmt_world, system));
		take(in, nb->worlds[i].name, sizeof(nb->worlds[i].name) - 1);
	}
	for (size_t i = 0; i < NB_NR_OBJECTS; i++)
		take(in, &nb->objects[i], offsetof(struct dfmt_object, name));
	for (size_t i = 0; i < 2; i++) {
		struct dfmt_cpu *c = &nb->cpus[i];

		take(in, &c->rax,
			offsetof(struct dfmt_cpu, has_native) -
				offsetof(struct dfmt_cpu, rax));
		take(in, &c->id, sizeof(*c) - offsetof(struct dfmt_cpu, id));
		take(in, &bits, sizeof(bits));
		c->has_regs = bits & 1;
		c->has_cr = bits & 2;
		c->has_vcpu = bits & 4;
		c->has_stack = bits & 8;
		c->panicked = bits & 16;
	}
}

static enum mdb_status
look(struct mdb_ctx *cx, const struct mdb_frame *f, void *arg)
{
	uint64_t args[4];

	(void)arg;
	(void)mdb_frame_args(f, 4, args);
	(void)mdb_sym_format(cx, mdb_kernel_loc(f->world, f->pc));
	mdb_forget(cx);
	return MDB_OK;
}

static void
walk_all(struct native_build *nb)
{
	for (struct mdb_world *w = nb->target->worlds; w; w = w->next) {
		int cpu = -1;

		for (int n = 0;
			n < 4 && mdb_cpu_next(&nb->cx, w, &cpu) == MDB_OK;
			n++) {
			struct mdb_regs regs;

			if (mdb_cpu_regs(&nb->cx, w, cpu, &regs) == MDB_OK)
				(void)!mdb_stack_walk(&nb->cx, w, &regs, look,
					NULL, NULL, NULL);
			mdb_forget(&nb->cx);
		}
		(void)mdb_panic_cpu(&nb->cx, w);
		(void)mdb_world_fact(&nb->cx, w, "nodename");
		mdb_forget(&nb->cx);
		mdb_arena_release(&nb->cx.tmp);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct native_build nb;
	uint8_t stack[512] = { 0 };

	nb_init(&nb);
	nb.cx.warn = quiet;
	nb_sym(&nb, NB_OBJ_XPV, "panic", 0xff13b80c, 0x80);
	nb_sym(&nb, NB_OBJ_UNIX, "utsname", NB_UNIX_END, 5 * 257ull);
	/* The stack first: it is what a short input changes. */
	take(&in, stack, sizeof(stack));
	nb_write(&nb, 0xffbf3e00, stack, sizeof(stack));
	nb_write(&nb, 0xc5a09000, stack, sizeof(stack));
	nb_call_before(&nb, 0xff11b058);
	nb_call_before(&nb, NB_UNIX + 0x100);
	nb.cpus[0].rbp = 0xffbf3e38;
	nb.cpus[0].rsp = 0xffbf3e1c;
	change_records(&nb, &in);
	if (nb_create(&nb) == MDB_OK)
		walk_all(&nb);
	nb_fini(&nb);
	return 0;
}
