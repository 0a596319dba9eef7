/* SPDX-License-Identifier: MIT */
/*
 * The proof of types: what it proves of a whole machine is never refuted when
 * memory is lost or wiped, whichever page it is; other types are.
 *
 * With MDB_TEST_DUMP=FILE the same is tried on a real dump instead, on some of
 * its pages (testdata/check/xen-lost.sh).
 */
#include "mdb/base/alloc.h"
#include "mdb/mem/memory_impl.h"
#include "mdb/world/xen_trust.h"
#include "mdb/world/xen_typed_build.h"

#define PACK "4.17.7-release"
#define PAGE 4096ull
#define MAX_PAGES 4096u
#define MAX_TRACED 65536u

/* ---- memory that fails --------------------------------------------------- */

enum fault {
	FAULT_NONE,
	FAULT_LOST,
	FAULT_WIPED,
	FAULT_HALF, /* wiped from the middle of the page on */
};

static struct {
	const struct mdb_memory_ops *real;
	struct mdb_memory_ops ops;
	enum fault fault;
	mdb_paddr_t page;
	bool traces;
	mdb_paddr_t seen[MAX_TRACED]; /* pages that were read */
	size_t nr_seen;
} faulty;

static void
note_page(mdb_paddr_t page)
{
	for (size_t i = faulty.nr_seen; i-- > 0;)
		if (faulty.seen[i] == page)
			return;
	if (faulty.nr_seen < MAX_TRACED)
		faulty.seen[faulty.nr_seen++] = page;
}

static enum mdb_status
faulty_read(const struct mdb_memory *mem, mdb_paddr_t addr, void *buf,
	size_t len, struct dfmt_err *err)
{
	mdb_paddr_t start = faulty.page, end = faulty.page + PAGE;
	enum mdb_status st = faulty.real->read(mem, addr, buf, len, err);

	for (mdb_paddr_t at = addr & ~(PAGE - 1);
		st == MDB_OK && faulty.traces && at < addr + len; at += PAGE)
		note_page(at);
	if (st != MDB_OK || faulty.fault == FAULT_NONE || addr + len <= start ||
		addr >= end)
		return st;
	if (faulty.fault == FAULT_LOST) {
		err->what = "taken away by the test";
		err->addr = start;
		return MDB_E_LOST;
	}
	if (faulty.fault == FAULT_HALF)
		start += PAGE / 2;
	for (size_t i = 0; i < len; i++)
		if (addr + i >= start && addr + i < end)
			((uint8_t *)buf)[i] = 0;
	return st;
}

/* From now on this memory fails as `faulty` says. */
static void
make_faulty(struct mdb_memory *mem)
{
	faulty.real = mem->ops;
	faulty.ops = *mem->ops;
	faulty.ops.read = faulty_read;
	mem->ops = &faulty.ops;
}

/* ---- what is proven ------------------------------------------------------ */

static const char *const structs[] = { "struct domain", "struct vcpu",
	"struct sched_unit", "struct sched_resource", "struct cpupool",
	"struct scheduler", "struct evtchn", "struct grant_table",
	"struct page_info", "struct timers", "struct timer", "struct rcu_data",
	"struct irq_desc", "struct cpu_info" };

#define NR_STRUCTS (sizeof(structs) / sizeof(structs[0]))
#define MAX_MEMBERS 160u

struct trusts {
	char names[NR_STRUCTS][MAX_MEMBERS][48];
	uint64_t offsets[NR_STRUCTS][MAX_MEMBERS];
	enum mdb_trust of[NR_STRUCTS][MAX_MEMBERS];
	size_t nr[NR_STRUCTS];
	size_t nr_proven, nr_refuted;
};

static void
trusts_note(struct trusts *out, size_t i, size_t j, const struct mdb_member *m,
	enum mdb_trust trust)
{
	(void)snprintf(out->names[i][j], 48, "%s", m->name);
	out->offsets[i][j] = m->bit_offset / 8;
	out->of[i][j] = trust;
	out->nr_proven += trust == MDB_TRUST_PROVEN;
	out->nr_refuted += trust == MDB_TRUST_REFUTED;
	out->nr[i] = j + 1;
}

