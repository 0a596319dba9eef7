/* SPDX-License-Identifier: MIT */
/* The pieces of dumpadm: what a device holds, labelling it, clearing it. */
#ifndef CMD_DUMPADM_ADM_H
#define CMD_DUMPADM_ADM_H

#include "cmd/common/native.h"

#include <stdio.h>

struct adm_options {
	bool force, overwrite, verbose, json;
	const char *purpose;
	bool has_size;
	uint64_t size;	 /* of a file to be made */
	uint32_t sector; /* that its disk will have; 0: 512 */
	uint64_t memory; /* 0: this machine's */
	const char *content;
};

/* probe.c: what else lives there, as text for people; "" when nothing does. */
enum cmd_status adm_foreign(const struct cmd_device *dev, char *text,
	size_t len, struct cmd_error *err);

/* label.c */
enum cmd_status adm_label(const char *path, const struct adm_options *opt,
	struct cmd_error *err);
enum cmd_status adm_clear(const char *path, const struct adm_options *opt,
	struct cmd_error *err);

/* show.c */
enum cmd_status adm_show(const char *path, const struct adm_options *opt,
	struct cmd_error *err);
enum cmd_status adm_list(char *const *paths, size_t nr_paths,
	const struct adm_options *opt, struct cmd_error *err);

/* status.c: the hypervisor's own dumps, from its domain 0 */
enum cmd_status adm_status(const struct adm_options *opt,
	struct cmd_error *err);
enum cmd_status adm_register(struct cmd_error *err);

/* size.c */
enum cmd_status adm_size(const char *path, const struct adm_options *opt,
	struct cmd_error *err);

/* Bytes that a dump device needs, with the reasons printed to out. */
struct adm_need {
	uint64_t memory;  /* of the machine */
	uint64_t content; /* of it, what is to be dumped */
	uint64_t pages;	  /* that, compressed */
	uint64_t around;  /* labels, triage, symbols, index */
	uint64_t total;
};
/* false: no such content. */
bool adm_need(uint64_t memory, const char *content, struct adm_need *need_out);

#endif
