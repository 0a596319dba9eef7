/* SPDX-License-Identifier: MIT */
/* What only the native format says, handed out; nothing of it for others. */
#include "dfmt-native.h"

static const struct dfmt_nstate *
native_of(const struct dfmt *d)
{
	return d->info.kind == DFMT_KIND_NATIVE ? d->impl : NULL;
}

const struct dfmt_native *
dfmt_native_get(const struct dfmt *d)
{
	const struct dfmt_nstate *n = native_of(d);

	return n ? &n->info : NULL;
}

size_t
dfmt_nr_versions(const struct dfmt *d)
{
	const struct dfmt_nstate *n = native_of(d);

	return n ? n->nr_versions : 0;
}

const char *
dfmt_version_at(const struct dfmt *d, size_t i)
{
	return native_of(d)->versions[i];
}

size_t
dfmt_nr_frames(const struct dfmt *d)
{
	const struct dfmt_nstate *n = native_of(d);

	return n ? n->nr_frames : 0;
}

struct dfmt_frame
dfmt_frame_at(const struct dfmt *d, size_t i)
{
	return native_of(d)->frames[i];
}

size_t
dfmt_nr_worlds(const struct dfmt *d)
{
	const struct dfmt_nstate *n = native_of(d);

	return n ? n->nr_worlds : 0;
}

struct dfmt_world
dfmt_world_at(const struct dfmt *d, size_t i)
{
	return native_of(d)->worlds[i];
}

size_t
dfmt_nr_objects(const struct dfmt *d)
{
	const struct dfmt_nstate *n = native_of(d);

	return n ? n->nr_objects : 0;
}

struct dfmt_object
dfmt_object_at(const struct dfmt *d, size_t i)
{
	return native_of(d)->objects[i];
}
