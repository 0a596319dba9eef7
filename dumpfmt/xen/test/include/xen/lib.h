/* SPDX-License-Identifier: MIT */
/* On the host: the console, which each test has of its own. */
#ifndef XEN_LIB_H
#define XEN_LIB_H

#define XENLOG_ERR ""

void printk(const char *format, ...)
	__attribute__((__format__(__printf__, 1, 2)));

#endif
