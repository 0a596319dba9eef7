/* SPDX-License-Identifier: MIT */
/*
 * What a Linux process is beyond its leader: parent, group, session, user,
 * and its arguments, which lie in its own memory.
 */
#include "linux.h"

#include <stdio.h>
#include <string.h>

struct ids {
	mdb_addr_t real_parent;
	mdb_addr_t signal;
	mdb_addr_t cred;
	mdb_addr_t old_pgid; /* struct pid, 4.14 to 4.18 */
	mdb_addr_t old_sid;
};

static const struct mdb_field ids_fields[] = {
	MDB_FIELD(struct ids, real_parent, "real_parent"),
	MDB_FIELD(struct ids, signal, "signal"),
	MDB_FIELD(struct ids, cred, "cred"),
	MDB_FIELD_OPT(struct ids, old_pgid, "pids[1].pid"),
	MDB_FIELD_OPT(struct ids, old_sid, "pids[2].pid"),
	MDB_FIELD_END,
};

static const struct mdb_shape ids_shape = { "struct task_struct", ids_fields };

struct parent {
	int32_t tgid;
	mdb_addr_t leader;
};

static const struct mdb_field parent_fields[] = {
	MDB_FIELD(struct parent, tgid, "tgid"),
	MDB_FIELD(struct parent, leader, "group_leader"),
	MDB_FIELD_END,
};

static const struct mdb_shape parent_shape = { "struct task_struct",
	parent_fields };

/* 4.19 on; the indices of enum pid_type */
struct signal {
	mdb_addr_t pgid;
	mdb_addr_t sid;
};

static const struct mdb_field signal_fields[] = {
	MDB_FIELD_OPT(struct signal, pgid, "pids[2]"),
	MDB_FIELD_OPT(struct signal, sid, "pids[3]"),
	MDB_FIELD_END,
};

static const struct mdb_shape signal_shape = { "struct signal_struct",
	signal_fields };

/* The number of a struct pid in the first namespace; -1: not known. */
static int64_t
pid_number(struct mdb_ctx *cx, struct mdb_loc pid)
{
	uint64_t numbers, nr, value;

	if (pid.addr == 0 ||
		!linux_offset(cx, pid.world, "struct pid", "numbers\0",
			&numbers) ||
		!linux_offset(cx, pid.world, "struct upid", "nr\0", &nr))
		return -1;
	if (mdb_read_uint(cx, mdb_at(pid, pid.addr + numbers + nr), 4,
		    &value) != MDB_OK) {
		mdb_forget(cx);
		return -1;
	}
	return (int32_t)value;
}

static int64_t
uid_of(struct mdb_ctx *cx, struct mdb_loc cred)
{
	uint64_t offset, value;

	if (cred.addr == 0 || !linux_offset(cx, cred.world, "struct cred",
				      "uid.val\0uid\0", &offset))
		return -1;
	if (mdb_read_uint(cx, mdb_at(cred, cred.addr + offset), 4, &value) !=
		MDB_OK) {
		mdb_forget(cx);
		return -1;
	}
	return (int64_t)value;
}

enum mdb_status
linux_proc_info(struct mdb_ctx *cx, struct mdb_loc loc, struct kern_proc *out)
{
	struct kern_proc p = { .ppid = -1, .pgid = -1, .sid = -1, .uid = -1 };
	struct signal signal = { 0, 0 };
	struct parent parent;
	struct ids ids;
	enum mdb_status st = linux_thread_info(cx, loc, &p.leader);

	if (st == MDB_OK && p.leader.proc.addr != 0 &&
		p.leader.proc.addr != loc.addr)
		st = linux_thread_info(cx, p.leader.proc, &p.leader);
	loc = p.leader.loc;
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &ids_shape, loc, &ids);
	if (st != MDB_OK)
		return st;
	p.parent = mdb_at(loc, 0);
	if (ids.real_parent != 0 &&
		mdb_read_shape(cx, &parent_shape, mdb_at(loc, ids.real_parent),
			&parent) == MDB_OK) {
		p.ppid = parent.tgid;
		p.parent.addr = parent.leader;
	}
	if (ids.signal == 0 ||
		mdb_read_shape(cx, &signal_shape, mdb_at(loc, ids.signal),
			&signal) != MDB_OK ||
		signal.pgid == 0)
		signal = (struct signal){ ids.old_pgid, ids.old_sid };
	p.pgid = pid_number(cx, mdb_at(loc, signal.pgid));
	p.sid = pid_number(cx, mdb_at(loc, signal.sid));
	p.uid = uid_of(cx, mdb_at(loc, ids.cred));
	mdb_forget(cx);
	*out = p;
	return MDB_OK;
}

