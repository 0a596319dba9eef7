/* SPDX-License-Identifier: MIT */
/*
 * The module to copy: one command and one walker, for Linux.
 *
 * ::demo_task prints a line about a thread; the walker demo_child yields the
 * children of one.  Together:
 *
 *   init_task::walk demo_child | ::demo_task
 *
 * A module is data: the manifest at the end of this file names the tables,
 * and the debugger reads them.  Nothing here runs when the module is loaded.
 */
#include <mdb/module.h>

#include <string.h>

/* ---- the command ---------------------------------------------------------
 */

/* What this file wants of the target's struct task_struct, and no more. */
struct task {
	int32_t pid;
	uint64_t parent;
	char comm[16];
};

/* Where that is: by name, whatever the kernel's layout.  A member that was
 * renamed has several names: "__state\0state". */
static const struct mdb_field task_fields[] = {
	MDB_FIELD(struct task, pid, "pid"),
	MDB_FIELD(struct task, parent, "real_parent"),
	MDB_FIELD(struct task, comm, "comm"),
	MDB_FIELD_END,
};

static const struct mdb_shape task_shape = { "struct task_struct",
	task_fields };

/* The columns of the output: the table, JSON and the help all follow. */
static const struct mdb_column task_columns[] = {
	{ .name = "addr",
		.heading = "ADDR",
		.width = MDB_WIDTH_ADDR,
		.flags = MDB_COL_PIPE, /* what a pipeline gets */
		.help = "address of its task_struct" },
	{ .name = "pid", .heading = "PID", .width = 7, .help = "its number" },
	{ .name = "parent",
		.heading = "PARENT",
		.width = MDB_WIDTH_ADDR,
		.option = 'p', /* only with ::demo_task -p */
		.help = "address of its parent" },
	{ .name = "name",
		.heading = "NAME",
		.flags = MDB_COL_LEFT,
		.help = "its name" },
	{ 0 },
};

static const struct mdb_table task_table = { .name = "tasks",
	.columns = task_columns };

static enum mdb_status
run_task(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct task t;
	enum mdb_status st;

	/* The trail says what failed; we add what we were about. */
	st = mdb_read_shape(cx, &task_shape, call->loc, &t);
	if (st != MDB_OK)
		return mdb_context(cx, st, "task at %#llx",
			(unsigned long long)call->loc.addr);

	const struct mdb_value values[] = {
		mdb_v_addr(call->loc),
		mdb_v_int(t.pid),
		/* The parent is in the world of its child. */
		mdb_v_addr(mdb_at(call->loc, t.parent)),
		/* From the dump: it may lack its NUL; the renderer escapes. */
		mdb_v_str(t.comm, strnlen(t.comm, sizeof(t.comm))),
	};

	return mdb_row(cx, &task_table, values);
}

/* ---- the walker ----------------------------------------------------------
 */

/* Between init and fini. */
struct child_walk {
	struct mdb_loc head; /* the list head in the parent */
	mdb_addr_t next;     /* list_head in the next child */
	uint64_t link;	     /* offset of that list_head in a task */
};

static enum mdb_status
child_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct mdb_world *world = w->start.world;
	struct child_walk *walk = mdb_tmp(cx, sizeof(*walk));
	uint64_t children;
	enum mdb_status st;

	st = mdb_offset_of(cx, world, "struct task_struct", "children\0",
		&children);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, world, "struct task_struct", "sibling\0",
			&walk->link);
	if (st != MDB_OK)
		return st;
	walk->head = mdb_at(w->start, w->start.addr + children);
	w->state = walk;
	return mdb_read_ptr(cx, walk->head, &walk->next);
}

/* One object per call.  That the list may have a cycle, and that ^C may be
 * pressed, is the debugger's business. */
static enum mdb_status
child_step(struct mdb_ctx *cx, struct mdb_walk *w, struct mdb_loc *loc_out)
{
	struct child_walk *walk = w->state;
	mdb_addr_t here = walk->next;
	enum mdb_status st;

	if (here == walk->head.addr)
		return MDB_DONE;
	st = mdb_read_ptr(cx, mdb_at(walk->head, here), &walk->next);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the list of children");
	*loc_out = mdb_at(walk->head, here - walk->link);
	return MDB_OK;
}

/* ---- the manifest --------------------------------------------------------
 */

static const struct mdb_option task_options[] = {
	{ 'p', MDB_OPT_FLAG, NULL, "the parent's address too" },
	{ 0 },
};

static const struct mdb_example task_examples[] = {
	{ "init_task::walk demo_child | ::demo_task",
		"the first process and kthreadd" },
	{ 0 },
};

static const struct mdb_dcmd dcmds[] = {
	{
		.name = "demo_task",
		.summary = "print a line about a thread",
		.help = "The example of a command; see docs/MODULES.md.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "task",
		.options = task_options,
		.table = &task_table,
		.examples = task_examples,
		.run = run_task,
	},
	{ 0 },
};

static const struct mdb_walker walkers[] = {
	{
		.name = "demo_child",
		.summary = "children of a thread",
		.addr = MDB_ADDR_REQUIRED,
		.init = child_init,
		.step = child_step,
	},
	{ 0 },
};

/* Is this dump our business?  Silent. */
static bool
probe(struct mdb_ctx *cx)
{
	return mdb_world_kind(mdb_world_current(cx)) == MDB_WORLD_LINUX;
}

MDB_API extern const struct mdb_module mdb_module_demo;
const struct mdb_module mdb_module_demo = {
	.api_version = MDB_API_VERSION,
	.name = "demo",
	.summary = "an example of a module",
	.probe = probe,
	.dcmds = dcmds,
	.walkers = walkers,
};
