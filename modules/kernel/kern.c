/* SPDX-License-Identifier: MIT */
/*
 * The manifest of the kernel module: its commands and walkers, with the help
 * that is shown for them.  The functions and the tables of options and
 * columns stand in the file of each command.
 */
#include "kern.h"

static const struct mdb_example ps_examples[] = {
	{ "::ps", "all processes" },
	{ "::ps -f", "with arguments" },
	{ "::ps -t", "and all threads" },
	{ "::pgrep sshd | ::ps -t", "the threads of one" },
	{ NULL },
};

static const struct mdb_example ptree_examples[] = {
	{ "::ptree", "the whole tree" },
	{ "::pgrep -o sshd | ::ptree", "what sshd started" },
	{ NULL },
};

static const struct mdb_example pgrep_examples[] = {
	{ "::pgrep sh", "every name with sh in it" },
	{ "::pgrep -x bash | ::ptree", "the trees below bash" },
	{ NULL },
};

static const struct mdb_example pid2task_examples[] = {
	{ "0t1::pid2task", "init's task" },
	{ "0t1::pid2task | ::findstack", "and its stack" },
	{ NULL },
};

static const struct mdb_example pid2proc_examples[] = {
	{ "0t1::pid2proc", "init's task" },
	{ NULL },
};

static const struct mdb_example thread_examples[] = {
	{ "::thread", "every thread" },
	{ "::walk thread | ::thread", "the same" },
	{ "0t1::pid2task | ::walk thread | ::thread", "of one process" },
	{ NULL },
};

static const struct mdb_example task_examples[] = {
	{ "0t1::pid2task | ::task", "init's state" },
	{ NULL },
};

static const struct mdb_example threadlist_examples[] = {
	{ "::threadlist", "all threads" },
	{ "::threadlist -v", "with stacks" },
	{ NULL },
};

static const struct mdb_example findstack_examples[] = {
	{ "0t1::pid2task | ::findstack", "the stack of init" },
	{ "::walk thread | ::findstack -v", "of every thread" },
	{ NULL },
};

static const struct mdb_example stacks_examples[] = {
	{ "::stacks", "all distinct stacks" },
	{ "::stacks -c do_futex", "of those that are in do_futex" },
	{ "::stacks -m ext4", "with a function of ext4" },
	{ "::stacks -t DISK", "of uninterruptible threads" },
	{ "::stacks -a", "with the threads of each" },
	{ NULL },
};

static const struct mdb_example cpuinfo_examples[] = {
	{ "::cpuinfo", "all CPUs" },
	{ "::cpuinfo -v", "and their run queues" },
	{ "0::cpuinfo -v", "CPU 0" },
	{ NULL },
};

static const struct mdb_example msgbuf_examples[] = {
	{ "::msgbuf", "the text" },
	{ "::msgbuf -t", "as dmesg shows it" },
	{ "::msgbuf -T", "with wall-clock times" },
	{ "::msgbuf -tv", "and who wrote it" },
	{ "::msgbuf ! tail", "the last words" },
	{ NULL },
};

static const struct mdb_example modinfo_examples[] = {
	{ "::modinfo", "all modules" },
	{ "::modinfo -v", "with state, taints and struct module" },
	{ NULL },
};

static const struct mdb_example modctl_examples[] = {
	{ "::modctl", "all modules, loaded or not" },
	{ NULL },
};

static const struct mdb_example analyze_examples[] = {
	{ "::analyze", "what died, and of what" },
	{ NULL },
};

static const struct mdb_example panicinfo_examples[] = {
	{ "::panicinfo", "what is known of the panic" },
	{ NULL },
};

static const struct mdb_example time_examples[] = {
	{ "::time", "as a date" },
	{ "::time -d", "in seconds since 1970" },
	{ NULL },
};

static const struct mdb_example uptime_examples[] = {
	{ "::uptime", "days, hours, minutes, seconds" },
	{ NULL },
};

