/* SPDX-License-Identifier: MIT */
/*
 * Loading modules.  No code of a module runs before its manifest was found
 * good; then its probe is asked, silently.
 */
#include "mdb/shell/load.h"

#include "mdb/base/alloc.h"
#include "mdb/world/synthetic.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the manifest --------------------------------------------------------
 */

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= MDB_NAME_MAX)
		return false;
	if ((name[0] == '$' || name[0] == ':') && len == 2)
		return true;
	for (const char *c = name; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && strchr("_-.+", *c) == NULL)
			return false;
	}
	return true;
}

static enum mdb_status
check_columns(struct mdb_ctx *cx, const struct mdb_dcmd *d)
{
	if (d->table != NULL && d->table->columns == NULL)
		return mdb_fail(cx, MDB_E_FORMAT,
			"command %s has a table without columns", d->name);
	for (const struct mdb_option *o = d->options;
		o != NULL && o->letter != 0; o++) {
		for (const struct mdb_option *p = d->options; p < o; p++) {
			if (p->letter == o->letter)
				return mdb_fail(cx, MDB_E_FORMAT,
					"command %s has option -%c twice",
					d->name, o->letter);
		}
	}
	return MDB_OK;
}

static enum mdb_status
check_dcmds(struct mdb_ctx *cx, const struct mdb_dcmd *dcmds)
{
	enum mdb_status st = MDB_OK;

	for (const struct mdb_dcmd *d = dcmds;
		d != NULL && d->name != NULL && st == MDB_OK; d++) {
		if (!is_name(d->name))
			return mdb_fail(cx, MDB_E_FORMAT,
				"'%s' is no name for a command", d->name);
		if (d->run == NULL || d->summary == NULL)
			return mdb_fail(cx, MDB_E_FORMAT,
				"command %s has no function or no summary",
				d->name);
		for (const struct mdb_dcmd *e = dcmds; e < d; e++) {
			if (strcmp(e->name, d->name) == 0)
				return mdb_fail(cx, MDB_E_FORMAT,
					"command %s is there twice", d->name);
		}
		st = check_columns(cx, d);
	}
	return st;
}

static enum mdb_status
check_walkers(struct mdb_ctx *cx, const struct mdb_walker *walkers)
{
	for (const struct mdb_walker *w = walkers; w != NULL && w->name != NULL;
		w++) {
		if (!is_name(w->name))
			return mdb_fail(cx, MDB_E_FORMAT,
				"'%s' is no name for a walker", w->name);
		if (w->step == NULL || w->summary == NULL)
			return mdb_fail(cx, MDB_E_FORMAT,
				"walker %s has no step or no summary", w->name);
		for (const struct mdb_walker *v = walkers; v < w; v++) {
			if (strcmp(v->name, w->name) == 0)
				return mdb_fail(cx, MDB_E_FORMAT,
					"walker %s is there twice", w->name);
		}
	}
	return MDB_OK;
}

enum mdb_status
mdb_module_check(struct mdb_ctx *cx, const struct mdb_module *module,
	const char *file_name)
{
	enum mdb_status st;

	if (module->api_version != MDB_API_VERSION)
		return mdb_fail(cx, MDB_E_FORMAT,
			"made for version %u of the interface, this is %u",
			module->api_version, MDB_API_VERSION);
	if (module->name == NULL || !is_name(module->name) ||
		strcmp(module->name, file_name) != 0)
		return mdb_fail(cx, MDB_E_FORMAT,
			"its manifest is not named '%s'", file_name);
	if (module->summary == NULL)
		return mdb_fail(cx, MDB_E_FORMAT, "it has no summary");
	st = check_dcmds(cx, module->dcmds);
	if (st == MDB_OK)
		st = check_walkers(cx, module->walkers);
	return st;
}

/* ---- probing and keeping -------------------------------------------------
 */

static bool
wants_dump(struct mdb_session *s, const struct mdb_module *module)
{
	struct mdb_ctx cx;
	bool wants;

	if (module->probe == NULL)
		return true;
	mdb_session_ctx_init(s, &cx, &s->cx);
	wants = module->probe(&cx);
	mdb_session_ctx_fini(s, &cx);
	return wants;
}

static bool
is_loaded(const struct mdb_session *s, const char *name)
{
	for (size_t i = 0; i < s->registry.nr_modules; i++) {
		if (strcmp(s->registry.modules[i]->name, name) == 0)
			return true;
	}
	return false;
}

/* True when the module was kept, and its handle with it. */
static bool
consider(struct mdb_session *s, const struct mdb_module *module,
	const char *name, void *handle)
{
	enum mdb_status st = mdb_module_check(&s->cx, module, name);

	if (st != MDB_OK) {
		mdb_warn(&s->cx, st, "module %s cannot be used", name);
		return false;
	}
	if (is_loaded(s, name) || !wants_dump(s, module))
		return false;
	mdb_registry_add_module(&s->registry, module, handle);
	for (const struct mdb_synthetic *d = module->synthetics;
		d != NULL && d->name != NULL; d++)
		mdb_synthetic_add(&s->cx, d);
	return true;
}

