/* SPDX-License-Identifier: MIT */
/*
 * Processes: ::ps, ::ptree, ::pgrep, ::pid2task.
 *
 * A process is the leader of a thread group.  One whose structure cannot be
 * read still has its row, with the address and why.
 */
#include "kern.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_LEN 2048

const struct mdb_option kern_ps_options[] = {
	{ 't', MDB_OPT_FLAG, NULL, "list the threads of each process" },
	{ 'f', MDB_OPT_FLAG, NULL,
		"arguments instead of the name, [name] where there are none" },
	{ 0 },
};

static const struct mdb_column ps_columns[] = {
	{ "state", "S", 1, 0, 0,
		"R runs or is ready, S sleeps, D in uninterruptible sleep, I "
		"idle, T stopped, t traced, Z zombie, X dead, P parked" },
	{ "pid", "PID", 6, 0, 0, "process id, decimal" },
	{ "ppid", "PPID", 6, 0, 0, "of its parent" },
	{ "pgid", "PGID", 6, 0, 0, "process group" },
	{ "sid", "SID", 6, 0, 0, "session" },
	{ "uid", "UID", 6, 0, 0, "real user" },
	{ "flags", "FLAGS", 10, 0, 0, "the kernel's flags (PF_*)" },
	{ "addr", "ADDR", MDB_WIDTH_ADDR, MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"the leader's task" },
	{ "name", "NAME", 0, MDB_COL_LEFT, 0, "name; arguments with -f" },
	{ "error", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"why the process could not be read" },
	{ NULL },
};

const struct mdb_table kern_ps_table = { .name = "processes",
	.columns = ps_columns };

static const struct mdb_column ps_thread_columns[] = {
	{ "mark", NULL, 10, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0, "T" },
	{ "addr", NULL, MDB_WIDTH_ADDR, MDB_COL_ZERO, 0, "task" },
	{ "shown", NULL, 10, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0, "state" },
	{ "state", NULL, 0, MDB_COL_JSON_ONLY, 0, "state" },
	{ "tid", NULL, 6, 0, 0, "thread id, decimal" },
	{ "name", NULL, 0, MDB_COL_LEFT, 0, "the thread's own name" },
	{ NULL },
};

static const struct mdb_table ps_thread_table = { .name = "threads",
	.columns = ps_thread_columns };

static struct mdb_value
id_value(int64_t id)
{
	return id < 0 ? mdb_v_none() : mdb_v_int(id);
}

static struct mdb_value
name_value(struct mdb_ctx *cx, const struct mdb_call *call,
	const struct kern_thread *t)
{
	char *args;

	if (!mdb_opt(call, 'f'))
		return mdb_v_cstr(kern_strdup(cx, t->name));
	args = mdb_tmp(cx, ARGS_LEN);
	if (kern_proc_args(cx, t, args, ARGS_LEN) == MDB_OK && args[0] != '\0')
		return mdb_v_cstr(args);
	mdb_forget(cx);
	return mdb_v_cstr(mdb_tmp_printf(cx, "[%s]", t->name));
}

static enum mdb_status
thread_rows(struct mdb_ctx *cx, const struct kern_thread *leader)
{
	struct kern_set set;
	struct kern_thread t;
	enum mdb_status st;
	size_t i;

	st = kern_threads_of(cx, leader->loc, &set);
	if (st != MDB_OK)
		return st;
	for (i = 0; i < set.count; i++) {
		struct mdb_loc loc = mdb_at(leader->loc, set.addrs[i]);
		struct mdb_value v[6] = { mdb_v_text("        T"),
			mdb_v_addr(loc) };

		st = kern_thread_info(cx, loc, &t);
		if (st == MDB_OK) {
			const char *state = kern_state_name(t.state);

			v[2] = mdb_v_text(mdb_tmp_printf(cx, "<%s>", state));
			v[3] = mdb_v_text(state);
			v[4] = mdb_v_int(t.tid);
			v[5] = mdb_v_cstr(t.name);
		} else {
			v[2] = v[3] = v[4] = v[5] = mdb_v_error(st);
			mdb_forget(cx);
		}
		st = mdb_subrow(cx, &ps_thread_table, v);
		if (st != MDB_OK)
			return st;
	}
	kern_set_warn(cx, &set, "threads");
	return MDB_OK;
}

enum mdb_status
kern_ps_row(struct mdb_ctx *cx, const struct mdb_call *call,
	const struct kern_proc *p)
{
	const struct kern_thread *t = &p->leader;
	const char letter[2] = { t->letter, '\0' };
	struct mdb_value v[] = {
		mdb_v_text(letter),
		mdb_v_int(t->pid),
		id_value(p->ppid),
		id_value(p->pgid),
		id_value(p->sid),
		id_value(p->uid),
		mdb_v_flags(t->flags),
		mdb_v_addr(t->loc),
		name_value(cx, call, t),
		mdb_v_none(),
	};
	enum mdb_status st = mdb_row(cx, &kern_ps_table, v);

	if (st != MDB_OK || !mdb_opt(call, 't') || mdb_is_piped(cx))
		return st;
	return thread_rows(cx, t);
}

