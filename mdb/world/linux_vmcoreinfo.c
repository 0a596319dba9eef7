/* SPDX-License-Identifier: MIT */
/* What a world's VMCOREINFO says, for modules and for the Linux files. */
#include "mdb/base/ctx.h"
#include "mdb/sym/vmcoreinfo.h"
#include "mdb/world/linux_world.h"

enum mdb_status
mdb_vmcoreinfo_uint(struct mdb_ctx *cx, struct mdb_world *world,
	const char *key, uint64_t *value_out)
{
	if (world->vmcoreinfo == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND, "%s has no VMCOREINFO",
			world->name);
	if (!mdb_vmcoreinfo_number(world->vmcoreinfo, world->vmcoreinfo_len,
		    key, value_out))
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"VMCOREINFO does not state %s", key);
	return MDB_OK;
}

mdb_addr_t
mdb_linux_info_symbol(const struct mdb_linux *lx, const char *name)
{
	const struct mdb_world *w = lx->world;
	uint64_t v;

	if (w->vmcoreinfo == NULL || !mdb_vmcoreinfo_symbol(w->vmcoreinfo,
					     w->vmcoreinfo_len, name, &v))
		return 0;
	return v;
}

bool
mdb_linux_info_number(const struct mdb_linux *lx, const char *key,
	uint64_t *value_out)
{
	const struct mdb_world *w = lx->world;

	return w->vmcoreinfo != NULL &&
	       mdb_vmcoreinfo_number(w->vmcoreinfo, w->vmcoreinfo_len, key,
		       value_out);
}