void
mdb_load_builtin(struct mdb_session *s, const struct mdb_module *module)
{
	(void)consider(s, module, module->name, NULL);
}

static void
load_file(struct mdb_session *s, const char *path, const char *name)
{
	char symbol[MDB_NAME_MAX + 16];
	const struct mdb_module *module;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL) {
		mdb_warn(&s->cx, MDB_OK, "module %s: %s", name, dlerror());
		return;
	}
	(void)snprintf(symbol, sizeof(symbol), "mdb_module_%s", name);
	module = dlsym(handle, symbol);
	if (module == NULL)
		mdb_warn(&s->cx, MDB_OK, "module %s: %s has no symbol %s", name,
			path, symbol);
	if (module == NULL || !consider(s, module, name, handle))
		dlclose(handle);
}

/* ---- directories ---------------------------------------------------------
 */

static int
is_shared_object(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && len < MDB_NAME_MAX && entry->d_name[0] != '.' &&
	       strcmp(entry->d_name + len - 3, ".so") == 0;
}

static void
load_dir(struct mdb_session *s, const char *dir)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_shared_object, alphasort);

	for (int i = 0; i < count; i++) {
		const char *file = entries[i]->d_name;
		char *path = mdb_tmp_printf(&s->cx, "%s/%s", dir, file);
		char *name = mdb_tmp_printf(&s->cx, "%.*s",
			(int)strlen(file) - 3, file);

		if (!is_loaded(s, name))
			load_file(s, path, name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* ---- modules that are not there ------------------------------------------
 */

/* What the worlds of a dump need. */
static const struct {
	enum mdb_world_kind kind;
	const char *module, *commands;
} needed[] = {
	{ MDB_WORLD_LINUX, "kernel", "the kernel's commands (::ps, ::msgbuf)" },
	{ MDB_WORLD_ILLUMOS, "kernel",
		"the kernel's commands (::ps, ::msgbuf)" },
	{ MDB_WORLD_XEN, "xpv",
		"the hypervisor's commands (::domain, ::pcpu, ::xenmsg)" },
};
#define NR_NEEDED (sizeof(needed) / sizeof(needed[0]))

static bool
has_world(struct mdb_session *s, enum mdb_world_kind kind)
{
	struct mdb_world *w = mdb_world_next(&s->cx, NULL);

	while (w != NULL && mdb_world_kind(w) != kind)
		w = mdb_world_next(&s->cx, w);
	return w != NULL;
}

/* One that is there was loaded, or it was said why not. */
static bool
is_in(struct mdb_session *s, const char *const *dirs, size_t nr_dirs,
	const char *name)
{
	for (size_t i = 0; i < nr_dirs; i++)
		if (access(mdb_tmp_printf(&s->cx, "%s/%s.so", dirs[i], name),
			    F_OK) == 0)
			return true;
	return false;
}

/* Those that there are; where there are none, what was looked for. */
static const char *
list_dirs(struct mdb_session *s, const char *const *dirs, size_t nr_dirs)
{
	const char *list = "", *all = "";

	for (size_t i = 0; i < nr_dirs; i++) {
		char *real = realpath(dirs[i], NULL);

		all = mdb_tmp_printf(&s->cx, "%s%s%s", all, i > 0 ? ", " : "",
			dirs[i]);
		if (real != NULL && strstr(list, real) == NULL)
			list = mdb_tmp_printf(&s->cx, "%s%s%s", list,
				*list != '\0' ? ", " : "", real);
		free(real);
	}
	return *list != '\0' ? list : all;
}

static void
say_missing(struct mdb_session *s, const char *const *dirs, size_t nr_dirs)
{
	const char *said = "";

	for (size_t i = 0; i < NR_NEEDED; i++) {
		const char *name = needed[i].module;

		if (!has_world(s, needed[i].kind) || is_loaded(s, name) ||
			strcmp(name, said) == 0 ||
			is_in(s, dirs, nr_dirs, name))
			continue;
		said = name;
		mdb_warn(&s->cx, MDB_OK,
			"%s are missing: there is no %s.so in %s; option -L "
			"names another directory",
			needed[i].commands, name, list_dirs(s, dirs, nr_dirs));
	}
}

void
mdb_load_modules(struct mdb_session *s, const char *const *dirs, size_t nr_dirs)
{
	for (size_t i = 0; i < nr_dirs; i++)
		load_dir(s, dirs[i]);
	say_missing(s, dirs, nr_dirs);
	mdb_arena_release(&s->cx.tmp);
}
