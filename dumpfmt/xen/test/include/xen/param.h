/* SPDX-License-Identifier: MIT */
/*
 * On the host: an option of the command line, for a test to find.  What Xen
 * does with a line says config_fixture.h.
 */
#ifndef XEN_PARAM_H
#define XEN_PARAM_H

#define MAX_PARAM_SIZE 128

struct test_param {
	const char *name;
	int (*take)(const char *value);
};

#define custom_param(param_name, function)            \
	static const struct test_param test_param = { \
		.name = (param_name),                 \
		.take = (function),                   \
	}

#endif
