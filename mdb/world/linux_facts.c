/* SPDX-License-Identifier: MIT */
/*
 * What is known of a Linux kernel as text.  Each fact is found when first
 * asked for and kept; NULL means not known, never a guess.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/sym/vmcoreinfo.h"
#include "mdb/world/linux_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* struct new_utsname (include/uapi/linux/utsname.h): six strings of 65. */
enum {
	UTS_SYSNAME,
	UTS_NODENAME,
	UTS_RELEASE,
	UTS_VERSION,
	UTS_MACHINE
};

#define MAX_LINE 4096u

/*
 * struct uts_namespace begins with the names, or up to 5.10 with a reference
 * count before them.
 */
bool
mdb_linux_uts_read(struct mdb_space *space, mdb_addr_t init_uts_ns,
	mdb_addr_t *uts_out, char uts_out_text[6][MDB_LINUX_UTS_LEN + 1])
{
	char b[16 + 6 * MDB_LINUX_UTS_LEN];

	if (mdb_space_try(space, init_uts_ns, b, sizeof(b)) != MDB_OK)
		return false;
	for (size_t skip = 0; skip <= 16; skip += 4) {
		if (memcmp(b + skip, "Linux", 6) != 0)
			continue;
		for (size_t i = 0; i < 6; i++) {
			memcpy(uts_out_text[i],
				b + skip + i * MDB_LINUX_UTS_LEN,
				MDB_LINUX_UTS_LEN);
			uts_out_text[i][MDB_LINUX_UTS_LEN] = '\0';
		}
		*uts_out = init_uts_ns + skip;
		return true;
	}
	return false;
}

static char *
uts_fact(const struct mdb_linux *lx, size_t i)
{
	if (lx->uts_addr == 0 || lx->uts[i][0] == '\0')
		return NULL;
	return mdb_xstrdup(lx->uts[i]);
}

static char *
info_fact(const struct mdb_linux *lx, const char *key)
{
	const struct mdb_world *w = lx->world;
	const char *value;
	size_t len;

	if (w->vmcoreinfo == NULL ||
		!mdb_vmcoreinfo_get(w->vmcoreinfo, w->vmcoreinfo_len, key,
			&value, &len))
		return NULL;
	return mdb_xstrndup(value, len);
}

/* A string variable of the kernel: an array, or a pointer to one. */
static char *
string_fact(struct mdb_ctx *cx, struct mdb_linux *lx, const char *symbol,
	bool pointer)
{
	MDB_AUTO_FREE char *text = mdb_xalloc(MAX_LINE);
	mdb_addr_t addr;
	size_t len = 0;

	if (mdb_linux_symbol(cx, lx, symbol, 0, &addr) != MDB_OK ||
		(pointer && mdb_space_read_uint(cx, lx->world->space, addr, 8,
				    &addr) != MDB_OK) ||
		mdb_space_read_some(cx, lx->world->space, addr, text,
			MAX_LINE - 1, &len) != MDB_OK)
		return NULL;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text[0] != '\0' ? mdb_xstrdup(text) : NULL;
}

static char *
message_fact(struct mdb_ctx *cx, struct mdb_linux *lx, bool oops)
{
	const char *text;

	mdb_linux_messages_find(cx, lx);
	text = oops ? lx->oops_message : lx->panic_message;
	/* A kernel before 4.20 may crash without panic(): the oops says why. */
	if (text == NULL && !oops)
		text = lx->oops_message;
	return text != NULL ? mdb_xstrdup(text) : NULL;
}

static char *
fact_make(struct mdb_ctx *cx, struct mdb_linux *lx, const char *key)
{
	if (strcmp(key, "sysname") == 0)
		return uts_fact(lx, UTS_SYSNAME);
	if (strcmp(key, "nodename") == 0)
		return uts_fact(lx, UTS_NODENAME);
	if (strcmp(key, "release") == 0)
		return lx->uts_addr != 0 ? uts_fact(lx, UTS_RELEASE)
					 : info_fact(lx, "OSRELEASE");
	if (strcmp(key, "version") == 0)
		return uts_fact(lx, UTS_VERSION);
	if (strcmp(key, "machine") == 0)
		return uts_fact(lx, UTS_MACHINE);
	if (strcmp(key, "build_id") == 0)
		return info_fact(lx, "BUILD-ID");
	if (strcmp(key, "crash_time") == 0)
		return info_fact(lx, "CRASHTIME");
	if (strcmp(key, "panic_message") == 0)
		return message_fact(cx, lx, false);
	if (strcmp(key, "oops_message") == 0)
		return message_fact(cx, lx, true);
	if (strcmp(key, "banner") == 0)
		return string_fact(cx, lx, "linux_banner", false);
	if (strcmp(key, "cmdline") == 0)
		return string_fact(cx, lx, "saved_command_line", true);
	return NULL;
}

/* A running kernel's CRASHTIME is of its crash kernel, or 0: not a fact. */
static bool
fact_is_sane(const char *key, const char *value)
{
	return strcmp(key, "crash_time") != 0 || strcmp(value, "0") != 0;
}

const char *
mdb_linux_fact(struct mdb_ctx *cx, struct mdb_world *world, const char *key)
{
	struct mdb_linux *lx = mdb_linux_of(world);
	struct mdb_linux_fact *f;

	for (size_t i = 0; i < lx->nr_facts; i++)
		if (strcmp(lx->facts[i].key, key) == 0)
			return lx->facts[i].value;
	lx->facts =
		mdb_xrealloc(lx->facts, lx->nr_facts + 1, sizeof(*lx->facts));
	f = &lx->facts[lx->nr_facts++];
	f->key = mdb_xstrdup(key);
	f->value = NULL;
	f->value = fact_make(cx, lx, key);
	mdb_forget(cx);
	if (f->value != NULL && !fact_is_sane(key, f->value)) {
		free(f->value);
		f->value = NULL;
	}
	return f->value;
}

void
mdb_linux_facts_fini(struct mdb_linux *lx)
{
	for (size_t i = 0; i < lx->nr_facts; i++) {
		free(lx->facts[i].key);
		free(lx->facts[i].value);
	}
	free(lx->facts);
	free(lx->panic_message);
	free(lx->oops_message);
}
