/* SPDX-License-Identifier: MIT */
/* typename.c, typespell.c: any text as a type, then its spelling again. */
#include "mdb/base/ctx.h"
#include "mdb/sym/typename.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mdb_types *plain = mdb_types_create_plain(8);
	struct mdb_typename tn;
	struct mdb_type type;
	struct mdb_ctx cx;
	uint64_t size;
	char *text = malloc(len + 1);

	mdb_ctx_init(&cx);
	memcpy(text, data, len);
	text[len] = '\0';
	if (mdb_typename_parse(&cx, text, &tn) == MDB_OK &&
		mdb_typename_find(plain, &tn, &type) == MDB_OK) {
		const char *name = mdb_type_name(&cx, type);

		(void)!mdb_type_size(&cx, type, &size);
		if (!strstr(name, "...") &&
			mdb_typename_parse(&cx, name, &tn) != MDB_OK)
			abort();
	}
	free(text);
	mdb_ctx_fini(&cx);
	mdb_types_destroy(plain);
	return 0;
}