/* ---- arguments ----------------------------------------------------------- */

struct mm {
	mdb_addr_t pgd, arg_start, arg_end, env_end;
};

static const struct mdb_field mm_fields[] = {
	MDB_FIELD(struct mm, pgd, "pgd"),
	MDB_FIELD(struct mm, arg_start, "arg_start"),
	MDB_FIELD(struct mm, arg_end, "arg_end"),
	MDB_FIELD(struct mm, env_end, "env_end"),
	MDB_FIELD_END,
};

static const struct mdb_shape mm_shape = { "struct mm_struct", mm_fields };

static enum mdb_status
user_loc(struct mdb_ctx *cx, struct mdb_loc kernel, const struct mm *mm,
	struct mdb_loc *loc_out)
{
	struct mdb_loc loc = mdb_at(kernel, mm->arg_start);
	struct mdb_vtop pgd;
	enum mdb_status st = mdb_vtop(cx, mdb_at(kernel, mm->pgd), &pgd);

	if (st == MDB_OK)
		st = mdb_space_of_root(cx, kernel.world, pgd.paddr, &loc.space);
	if (st == MDB_OK)
		*loc_out = loc;
	return st;
}

/*
 * Text of len bytes as ps shows it: a blank for each NUL between.  A process
 * that wrote its title over its arguments (the last byte is no NUL) is taken
 * to the first NUL, as the kernel does for /proc/PID/cmdline.
 */
static void
join(char *buf, size_t len, bool title)
{
	size_t i;

	if (title)
		len = strnlen(buf, len);
	while (len > 0 && buf[len - 1] == '\0')
		len--;
	for (i = 0; i < len; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	buf[len] = '\0';
}

/* A kernel thread's own name, which comm cuts after 15 bytes (5.17 on). */
static enum mdb_status
kthread_name(struct mdb_ctx *cx, const struct kern_thread *t, char *buf,
	size_t len)
{
	uint64_t worker, full_name;
	mdb_addr_t addr = 0;
	char name[256] = "";
	enum mdb_status st = MDB_E_NOTFOUND;

	if (linux_offset(cx, t->loc.world, "struct task_struct",
		    "worker_private\0", &worker) &&
		linux_offset(cx, t->loc.world, "struct kthread", "full_name\0",
			&full_name))
		st = mdb_read_ptr(cx, mdb_at(t->loc, t->loc.addr + worker),
			&addr);
	if (st == MDB_OK && addr != 0)
		st = mdb_read_ptr(cx, mdb_at(t->loc, addr + full_name), &addr);
	if (st == MDB_OK && addr != 0)
		st = mdb_read_str(cx, mdb_at(t->loc, addr), name, sizeof(name));
	/* it must be the longer form of the name that we know */
	if (st != MDB_OK || addr == 0 ||
		strncmp(name, t->name, strlen(t->name)) != 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no longer name");
	if (snprintf(buf, len, "[%s]", name) >= (int)len)
		return mdb_fail(cx, MDB_E_NOTFOUND, "the name is too long");
	return MDB_OK;
}

enum mdb_status
linux_proc_args(struct mdb_ctx *cx, const struct kern_thread *t, char *buf,
	size_t len)
{
	static const char cut[] = " ...";
	size_t want, got, end;
	struct mdb_loc loc;
	struct mm mm;
	enum mdb_status st;

	if (t->is_kernel)
		return kthread_name(cx, t, buf, len);
	if (t->user_space == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no user memory");
	st = mdb_read_shape(cx, &mm_shape, mdb_at(t->loc, t->user_space), &mm);
	if (st != MDB_OK)
		return st;
	if (mm.arg_start == 0 || mm.arg_end <= mm.arg_start ||
		len <= sizeof(cut))
		return mdb_fail(cx, MDB_E_NOTFOUND, "no arguments");
	st = user_loc(cx, t->loc, &mm, &loc);
	if (st != MDB_OK)
		return st;
	end = mm.arg_end - mm.arg_start;
	want = end < len - sizeof(cut) ? end : len - sizeof(cut);
	st = mdb_read_some(cx, loc, buf, want, &got);
	if (st != MDB_OK)
		return st;
	join(buf, got, got == end && buf[got - 1] != '\0');
	if (got < end)
		memcpy(buf + strlen(buf), cut, sizeof(cut));
	return MDB_OK;
}