static enum mdb_status
bad_row(struct mdb_ctx *cx, struct mdb_loc loc, enum mdb_status why)
{
	struct mdb_value v[10];
	size_t i;

	mdb_warn(cx, why, "process %llx", (unsigned long long)loc.addr);
	for (i = 0; i < 10; i++)
		v[i] = mdb_v_none();
	v[7] = mdb_v_addr(loc);
	v[8] = mdb_v_error(why);
	v[9] = mdb_v_error(why);
	return mdb_row(cx, &kern_ps_table, v);
}

/* Runs fn over every process, in the order of the kernel's list. */
typedef enum mdb_status proc_fn(struct mdb_ctx *cx, const struct kern_proc *p,
	void *arg);

/* ... and bad over each that cannot be read. */
typedef enum mdb_status bad_fn(struct mdb_ctx *cx, struct mdb_loc loc,
	enum mdb_status why);

static enum mdb_status
each_proc(struct mdb_ctx *cx, proc_fn *fn, bad_fn *bad, void *arg)
{
	struct kern_set set;
	struct kern_proc p;
	enum mdb_status st;
	size_t i;

	st = kern_procs(cx, &set);
	if (st != MDB_OK)
		return st;
	for (i = 0; i < set.count; i++) {
		struct mdb_loc loc = mdb_kernel_loc(set.world, set.addrs[i]);

		st = mdb_check_interrupt(cx);
		if (st != MDB_OK)
			return st;
		st = kern_proc_info(cx, loc, &p);
		st = st == MDB_OK ? fn(cx, &p, arg) : bad(cx, loc, st);
		if (st != MDB_OK)
			return st;
	}
	kern_set_warn(cx, &set, "processes");
	return MDB_OK;
}

static enum mdb_status
ps_one(struct mdb_ctx *cx, const struct kern_proc *p, void *arg)
{
	return kern_ps_row(cx, arg, p);
}

enum mdb_status
kern_ps(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct kern_proc p;
	struct mdb_call copy = *call;
	enum mdb_status st;

	if (!call->has_addr)
		return each_proc(cx, ps_one, bad_row, &copy);
	st = kern_proc_info(cx, call->loc, &p);
	if (st != MDB_OK)
		return st;
	return kern_ps_row(cx, call, &p);
}

/* ---- ::pgrep ------------------------------------------------------------- */

const struct mdb_option kern_pgrep_options[] = {
	{ 'x', MDB_OPT_FLAG, NULL, "the whole name must match" },
	{ 'n', MDB_OPT_FLAG, NULL, "only the newest that matches" },
	{ 'o', MDB_OPT_FLAG, NULL, "only the oldest that matches" },
	{ 'f', MDB_OPT_FLAG, NULL, "show arguments instead of the name" },
	{ 't', MDB_OPT_FLAG, NULL, "list the threads of each process" },
	{ 0 },
};

struct pgrep {
	const struct mdb_call *call;
	regex_t *regex;
	bool whole;
	bool one;
	bool found;
	struct kern_proc best;
};

static bool
matches(const struct pgrep *g, const char *name)
{
	regmatch_t m;

	if (regexec(g->regex, name, 1, &m, 0) != 0)
		return false;
	return !g->whole || (m.rm_so == 0 && (size_t)m.rm_eo == strlen(name));
}

/* Processes come oldest first. */
static enum mdb_status
pgrep_one(struct mdb_ctx *cx, const struct kern_proc *p, void *arg)
{
	struct pgrep *g = arg;

	if (!matches(g, p->leader.name))
		return MDB_OK;
	if (!g->one)
		return kern_ps_row(cx, g->call, p);
	if (!g->found || mdb_opt(g->call, 'n'))
		g->best = *p;
	g->found = true;
	return MDB_OK;
}

enum mdb_status
kern_pgrep(struct mdb_ctx *cx, const struct mdb_call *call)
{
	regex_t regex;
	struct pgrep g = {
		.call = call,
		.regex = &regex,
		.whole = mdb_opt(call, 'x'),
		.one = mdb_opt(call, 'n') || mdb_opt(call, 'o'),
	};
	enum mdb_status st;
	int err;

	if (call->argc != 1)
		return mdb_fail(cx, MDB_E_USAGE, "one pattern is needed");
	if (mdb_opt(call, 'n') && mdb_opt(call, 'o'))
		return mdb_fail(cx, MDB_E_USAGE,
			"-n and -o exclude each other");
	err = regcomp(&regex, call->argv[0], REG_EXTENDED);
	if (err != 0) {
		char why[128];

		(void)regerror(err, &regex, why, sizeof(why));
		return mdb_fail(cx, MDB_E_SYNTAX, "%s: %s", call->argv[0], why);
	}
	st = each_proc(cx, pgrep_one, bad_row, &g);
	regfree(&regex);
	if (st == MDB_OK && g.found)
		st = kern_ps_row(cx, call, &g.best);
	return st;
}

