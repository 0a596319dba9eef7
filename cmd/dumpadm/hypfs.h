/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's side of dumps, seen from domain 0: the entries of /xdump in
 * Xen's hypfs (dumpfmt/xen/state.c makes them).  Xen's interface: hypercall
 * hypfs_op, xen/include/public/hypfs.h; Linux's way to it: ioctl
 * IOCTL_PRIVCMD_HYPERCALL of /dev/xen/privcmd, include/uapi/xen/privcmd.h.
 */
#ifndef CMD_DUMPADM_HYPFS_H
#define CMD_DUMPADM_HYPFS_H

#include "cmd/common/error.h"

#define ADM_ENTRY_TEXT 160u /* of an entry that is read, with its NUL */
#define ADM_NOTE_TEXT 4096u /* bytes of VMCOREINFO, at most */

/* Where the entries come from; the tests have another one. */
struct adm_hypfs {
	/* Like hypfs_op's: 0, or an errno. */
	int (*read)(void *arg, const char *name, char *text, size_t len);
	int (*write)(void *arg, const char *name, const void *data, size_t len);
	void *arg;
};

struct adm_xen {
	struct adm_hypfs hypfs;
	int fd;
	unsigned char *buf; /* memory that the hypervisor reads and writes */
	size_t buf_len;
};

/* CMD_OPEN: this is no domain 0 of Xen, or not a privileged user. */
enum cmd_status adm_xen_open(struct adm_xen *xen, struct cmd_error *err);
void adm_xen_close(struct adm_xen *xen);

/* Prints what the hypervisor says; a failure when it is not ready. */
enum cmd_status adm_status_print(const struct adm_hypfs *fs, bool json,
	struct cmd_error *err);
/* Hands over VMCOREINFO and prints what came of it. */
enum cmd_status adm_register_text(const struct adm_hypfs *fs, const char *text,
	size_t len, struct cmd_error *err);

/*
 * The note VMCOREINFO of a core file, /proc/kcore's, into text (ADM_NOTE_TEXT
 * bytes) and its length.
 */
enum cmd_status adm_vmcoreinfo(const char *path, char *text, size_t *len_out,
	struct cmd_error *err);

#endif