/* By these types; NULL: by those that are chosen. */
static void
trusts_get(struct mdb_world *w, struct mdb_types *types, struct trusts *out)
{
	struct mdb_xen_trust *trust = NULL;
	size_t nr;

	memset(out, 0, sizeof(*out));
	if (types)
		trust = mdb_xen_prove(&cx, mdb_xen_of(w), types, &nr);
	for (size_t i = 0; i < NR_STRUCTS; i++) {
		struct mdb_type type = { types, 0 };
		struct mdb_member m;

		if (types)
			type.id = types->ops->find(types, MDB_T_STRUCT,
				structs[i] + strlen("struct "));
		else if (mdb_type_by_name(&cx, w, structs[i], &type) != MDB_OK)
			continue;
		for (size_t j = 0;
			j < MAX_MEMBERS &&
			mdb_type_member_at(&cx, type, j, &m) == MDB_OK;
			j++)
			trusts_note(out, i, j, &m,
				types ? mdb_xen_trust_of(&cx, trust, structs[i],
						&m)
				: !m.name[0] ? MDB_TRUST_UNPROVEN
					     : mdb_xen_member_trust(&cx, w,
						       structs[i], m.name));
	}
	mdb_xen_trust_destroy(trust);
	mdb_forget(&cx);
}

/* Was it proven, and where? */
static bool
was_proven(const struct trusts *t, size_t i, const char *name,
	uint64_t *offset_out)
{
	for (size_t j = 0; j < t->nr[i]; j++)
		if (strcmp(t->names[i][j], name) == 0 &&
			t->of[i][j] == MDB_TRUST_PROVEN) {
			*offset_out = t->offsets[i][j];
			return true;
		}
	return false;
}

static size_t nr_less; /* proven no more, in all */

/* Nothing that was proven is refuted, or proven to be elsewhere. */
static void
compare(const struct trusts *whole, const struct trusts *less)
{
	static const char *const faults[] = { "", "lost", "wiped", "half" };
	uint64_t at;

	for (size_t i = 0; i < NR_STRUCTS; i++)
		for (size_t j = 0; j < less->nr[i]; j++) {
			enum mdb_trust trust = less->of[i][j];
			const char *name = less->names[i][j];

			if (!was_proven(whole, i, name, &at))
				continue;
			nr_less += trust != MDB_TRUST_PROVEN;
			if (trust == MDB_TRUST_REFUTED ||
				(trust == MDB_TRUST_PROVEN &&
					at != less->offsets[i][j]))
				fail_msg("%s.%s at %#lx, page %#lx %s",
					structs[i], name,
					(unsigned long)less->offsets[i][j],
					(unsigned long)faulty.page,
					faults[faulty.fault]);
		}
}

/* ---- the built machine --------------------------------------------------- */

static void
reopen(struct xen_machine *m)
{
	mdb_target_destroy(m->target);
	m->target = NULL;
	cx.target = NULL;
	cx.world = NULL;
	warned[0] = '\0';
	assert_non_null(xm_open(m, SIZE_MAX));
	make_faulty(m->target->memory);
	cx.target = m->target;
	(void)mdb_find_xen(&cx, m->target); /* the kernel proves nothing */
	mdb_forget(&cx);
	cx.world = m->target->worlds;
}

static struct trusts whole, less;

static void
begin_typed_by(struct xen_machine *m, struct xen_typed *t, const char *pack)
{
	memset(&faulty, 0, sizeof(faulty));
	nr_less = 0;
	begin(m);
	xt_build(t, m, pack);
	xm_crash_notes(m);
	reopen(m);
	trusts_get(world_of(m, MDB_WORLD_XEN), NULL, &whole);
}

static void
begin_typed(struct xen_machine *m, struct xen_typed *t)
{
	begin_typed_by(m, t, PACK);
}

static void
end_typed(struct xen_machine *m, struct xen_typed *t)
{
	mdb_types_destroy(t->types);
	end(m);
}

static void
test_trust_of_a_whole_machine(void **state)
{
	struct xen_machine m;
	struct xen_typed t;
	const char *text;

	(void)state;
	begin_typed(&m, &t);
	assert_int_equal(whole.nr_refuted, 0);
	assert_true(whole.nr_proven > 60);
	(void)mdb_xen_trust_all(&cx, world_of(&m, MDB_WORLD_XEN), &text);
	assert_non_null(strstr(text, PACK));
	end_typed(&m, &t);
}

/* All that is read, page by page. */
static void
lose_each(struct xen_machine *m, struct mdb_types *types, enum fault fault)
{
	size_t nr;

	faulty.traces = true;
	reopen(m);
	trusts_get(world_of(m, MDB_WORLD_XEN), NULL, &whole);
	faulty.traces = false;
	nr = faulty.nr_seen;
	(void)printf("%zu pages\n", nr);
	assert_true(nr > 30);
	faulty.fault = fault;
	for (size_t i = 0; i < nr; i++) {
		struct mdb_world *w;

		faulty.page = faulty.seen[i];
		reopen(m);
		w = world_of(m, MDB_WORLD_XEN);
		if (w == NULL)
			continue; /* and it was said */
		trusts_get(w, i % 16 ? types : NULL, &less);
		compare(&whole, &less);
	}
	assert_true(nr_less > 0); /* something was lost at all */
}

