/* SPDX-License-Identifier: MIT */
/* Variables: a small array kept in name order. */
#include "mdb/base/alloc.h"
#include "mdb/lang/lang.h"

#include <stdlib.h>
#include <string.h>

#define MAX_VARS 4096u

struct var {
	char name[MDB_VAR_NAME_MAX + 1];
	uint64_t value;
};

struct mdb_vars {
	struct var *vars;
	size_t nr_vars;
};

struct mdb_vars *
mdb_vars_create(void)
{
	return mdb_xalloc(sizeof(struct mdb_vars));
}

void
mdb_vars_destroy(struct mdb_vars *vars)
{
	if (!vars)
		return;
	free(vars->vars);
	free(vars);
}

static bool
find(const struct mdb_vars *vars, const char *name, size_t *at_out)
{
	size_t i = 0;
	int cmp = 1;

	while (i < vars->nr_vars &&
		(cmp = strcmp(vars->vars[i].name, name)) < 0)
		i++;
	*at_out = i;
	return i < vars->nr_vars && cmp == 0;
}

bool
mdb_vars_get(const struct mdb_vars *vars, const char *name, uint64_t *value_out)
{
	size_t at;

	if (!find(vars, name, &at))
		return false;
	*value_out = vars->vars[at].value;
	return true;
}

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= MDB_VAR_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == len;
}

enum mdb_status
mdb_vars_set(struct mdb_ctx *cx, struct mdb_vars *vars, const char *name,
	uint64_t value)
{
	size_t at;

	if (!is_name(name))
		return mdb_fail(cx, MDB_E_USAGE,
			"'%s' cannot name a variable: 1 to %d letters, "
			"digits, _ or .",
			name, MDB_VAR_NAME_MAX);
	if (!find(vars, name, &at)) {
		if (vars->nr_vars == MAX_VARS)
			return mdb_fail(cx, MDB_E_USAGE,
				"there are %u variables already", MAX_VARS);
		vars->vars = mdb_xrealloc(vars->vars, vars->nr_vars + 1,
			sizeof(*vars->vars));
		memmove(&vars->vars[at + 1], &vars->vars[at],
			(vars->nr_vars - at) * sizeof(*vars->vars));
		vars->nr_vars++;
		memcpy(vars->vars[at].name, name, strlen(name) + 1);
	}
	vars->vars[at].value = value;
	return MDB_OK;
}

bool
mdb_vars_at(const struct mdb_vars *vars, size_t index, const char **name_out,
	uint64_t *value_out)
{
	if (index >= vars->nr_vars)
		return false;
	*name_out = vars->vars[index].name;
	*value_out = vars->vars[index].value;
	return true;
}
