/* SPDX-License-Identifier: MIT */
/*
 * What illumos notes of a panic: panicstr, panic_cpu, panic_thread and
 * panicbuf (sys/panic.h); and, where the Xen below it panicked, the structure
 * to which xpv_panic_info points (sys/xpv_panic.h).
 */
#include "illumos.h"

#include <string.h>

#define MESSAGE_LEN 512

struct info {
	int32_t version;
	mdb_addr_t message, domain, vcpu;
};

static const struct mdb_field info_fields[] = {
	MDB_FIELD_OPT(struct info, version, "pi_version"),
	MDB_FIELD_OPT(struct info, message, "pi_panicstr"),
	MDB_FIELD_OPT(struct info, domain, "pi_domain"),
	MDB_FIELD(struct info, vcpu, "pi_vcpu"),
	MDB_FIELD_END,
};

static const struct mdb_shape info_shape = { "struct panic_info", info_fields };

struct vcpu {
	int32_t id;
};

static const struct mdb_field vcpu_fields[] = {
	MDB_FIELD(struct vcpu, id, "vcpu_id"),
	MDB_FIELD_END,
};

static const struct mdb_shape vcpu_shape = { "struct vcpu", vcpu_fields };

/* The message without the newline that the kernel would print. */
static const char *
message_at(struct mdb_ctx *cx, struct mdb_loc loc)
{
	char *text = mdb_tmp(cx, MESSAGE_LEN);
	size_t len;

	illumos_str(cx, loc, text, MESSAGE_LEN);
	len = strlen(text);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	return len == 0 ? NULL : text;
}

/* Where an address of the hypervisor is, for a kernel that can see it. */
static struct mdb_loc
beneath(struct mdb_ctx *cx, struct mdb_world *w, mdb_addr_t addr)
{
	struct mdb_loc loc = mdb_locate(cx, addr);

	if (mdb_world_kind(loc.world) == MDB_WORLD_XEN)
		return loc;
	return mdb_kernel_loc(w, addr);
}

static void
own_panic(struct mdb_ctx *cx, struct mdb_world *w, struct kern_panic *out)
{
	mdb_addr_t message = illumos_var_ptr_or_0(cx, w, "panicstr");
	struct mdb_loc copy;
	uint64_t offset, id;

	if (message == 0)
		return;
	out->panicked = true;
	if (out->message == NULL)
		out->message = message_at(cx, mdb_kernel_loc(w, message));
	out->thread.addr = illumos_var_ptr_or_0(cx, w, "panic_thread");
	if (illumos_var(cx, w, "panic_cpu", &copy) == MDB_OK &&
		mdb_offset_of(cx, w, "cpu_t", "cpu_id\0", &offset) == MDB_OK &&
		mdb_read_uint(cx, mdb_at(copy, copy.addr + offset), 4, &id) ==
			MDB_OK &&
		id <= INT32_MAX)
		out->cpu = (int)id;
	mdb_forget(cx);
}

static void
hypervisor_panic(struct mdb_ctx *cx, struct mdb_world *w,
	struct kern_panic *out)
{
	mdb_addr_t addr = illumos_var_ptr_or_0(cx, w, "xpv_panic_info");
	const char *message;
	struct info info;
	struct vcpu v;

	if (addr == 0)
		return;
	out->panicked = out->by_hypervisor = true;
	if (mdb_read_shape(cx, &info_shape, beneath(cx, w, addr), &info) !=
		MDB_OK)
		return;
	message = message_at(cx, beneath(cx, w, info.message));
	if (message != NULL)
		out->message = message;
	out->vcpu = beneath(cx, w, info.vcpu);
	out->domain = beneath(cx, w, info.domain);
	if (info.vcpu == 0 ||
		mdb_read_shape(cx, &vcpu_shape, out->vcpu, &v) != MDB_OK)
		return;
	/* dom0's CPUs are its virtual ones, by the same numbers. */
	out->vcpu_id = out->cpu = v.id;
	out->thread.addr = 0;
}

enum mdb_status
illumos_panic(struct mdb_ctx *cx, struct mdb_world *w, struct kern_panic *out)
{
	own_panic(cx, w, out);
	hypervisor_panic(cx, w, out);
	mdb_forget(cx);
	return mdb_check_interrupt(cx);
}

/* ---- panicbuf ------------------------------------------------------------ */

#define PAIR_LEN 24
#define NAME_LEN 16
#define MAX_PAIRS 64

/* Where the pairs begin, by the version of the buffer. */
static uint64_t
pairs_begin(uint64_t version)
{
	return version == 1 ? 8 : version == 2 ? 0x30 : 0;
}

enum mdb_status
illumos_panic_pairs(struct mdb_ctx *cx, struct mdb_world *w, kern_pair_fn *fn,
	void *arg)
{
	uint64_t version = 0, end = 0, at, value = 0;
	struct mdb_loc buf;
	enum mdb_status st = illumos_var(cx, w, "panicbuf", &buf);

	if (st == MDB_OK)
		st = mdb_read_uint(cx, buf, 4, &version);
	if (st == MDB_OK)
		st = mdb_read_uint(cx, mdb_at(buf, buf.addr + 4), 4, &end);
	if (st != MDB_OK)
		return mdb_context(cx, st, "panicbuf");
	at = pairs_begin(version);
	if (at == 0 || end < at || (end - at) / PAIR_LEN > MAX_PAIRS)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"panicbuf has version %llu and is not known",
			(unsigned long long)version);
	for (; st == MDB_OK && at + PAIR_LEN <= end; at += PAIR_LEN) {
		char name[NAME_LEN + 1] = "";
		struct mdb_loc pair = mdb_at(buf, buf.addr + at);

		st = mdb_read(cx, pair, name, NAME_LEN);
		if (st == MDB_OK)
			st = mdb_read_uint(cx,
				mdb_at(pair, pair.addr + NAME_LEN), 8, &value);
		if (st == MDB_OK)
			st = fn(cx, name, value, arg);
	}
	return st;
}
