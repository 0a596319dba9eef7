/* SPDX-License-Identifier: MIT */
/*
 * Processes of illumos: the list of proc_t at practive, the newest first
 * (sys/proc.h, sys/user.h).  A process is named by its proc_t.
 */
#include "illumos.h"

#include <string.h>

struct proc {
	uint32_t flag;
	uint8_t stat;
	int32_t ppid;
	mdb_addr_t parent;
	mdb_addr_t pidp, pgidp, sessp, cred;
	char comm[17];
};

static const struct mdb_field proc_fields[] = {
	MDB_FIELD_OPT(struct proc, flag, "p_flag"),
	MDB_FIELD_OPT(struct proc, stat, "p_stat"),
	MDB_FIELD_OPT(struct proc, ppid, "p_ppid"),
	MDB_FIELD_OPT(struct proc, parent, "p_parent"),
	MDB_FIELD(struct proc, pidp, "p_pidp"),
	MDB_FIELD_OPT(struct proc, pgidp, "p_pgidp"),
	MDB_FIELD_OPT(struct proc, sessp, "p_sessp"),
	MDB_FIELD_OPT(struct proc, cred, "p_cred"),
	MDB_FIELD(struct proc, comm, "p_user.u_comm"),
	MDB_FIELD_END,
};

enum {
	F_PPID = 2
};

static const struct mdb_shape proc_shape = { "proc_t", proc_fields };

enum mdb_status
illumos_procs(struct mdb_ctx *cx, struct kern_set *set)
{
	static const struct illumos_list list = { "proc_t", "p_next\0", NULL };
	mdb_addr_t first = 0;
	enum mdb_status st;

	st = illumos_var_ptr(cx, set->world, "practive", &first);
	if (st == MDB_OK)
		st = illumos_collect(cx, &list, first, set);
	return st == MDB_OK ? st : mdb_context(cx, st, "the list of processes");
}

/* A number in a structure pointed to, or -1. */
static int64_t
id_in(struct mdb_ctx *cx, struct mdb_loc loc, const char *type,
	const char *member)
{
	uint64_t offset, v;

	if (loc.addr != 0 &&
		mdb_offset_of(cx, loc.world, type, member, &offset) == MDB_OK &&
		mdb_read_uint(cx, mdb_at(loc, loc.addr + offset), 4, &v) ==
			MDB_OK)
		return (int32_t)v;
	mdb_forget(cx);
	return -1;
}

/* The id of a session is that of its s_sidp. */
static int64_t
session_id(struct mdb_ctx *cx, struct mdb_loc sess)
{
	mdb_addr_t sid = 0;
	uint64_t offset;

	if (sess.addr == 0 ||
		mdb_offset_of(cx, sess.world, "sess_t", "s_sidp\0", &offset) !=
			MDB_OK ||
		mdb_read_ptr(cx, mdb_at(sess, sess.addr + offset), &sid) !=
			MDB_OK)
		mdb_forget(cx);
	return id_in(cx, mdb_at(sess, sid), "struct pid", "pid_id\0");
}

/* sys/proc.h: SSLEEP and what follows it */
static char
letter_of(uint8_t stat)
{
	static const char letters[] = "?SRZIOTW";

	return letters[stat < sizeof(letters) - 1 ? stat : 0];
}

enum mdb_status
illumos_proc_info(struct mdb_ctx *cx, struct mdb_loc loc, struct kern_proc *out)
{
	struct proc p;
	enum mdb_status st = mdb_read_shape(cx, &proc_shape, loc, &p);
	struct kern_thread *t = &out->leader;

	if (st != MDB_OK)
		return st;
	memset(out, 0, sizeof(*out));
	t->loc = t->proc = loc;
	t->letter = letter_of(p.stat);
	t->flags = p.flag;
	t->user_space = loc.addr;
	p.comm[sizeof(p.comm) - 1] = '\0';
	memcpy(t->name, p.comm, sizeof(p.comm));
	t->pid = t->tid =
		id_in(cx, mdb_at(loc, p.pidp), "struct pid", "pid_id\0");
	out->parent = mdb_at(loc, p.parent);
	out->ppid =
		mdb_shape_has(cx, loc.world, &proc_shape, F_PPID) ? p.ppid : -1;
	out->pgid = id_in(cx, mdb_at(loc, p.pgidp), "struct pid", "pid_id\0");
	out->sid = session_id(cx, mdb_at(loc, p.sessp));
	out->uid = id_in(cx, mdb_at(loc, p.cred), "cred_t", "cr_uid\0");
	return MDB_OK;
}

enum mdb_status
illumos_proc_args(struct mdb_ctx *cx, const struct kern_thread *t, char *buf,
	size_t len)
{
	uint64_t offset = 0;
	enum mdb_status st;

	if (t->proc.addr == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "it has no process");
	st = mdb_offset_of(cx, t->loc.world, "proc_t", "p_user.u_psargs\0",
		&offset);
	if (st == MDB_OK && len > 80)
		len = 80 + 1; /* PSARGSZ */
	if (st == MDB_OK)
		st = mdb_read_str(cx, mdb_at(t->loc, t->proc.addr + offset),
			buf, len);
	return st;
}