/* ---- ::pid2task ---------------------------------------------------------- */

struct pid_search {
	uint64_t pid;
	bool found;
};

static enum mdb_status
pid_one(struct mdb_ctx *cx, const struct kern_proc *p, void *arg)
{
	struct pid_search *s = arg;

	if (s->found || p->leader.pid < 0 || (uint64_t)p->leader.pid != s->pid)
		return MDB_OK;
	s->found = true;
	return mdb_emit_loc(cx, p->leader.loc);
}

static enum mdb_status
pid_bad(struct mdb_ctx *cx, struct mdb_loc loc, enum mdb_status why)
{
	mdb_warn(cx, why, "process %llx is left out",
		(unsigned long long)loc.addr);
	return MDB_OK;
}

static enum mdb_status
pid2proc(struct mdb_ctx *cx, uint64_t pid)
{
	struct pid_search s = { pid, false };
	enum mdb_status st = each_proc(cx, pid_one, pid_bad, &s);

	if (st != MDB_OK || s.found)
		return st;
	return mdb_fail(cx, MDB_E_NOTFOUND, "no process has the id 0t%llu",
		(unsigned long long)pid);
}

enum mdb_status
kern_pid2task(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct kern_provider *p = kern_provider(kern_world(cx));
	struct kern_set set;
	struct kern_thread t;
	enum mdb_status st;
	size_t i;

	if (p != NULL && p->pid_is_proc)
		return pid2proc(cx, call->loc.addr);
	st = kern_threads(cx, &set);
	if (st != MDB_OK)
		return st;
	for (i = 0; i < set.count; i++) {
		struct mdb_loc loc = mdb_kernel_loc(set.world, set.addrs[i]);

		st = kern_thread_info(cx, loc, &t);
		if (st == MDB_E_INTERRUPTED)
			return st;
		if (st == MDB_OK && !t.is_idle &&
			(uint64_t)t.tid == call->loc.addr)
			return mdb_emit_loc(cx, loc);
	}
	kern_set_warn(cx, &set, "threads");
	return mdb_fail(cx, MDB_E_NOTFOUND, "no thread has the id 0t%llu",
		(unsigned long long)call->loc.addr);
}

/* ---- ::ptree ------------------------------------------------------------- */

static const struct mdb_column ptree_columns[] = {
	{ "tree", NULL, 0, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0,
		"task and name, indented below the parent" },
	{ "addr", NULL, 0, MDB_COL_PIPE | MDB_COL_JSON_ONLY, 0, "task" },
	{ "pid", NULL, 0, MDB_COL_JSON_ONLY, 0, "process id" },
	{ "ppid", NULL, 0, MDB_COL_JSON_ONLY, 0, "of the parent" },
	{ "depth", NULL, 0, MDB_COL_JSON_ONLY, 0, "0: a root of the tree" },
	{ "name", NULL, 0, MDB_COL_JSON_ONLY, 0, "name" },
	{ NULL },
};

const struct mdb_table kern_ptree_table = { .name = "ptree",
	.columns = ptree_columns };

/* Indices into nodes; -1: none.  Children keep the list's order. */
struct node {
	struct kern_proc *p;
	int64_t first, last, next;
	bool has_parent;
	bool shown;
};

struct tree {
	struct node *nodes;
	size_t count;
	size_t room;
	struct node **sorted; /* by address */
};

#define PTREE_INDENT 5
#define PTREE_MAX_DEPTH 64

static enum mdb_status
tree_add(struct mdb_ctx *cx, const struct kern_proc *p, void *arg)
{
	struct tree *t = arg;

	if (t->count == t->room) {
		size_t room = t->room == 0 ? 128 : 2 * t->room;
		struct node *nodes = mdb_tmp(cx, room * sizeof(*nodes));

		if (t->count != 0)
			memcpy(nodes, t->nodes, t->count * sizeof(*nodes));
		t->nodes = nodes;
		t->room = room;
	}
	t->nodes[t->count] = (struct node){ .p = mdb_tmp(cx, sizeof(*p)),
		.first = -1,
		.last = -1,
		.next = -1 };
	*t->nodes[t->count++].p = *p;
	return MDB_OK;
}