static void
test_trust_survives_each_page_that_is_lost(void **state)
{
	struct xen_machine m;
	struct xen_typed t;

	(void)state;
	begin_typed(&m, &t);
	lose_each(&m, t.types, FAULT_LOST);
	end_typed(&m, &t);
}

static void
test_trust_survives_each_page_that_is_wiped(void **state)
{
	struct xen_machine m;
	struct xen_typed t;

	(void)state;
	begin_typed(&m, &t);
	lose_each(&m, t.types, FAULT_WIPED);
	end_typed(&m, &t);
}

static void
test_trust_survives_each_page_that_is_wiped_by_half(void **state)
{
	struct xen_machine m;
	struct xen_typed t;

	(void)state;
	begin_typed(&m, &t);
	lose_each(&m, t.types, FAULT_HALF);
	end_typed(&m, &t);
}

/* ---- other types --------------------------------------------------------- */

static size_t
nr_refuted_by(struct mdb_world *w, const char *pack)
{
	struct mdb_types *types = xt_types(pack);
	struct mdb_xen_trust *trust;
	size_t nr;

	trust = mdb_xen_prove(&cx, mdb_xen_of(w), types, &nr);
	mdb_xen_trust_destroy(trust);
	mdb_types_destroy(types);
	return nr;
}

static void
test_trust_refutes_other_types(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;
	struct xen_typed t;

	(void)state;
	begin_typed(&m, &t);
	w = world_of(&m, MDB_WORLD_XEN);
	assert_int_equal(nr_refuted_by(w, PACK), 0);
	assert_true(nr_refuted_by(w, "4.17.5-release") > 10);
	assert_true(nr_refuted_by(w, "4.20.4-release") > 20);
	assert_true(nr_refuted_by(w, "4.17.5-debug") > 10);
	end_typed(&m, &t);
}

/*
 * One member that is not right refutes its structure by the pack that the
 * machine is of, and no less by one of another build, which more contradicts.
 */
static void
test_trust_takes_what_least_contradicts(void **state)
{
	struct xen_machine m;
	struct xen_typed t;
	struct mdb_world *w;
	const char *text;

	(void)state;
	begin_typed_by(&m, &t, "4.17.5-release");
	free(m.file);
	m.file = NULL;
	xm_u64(&m, xm_phys(XT_OPS) + 8, XM_PANIC);
	/* Without shadow paging there are flags, which are 0 or 1. */
	xt_put(&t, "struct domain", "arch.irq_pirq.node_free", XM_DOMAIN,
		XM_PANIC);
	reopen(&m);
	w = world_of(&m, MDB_WORLD_XEN);
	assert_int_equal(nr_refuted_by(w, "4.17.5-release"),
		nr_refuted_by(w, "4.17.5-noshadow"));
	(void)mdb_xen_trust_all(&cx, w, &text);
	assert_non_null(strstr(text, "pack 4.17.5-release is of another"));
	assert_non_null(strstr(text, "struct domain from +0xf8)"));
	end_typed(&m, &t);
}

/* One wrong word among many right ones proves nothing, and refutes nothing. */
static void
test_trust_of_what_is_damaged_is_none(void **state)
{
	struct xen_machine m;
	struct xen_typed t;
	struct mdb_world *w;

	(void)state;
	begin_typed(&m, &t);
	free(m.file);
	m.file = NULL;
	xt_put(&t, "struct sched_unit", "domain", XT_UNIT(2),
		XM_HEAP(XM_ARRAYS + 8));
	reopen(&m);
	w = world_of(&m, MDB_WORLD_XEN);
	assert_int_equal(
		mdb_xen_member_trust(&cx, w, "struct sched_unit", "domain"),
		MDB_TRUST_UNPROVEN);
	assert_int_equal(
		mdb_xen_member_trust(&cx, w, "struct sched_unit", "vcpu_list"),
		MDB_TRUST_PROVEN);
	assert_int_equal(
		mdb_xen_member_trust(&cx, w, "struct domain", "domain_id"),
		MDB_TRUST_PROVEN);
	end_typed(&m, &t);
}