static const struct mdb_dcmd dcmds[] = {
	{
		.name = "ps",
		.summary = "list the processes",
		.help = "One row for each process, which is a thread group named "
			"by its leader. The idle threads, which all have pid 0, "
			"are in ::threadlist.\n\n"
			"With an address, the process of that task. NAME is the "
			"leader's name; with -f the arguments as the process has "
			"them now in its own memory, or [name] where there are "
			"none in the dump.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "task",
		.options = kern_ps_options,
		.table = &kern_ps_table,
		.examples = ps_examples,
		.run = kern_ps,
	},
	{
		.name = "ptree",
		.summary = "show the tree of processes",
		.help = "Each process below its parent. With an address, that "
			"process and what descends from it.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "task",
		.table = &kern_ptree_table,
		.examples = ptree_examples,
		.run = kern_ptree,
	},
	{
		.name = "pgrep",
		.operands = "pattern",
		.summary = "find processes by name",
		.help = "The pattern is an extended regular expression and "
			"matches anywhere in the name, unless -x is given.",
		.addr = MDB_ADDR_NONE,
		.options = kern_pgrep_options,
		.table = &kern_ps_table,
		.examples = pgrep_examples,
		.run = kern_pgrep,
	},
	{
		.name = "pid2task",
		.summary = "the task of a process or thread id",
		.help = "The id is read in the current radix: write 0t for "
			"decimal.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "pid",
		.examples = pid2task_examples,
		.run = kern_pid2task,
	},
	{
		.name = "pid2proc",
		.summary = "the task of a process or thread id",
		.help = "The same as ::pid2task.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "pid",
		.examples = pid2proc_examples,
		.run = kern_pid2task,
	},
	{
		.name = "thread",
		.summary = "show the state of threads in a line",
		.help = "All threads without an address. RAW is the state as the "
			"kernel stores it. Of an illumos kernel the columns are "
			"its mdb's.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "task",
		.table = &kern_thread_table,
		.examples = thread_examples,
		.run = kern_thread,
	},
	{
		.name = "task",
		.summary = "show the state of threads in a line",
		.help = "The same as ::thread.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "task",
		.table = &kern_thread_table,
		.examples = task_examples,
		.run = kern_thread,
	},
	{
		.name = "threadlist",
		.operands = "[count]",
		.summary = "list the threads, with -v their stacks",
		.help = "Every thread, the idle threads of the CPUs first. With "
			"-v its scheduling class, priority, CPU and state, and "
			"its stack: from the saved stack pointer, or from the "
			"registers of the CPU that it was on.\n\n"
			"count is mdb's number of arguments for each frame; it is "
			"taken and has no effect, as no arguments are known.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "task",
		.options = kern_threadlist_options,
		.table = &kern_threadlist_table,
		.examples = threadlist_examples,
		.run = kern_threadlist,
	},
	{
		.name = "findstack",
		.summary = "show the stack of a thread",
		.help = "The stack of the thread whose task is at the address, "
			"with the address of each frame.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "task",
		.options = kern_findstack_options,
		.table = &kern_findstack_table,
		.examples = findstack_examples,
		.run = kern_findstack,
	},
	{
		.name = "stacks",
		.summary = "group the threads by their stacks",
		.help = "Threads of equal stack and state are one group, shown "
			"with one of them, their count, and the stack. The "
			"largest group is first; the thread that panicked is "
			"last. A stack that does not end in a known outermost "
			"function or in user mode says why.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "task",
		.options = kern_stacks_options,
		.table = &kern_stacks_table,
		.examples = stacks_examples,
		.run = kern_stacks,
	},
	{
		.name = "cpuinfo",
		.summary = "show what each CPU runs",
		.help = "One row for each CPU that is present; the FLG of one that a panic has stopped is not online. The address is a "
			"CPU's number or that of its run queue. With -v the "
			"threads that wait on its run queue: deadline, real-time "
			"and fair, in the order in which the queue has them.\n\n"
			"Of an illumos kernel the columns are its mdb's: ADDR is "
			"the cpu_t, BSPL the base interrupt level, SWITCH in clock "
			"ticks.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "cpu",
		.options = kern_cpuinfo_options,
		.table = &kern_cpuinfo_table,
		.examples = cpuinfo_examples,
		.run = kern_cpuinfo,
	},
	{
		.name = "msgbuf",
		.summary = "show the kernel's log",
		.help = "The messages as they lie in the log buffer, the oldest "
			"first. A message that was being written is shown as far "
			"as it is there.",
		.addr = MDB_ADDR_NONE,
		.options = kern_msgbuf_options,
		.table = &kern_msgbuf_table,
		.examples = msgbuf_examples,
		.run = kern_msgbuf,
	},
	{
		.name = "modinfo",
		.summary = "list the loadable modules",
		.help = "In the order in which they were loaded. Of an illumos "
			"kernel the columns are its mdb's.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "module",
		.options = kern_modinfo_options,
		.table = &kern_modinfo_table,
		.examples = modinfo_examples,
		.run = kern_modinfo,
	},
	{
		.name = "modctl",
		.summary = "list the modules by what the system keeps of them",
		.help = "On illumos each struct modctl, of loaded modules and of "
			"others. On Linux the same as ::modinfo.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "module",
		.options = kern_modinfo_options,
		.table = &kern_modinfo_table,
		.examples = modctl_examples,
		.run = kern_modctl,
	},
	{
		.name = "analyze",
		.summary = "say what died, and of what",
		.help = "The reason, the CPU and the thread, the exception, and "
			"whether the thread's stack had run over: then by how "
			"many bytes, and the frames that take most of it. Each "
			"line is said only if what it rests on could be read; "
			"else the line says what could not.",
		.addr = MDB_ADDR_NONE,
		.table = &kern_analyze_table,
		.examples = analyze_examples,
		.run = kern_analyze,
	},
	{
		.name = "panicinfo",
		.summary =
			"show the panic's CPU, thread, message and registers",
		.help = "The registers are those that the dump states of the CPU "
			"that panicked.",
		.addr = MDB_ADDR_NONE,
		.table = &kern_panicinfo_table,
		.examples = panicinfo_examples,
		.run = kern_panicinfo,
	},
	{
		.name = "time",
		.summary = "show the time of the dump",
		.help = "The wall-clock time that the kernel had when it last "
			"updated its clock.",
		.addr = MDB_ADDR_NONE,
		.options = kern_time_options,
		.table = &kern_time_table,
		.examples = time_examples,
		.run = kern_time_show,
	},
	{
		.name = "uptime",
		.summary = "show how long the system had run",
		.help = "Since boot, suspended time counted.",
		.addr = MDB_ADDR_NONE,
		.table = &kern_uptime_table,
		.examples = uptime_examples,
		.run = kern_uptime,
	},
	{ .name = NULL },
};

