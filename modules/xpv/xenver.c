/* SPDX-License-Identifier: MIT */
/*
 * xenver: what a hypervisor says of itself, in the structure that a SunOS
 * control domain keeps of it.  A dump that has that variable shows its own.
 */
#include "xpv.h"

#include <string.h>

/* Behind the image, where Xen leaves 62 GiB free: xen/arch/x86/include/asm/
 * config.h, "Reserved for future use", 4.7 to 4.20. */
#define XENVER_ADDR 0xffff82dfff000000ull

static const char *const members[] = { "xv_ver", "xv_chgset", "xv_compiler",
	"xv_compile_date", "xv_compile_by", "xv_compile_domain", "xv_caps",
	NULL };

/* A variable's byte: 0, 1, or -1 when it is not known. */
static int
byte_of(struct mdb_ctx *cx, struct mdb_world *world, const char *name)
{
	struct mdb_loc loc;
	uint64_t v;

	if (xpv_var_loc(cx, world, name, &loc) == MDB_OK &&
		mdb_read_uint(cx, loc, 1, &v) == MDB_OK)
		return v != 0;
	mdb_forget(cx);
	return -1;
}

static bool
has_symbol(struct mdb_ctx *cx, struct mdb_world *world, const char *name)
{
	struct mdb_loc loc;

	if (xpv_var_loc(cx, world, name, &loc) == MDB_OK)
		return true;
	mdb_forget(cx);
	return false;
}

/*
 * 4.18 and later keep the text (xen/common/kernel.c, xen_cap_info); before, it
 * was made when asked for (arch_get_xen_caps, xen/arch/x86/setup.c) of what the
 * build and the processor have.
 */
static const char *
capabilities(struct mdb_ctx *cx, struct mdb_world *world)
{
	char *text = mdb_tmp(cx, 1024);
	bool has_pv = has_symbol(cx, world, "pv_hypercall");
	bool has_pv32 = has_symbol(cx, world, "switch_compat");
	int hvm, pv32 = 0;
	struct mdb_loc loc;

	if (xpv_var_loc(cx, world, "xen_cap_info", &loc) == MDB_OK &&
		mdb_read_str(cx, loc, text, 128) == MDB_OK)
		return text;
	mdb_forget(cx);
	hvm = byte_of(cx, world, "hvm_enabled");
	if (has_pv32)
		pv32 = byte_of(cx, world, "opt_pv32");
	if (hvm < 0 || pv32 < 0)
		return NULL;
	return mdb_tmp_printf(cx, "%s%s%s", has_pv ? "xen-3.0-x86_64 " : "",
		pv32 ? "xen-3.0-x86_32p " : "",
		hvm ? "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 " : "");
}

static const char *
known(struct mdb_ctx *cx, struct mdb_world *world, const char *member)
{
	if (strcmp(member, "xv_caps") == 0)
		return capabilities(cx, world);
	if (strcmp(member, "xv_ver") == 0)
		return mdb_world_fact(cx, world, "release");
	if (strcmp(member, "xv_chgset") == 0)
		return mdb_world_fact(cx, world, "changeset");
	return mdb_world_fact(cx, world, member + strlen("xv_"));
}

/* A pointer of 0 would say that the hypervisor has none. */
static const char *
text(struct mdb_ctx *cx, struct mdb_world *world, const char *member)
{
	const char *what = known(cx, world, member);

	return what ? what : "(cannot be read)";
}

const struct mdb_synthetic xpv_synthetics[] = {
	{
		.name = "xenver",
		.kind = MDB_WORLD_XEN,
		.addr = XENVER_ADDR,
		.members = members,
		.text = text,
	},
	{ .name = NULL },
};
