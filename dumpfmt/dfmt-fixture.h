/* SPDX-License-Identifier: MIT */
/*
 * For tests only: compiles texts of testdata/dumps with the mkdump of this
 * build (the folder in $O, else build/release) and hands out what it wrote.
 */
#ifndef DFMT_FIXTURE_H
#define DFMT_FIXTURE_H

#include "dfmt-reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	char path[64]; /* unlinked by fixture_free; parts are path.1 ... */
	uint8_t *bytes;
	size_t len;
};

static inline uint8_t *
fixture_slurp(const char *path, size_t *len_out)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = NULL;
	size_t len = 0, room = 0, n = 1;

	while (f && n) {
		if (len == room) {
			room = room ? 2 * room : 65536;
			bytes = realloc(bytes, room);
			if (!bytes)
				abort();
		}
		n = fread(bytes + len, 1, room - len, f);
		len += n;
	}
	if (f)
		fclose(f);
	*len_out = len;
	return bytes;
}

/* A text in a file; an empty fixture when it does not compile. */
static inline struct fixture
fixture_file(const char *text_path)
{
	struct fixture fx = { .path = "/tmp/dfmt-fixture-XXXXXX" };
	const char *o = getenv("O");
	char cmd[4096];
	int fd = mkstemp(fx.path);

	if (fd >= 0)
		close(fd);
	snprintf(cmd, sizeof(cmd), "%s/bin/mkdump %s %s",
		o ? o : "build/release", text_path, fx.path);
	if (fd >= 0 && system(cmd) == 0)
		fx.bytes = fixture_slurp(fx.path, &fx.len);
	return fx;
}

static inline struct fixture
fixture_named(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "testdata/dumps/%s.txt", name);
	return fixture_file(path);
}

/* A text given here. */
static inline struct fixture
fixture_text(const char *text)
{
	char path[] = "/tmp/dfmt-text-XXXXXX";
	struct fixture fx = { .path = "" };
	int fd = mkstemp(path);

	if (fd < 0)
		return fx;
	ssize_t n = write(fd, text, strlen(text));
	close(fd);
	if (n == (ssize_t)strlen(text))
		fx = fixture_file(path);
	unlink(path);
	return fx;
}

static inline void
fixture_free(struct fixture *fx)
{
	char part[80];

	unlink(fx->path);
	for (int i = 1; i < 10; i++) {
		snprintf(part, sizeof(part), "%s.%d", fx->path, i);
		unlink(part);
	}
	free(fx->bytes);
	fx->bytes = NULL;
}

/* An independent copy of len bytes, so that a sanitizer sees their end. */
static inline uint8_t *
fixture_exact(const void *bytes, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	if (!p)
		abort();
	memcpy(p, bytes, len);
	return p;
}

#endif