static int
by_addr(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a;
	const struct node *y = *(struct node *const *)b;

	if (x->p->leader.loc.addr == y->p->leader.loc.addr)
		return 0;
	return x->p->leader.loc.addr < y->p->leader.loc.addr ? -1 : 1;
}

static void
tree_sort(struct mdb_ctx *cx, struct tree *t)
{
	size_t i;

	t->sorted = mdb_tmp(cx, (t->count + 1) * sizeof(struct node *));
	for (i = 0; i < t->count; i++)
		t->sorted[i] = &t->nodes[i];
	qsort(t->sorted, t->count, sizeof(struct node *), by_addr);
}

/* The index of a process by its address, or -1. */
static int64_t
tree_find(const struct tree *t, mdb_addr_t addr)
{
	size_t lo = 0, hi = t->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->sorted[mid]->p->leader.loc.addr < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->count || t->sorted[lo]->p->leader.loc.addr != addr)
		return -1;
	return t->sorted[lo] - t->nodes;
}

static void
tree_link(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		int64_t up = tree_find(t, t->nodes[i].p->parent.addr);
		struct node *parent;

		if (up < 0 || (size_t)up == i)
			continue;
		parent = &t->nodes[up];
		t->nodes[i].has_parent = true;
		if (parent->last < 0)
			parent->first = (int64_t)i;
		else
			t->nodes[parent->last].next = (int64_t)i;
		parent->last = (int64_t)i;
	}
}

static enum mdb_status
tree_row(struct mdb_ctx *cx, const struct node *n, int depth)
{
	const struct kern_thread *t = &n->p->leader;
	int shown = depth > PTREE_MAX_DEPTH ? PTREE_MAX_DEPTH : depth;
	struct mdb_value v[] = {
		mdb_v_text(mdb_tmp_printf(cx, "%*s%0*llx  %s",
			shown * PTREE_INDENT, "",
			(int)(2 * mdb_world_word(t->loc.world)),
			(unsigned long long)t->loc.addr,
			mdb_escape(cx, t->name, strlen(t->name)))),
		mdb_v_addr(t->loc),
		mdb_v_int(t->pid),
		id_value(n->p->ppid),
		mdb_v_int(depth),
		mdb_v_cstr(t->name),
	};

	return mdb_row(cx, &kern_ptree_table, v);
}

static enum mdb_status
tree_bad(struct mdb_ctx *cx, struct mdb_loc loc, enum mdb_status why)
{
	struct mdb_value v[] = {
		mdb_v_text(mdb_tmp_printf(cx, "%0*llx  <%s>",
			(int)(2 * mdb_world_word(loc.world)),
			(unsigned long long)loc.addr, mdb_status_name(why))),
		mdb_v_addr(loc),
		mdb_v_error(why),
		mdb_v_error(why),
		mdb_v_none(),
		mdb_v_error(why),
	};

	mdb_warn(cx, why, "process %llx", (unsigned long long)loc.addr);
	return mdb_row(cx, &kern_ptree_table, v);
}

/* Each node once, so cycles among parents end. */
static enum mdb_status
tree_show(struct mdb_ctx *cx, struct tree *t, int64_t root)
{
	int64_t *stack = mdb_tmp(cx, (t->count + 1) * sizeof(*stack));
	int depth = 0;
	int64_t i = root;
	enum mdb_status st;

	for (;;) {
		if (i < 0 || t->nodes[i].shown) {
			if (depth == 0)
				return MDB_OK;
			depth--;
			i = depth == 0 ? -1 : t->nodes[stack[depth]].next;
			continue;
		}
		t->nodes[i].shown = true;
		st = tree_row(cx, &t->nodes[i], depth);
		if (st != MDB_OK)
			return st;
		stack[depth++] = i;
		i = t->nodes[i].first;
	}
}

enum mdb_status
kern_ptree(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct tree t = { 0 };
	enum mdb_status st;
	size_t i;

	st = each_proc(cx, tree_add, tree_bad, &t);
	if (st != MDB_OK)
		return st;
	tree_sort(cx, &t);
	tree_link(&t);
	if (call->has_addr) {
		int64_t root = tree_find(&t, call->loc.addr);

		if (root < 0)
			return mdb_fail(cx, MDB_E_NOTFOUND,
				"%llx is no process",
				(unsigned long long)call->loc.addr);
		return tree_show(cx, &t, root);
	}
	for (i = 0; i < t.count; i++) {
		if (t.nodes[i].has_parent)
			continue;
		st = tree_show(cx, &t, (int64_t)i);
		if (st != MDB_OK)
			return st;
	}
	/* What hangs on a cycle of parents has no root: show it all the same.
	 */
	for (i = 0; i < t.count; i++) {
		st = tree_show(cx, &t, (int64_t)i);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}