/* A pointer to a function that is the next one's looks right, too. */
static void
test_trust_of_a_neighbour_needs_a_hold(void **state)
{
	static const char domain[] = "struct domain";
	struct mdb_xen_trust *trust = mdb_xalloc(sizeof(*trust));
	struct mdb_xen_prover p = { &cx, NULL, NULL, trust };
	struct mdb_xen_proof *proof;
	struct xen_machine m;
	struct xen_typed t;
	struct mdb_member tree;

	(void)state;
	begin_typed(&m, &t);
	p.xen = mdb_xen_of(world_of(&m, MDB_WORLD_XEN));
	p.types = t.types;
	proof = mdb_xen_proof_of(&p, domain);
	assert_non_null(proof);
	assert_int_equal(mdb_type_member(&cx, proof->type, "pirq_tree", &tree),
		MDB_OK);
	mdb_xen_note_member(&p, domain, "pirq_tree", MDB_XEN_SEEMS);
	assert_int_equal(mdb_xen_trust_of(&cx, trust, domain, &tree),
		MDB_TRUST_PROVEN);
	mdb_xen_note_member(&p, domain, "max_pages", MDB_XEN_CONTRADICTS);
	assert_int_equal(mdb_xen_trust_of(&cx, trust, domain, &tree),
		MDB_TRUST_REFUTED);
	mdb_xen_note_member(&p, domain, "pdev_list", MDB_XEN_SEEMS);
	assert_int_equal(mdb_xen_trust_of(&cx, trust, domain, &tree),
		MDB_TRUST_REFUTED);
	mdb_xen_note_member(&p, domain, "nr_pirqs", MDB_XEN_AGREES);
	assert_int_equal(mdb_xen_trust_of(&cx, trust, domain, &tree),
		MDB_TRUST_PROVEN);
	mdb_xen_trust_destroy(trust);
	end_typed(&m, &t);
}

/* ---- a real dump --------------------------------------------------------- */

static struct mdb_world *
open_real(struct mdb_target **target)
{
	const char *path = getenv("MDB_TEST_DUMP");
	struct mdb_memory *mem;

	mdb_target_destroy(*target);
	*target = NULL;
	mdb_ctx_fini(&cx);
	mdb_ctx_init(&cx);
	cx.warn = note_warning;
	warned[0] = '\0';
	assert_int_equal(mdb_memory_open(&cx, &path, 1, NULL, &mem), MDB_OK);
	make_faulty(mem);
	*target = mdb_target_create_memory(mem);
	find(*target);
	for (struct mdb_world *w = (*target)->worlds; w; w = w->next)
		if (w->kind == MDB_WORLD_XEN)
			return w;
	return NULL;
}

static void
test_trust_on_a_real_dump(void **state)
{
	struct mdb_target *target = NULL;
	struct mdb_world *w;
	size_t nr, step;

	(void)state;
	memset(&faulty, 0, sizeof(faulty));
	nr_less = 0;
	mdb_ctx_init(&cx);
	w = open_real(&target);
	assert_non_null(w);
	faulty.traces = true;
	trusts_get(w, NULL, &whole);
	faulty.traces = false;
	assert_int_equal(whole.nr_refuted, 0);
	assert_true(whole.nr_proven > 60);
	nr = faulty.nr_seen;
	step = nr / 100 + 1;
	(void)printf("%zu members proven; %zu pages, each %zuth\n",
		whole.nr_proven, nr, step);
	for (size_t i = 0; i < nr; i += step)
		for (faulty.fault = FAULT_LOST; faulty.fault <= FAULT_HALF;
			faulty.fault++) {
			faulty.page = faulty.seen[i];
			w = open_real(&target);
			if (w == NULL)
				continue;
			trusts_get(w, NULL, &less);
			compare(&whole, &less);
		}
	(void)printf("%zu members in all proven no more\n", nr_less);
	mdb_target_destroy(target);
	mdb_ctx_fini(&cx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trust_of_a_whole_machine),
		cmocka_unit_test(test_trust_survives_each_page_that_is_lost),
		cmocka_unit_test(test_trust_survives_each_page_that_is_wiped),
		cmocka_unit_test(
			test_trust_survives_each_page_that_is_wiped_by_half),
		cmocka_unit_test(test_trust_refutes_other_types),
		cmocka_unit_test(test_trust_takes_what_least_contradicts),
		cmocka_unit_test(test_trust_of_what_is_damaged_is_none),
		cmocka_unit_test(test_trust_of_a_neighbour_needs_a_hold),
	};
	const struct CMUnitTest real[] = {
		cmocka_unit_test(test_trust_on_a_real_dump),
	};

	if (getenv("MDB_TEST_DUMP") != NULL)
		return cmocka_run_group_tests(real, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
