/* SPDX-License-Identifier: MIT */
/*
 * The console's text to the end of the panic's own: the hypervisor's banner,
 * registers, and stack; also in its ring, conring, that a dump holds.  The
 * registers and the stack are printed from the machine, not from a text.
 */
#include "machine_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSOLE_LEN 4096u
#define MAX_FRAMES 16

struct text {
	char *bytes;
	size_t len;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->bytes + t->len, CONSOLE_LEN - t->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= CONSOLE_LEN - t->len)
		gold_die("too long", "console");
	t->len += (size_t)n;
}

static void
add_boot(struct text *t)
{
	add(t, "(XEN) Xen version 3.0.4-1-sun (xen-discuss) "
	       "(gcc version 3.4.3 (csl-sol210-3_4-20050802)) "
	       "Mon Apr  2 06:59:37 PDT 2007\n"
	       "(XEN) Latest ChangeSet: Fri Jan 05 16:11:49 2007 +0000 "
	       "13187:e2466414acc3\n"
	       "(XEN) PAE enabled, limit: 16 GB\n"
	       "(XEN) Xen heap: 10MB (10396kB)\n"
	       "(XEN) Brought up 4 CPUs\n"
	       "(XEN) *** LOADING DOMAIN 0 ***\n"
	       "(XEN) Xen trace buffers: disabled\n"
	       "(XEN) Xen is relinquishing VGA console.\n"
	       "\n");
}

static void
add_regs(struct text *t, const struct gold_cpu *c)
{
	add(t, "         gs: %8x  fs: %8x  es: %8x  ds: %8x\n", c->gs, c->fs,
		c->es, c->ds);
	add(t, "        edi: %8x esi: %8x ebp: %8x esp: %8x\n", c->edi, c->esi,
		c->ebp, c->esp);
	add(t, "        ebx: %8x edx: %8x ecx: %8x eax: %8x\n", c->ebx, c->edx,
		c->ecx, c->eax);
	add(t, "        trp: %8x err: %8x eip: %8x  cs: %8x\n", 0u, 0u, c->eip,
		c->cs);
	add(t, "        efl: %8x usp: %8x  ss: %8x\n", c->eflags, 0xffbf3fe0u,
		c->ss);
	add(t, "        cr0: %8x cr2: %8x cr3: %8x cr4: %8x\n", c->cr0, c->cr2,
		c->cr3, c->cr4);
}

/* As its own tracer prints them: the frame, and what it returns to. */
static void
add_stack(struct text *t, const struct gold_machine *m,
	const struct gold_cpu *c)
{
	struct gold_frame frames[MAX_FRAMES];
	size_t nr = gold_trace(m, c, frames, MAX_FRAMES);

	for (size_t i = 0; i + 1 < nr && !frames[i + 1].is_trap; i++)
		add(t, "%08x 0x%x (in Xen)\n", frames[i].fp, frames[i + 1].pc);
}

static void
add_panic(struct text *t, const struct gold_machine *m,
	const struct gold_cpu *c)
{
	add(t, "panic[cpu%u]/vcpu=%#x: %s\n", c->id, c->vcpu, m->message);
	add_regs(t, c);
	add(t, "Xen panic[cpu%u]/vcpu=%#x: %.*s\n\n", c->id, c->vcpu,
		(int)strlen(m->message) - 1, m->message);
	add_stack(t, m, c);
}

static void
poke_symbol(struct gold_machine *m, const char *name, const void *bytes,
	size_t len)
{
	const struct gold_symbol *s = gold_need(&m->worlds[0], name);

	if (s->size < len)
		gold_die("too small", name);
	gold_poke(m, s->value - XEN_DIRECT, bytes, len, GOLD_HYPERVISOR);
}

void
gold_fill_console(struct gold_machine *m)
{
	struct text t = { .bytes = gold_alloc(CONSOLE_LEN) };
	uint32_t end;

	add_boot(&t);
	add_panic(&t, m, &m->cpus[gold_panic_cpu(m)]);
	end = (uint32_t)t.len;
	poke_symbol(m, "conring", t.bytes, t.len);
	poke_symbol(m, "conringp", &end, sizeof(end));
	m->console = t.bytes;
}