static const struct mdb_walker walkers[] = {
	{
		.name = "proc",
		.summary = "the processes: leaders of thread groups",
		.addr = MDB_ADDR_NONE,
		.init = kern_walk_proc_init,
		.step = kern_walk_set_step,
	},
	{
		.name = "task",
		.summary = "all threads but the idle ones; of one process",
		.addr = MDB_ADDR_OPTIONAL,
		.init = kern_walk_task_init,
		.step = kern_walk_set_step,
	},
	{
		.name = "thread",
		.summary = "all threads, the idle ones too; of one process",
		.addr = MDB_ADDR_OPTIONAL,
		.init = kern_walk_thread_init,
		.step = kern_walk_set_step,
	},
	{
		.name = "cpu",
		.summary = "the run queues (struct rq) of the CPUs",
		.addr = MDB_ADDR_NONE,
		.step = kern_walk_cpu_step,
	},
	{
		.name = "module",
		.summary = "the struct module of each loadable module",
		.addr = MDB_ADDR_NONE,
		.init = kern_walk_module_init,
		.step = kern_walk_set_step,
	},
	{
		.name = "modctl",
		.summary = "the struct modctl of each module of illumos",
		.addr = MDB_ADDR_NONE,
		.init = kern_walk_module_init,
		.step = kern_walk_set_step,
	},
	{
		.name = "list_head",
		.summary =
			"the entries of a struct list_head, or what holds them",
		.addr = MDB_ADDR_REQUIRED,
		.operands = "[type member]",
		.init = linux_walk_list_init,
		.step = linux_walk_list_step,
	},
	{
		.name = "hlist",
		.summary =
			"the entries of a struct hlist_head, or what holds them",
		.addr = MDB_ADDR_REQUIRED,
		.operands = "[type member]",
		.init = linux_walk_hlist_init,
		.step = linux_walk_hlist_step,
	},
	{
		.name = "rbtree",
		.summary =
			"the nodes of a struct rb_root in order, or what holds them",
		.addr = MDB_ADDR_REQUIRED,
		.operands = "[type member]",
		.init = linux_walk_rbtree_init,
		.step = linux_walk_rbtree_step,
	},
	{
		.name = "xarray",
		.summary = "the pointers in a struct xarray",
		.addr = MDB_ADDR_REQUIRED,
		.init = linux_walk_xarray_init,
		.step = linux_walk_xarray_step,
	},
	{
		.name = "radix_tree",
		.summary = "the pointers in a struct radix_tree_root",
		.addr = MDB_ADDR_REQUIRED,
		.init = linux_walk_xarray_init,
		.step = linux_walk_xarray_step,
	},
	{
		.name = "percpu",
		.summary = "each CPU's copy of a per-CPU variable",
		.addr = MDB_ADDR_REQUIRED,
		.step = linux_walk_percpu_step,
	},
	{ .name = NULL },
};

static bool
probe(struct mdb_ctx *cx)
{
	return kern_provider(kern_world(cx)) != NULL;
}

const struct mdb_module mdb_module_kernel = {
	.api_version = MDB_API_VERSION,
	.name = "kernel",
	.summary = "the kernel: threads, processes, CPUs, log, modules",
	.probe = probe,
	.dcmds = dcmds,
	.walkers = walkers,
	.whatis = kern_whatis,
};
