/* SPDX-License-Identifier: MIT */
/* The hypercall: see hypfs.h. */
#include "cmd/dumpadm/hypfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* include/uapi/xen/privcmd.h: _IOC(_IOC_NONE, 'P', 0, sizeof it) */
struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};
#define IOCTL_HYPERCALL \
	_IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

#define HYPFS_OP 42u /* __HYPERVISOR_hypfs_op of xen/include/public/xen.h */
#define OP_READ 1u
#define OP_WRITE 2u

/* struct xen_hypfs_direntry; the content follows. */
struct direntry {
	uint8_t type, encoding;
	uint16_t pad;
	uint32_t content_len, max_write_len;
};
#define TYPE_STRING 2u

/* The path is in the first page of the buffer, the data in the second. */
#define PAGE 4096u
#define BUF_LEN (2 * PAGE)

static int
call(const struct adm_xen *xen, unsigned int op, const char *name,
	size_t data_len)
{
	char *path = (char *)xen->buf;
	int n = snprintf(path, PAGE, "/xdump/%s", name);
	struct privcmd_hypercall h = {
		.op = HYPFS_OP,
		.arg = { op, (uintptr_t)path, (uint64_t)n + 1,
			(uintptr_t)(xen->buf + PAGE), data_len },
	};

	/* Xen's errors are Linux's, for all that hypfs answers. */
	return ioctl(xen->fd, IOCTL_HYPERCALL, &h) < 0 ? errno : 0;
}

static int
xen_read(void *arg, const char *name, char *text, size_t len)
{
	const struct adm_xen *xen = arg;
	const unsigned char *data = xen->buf + PAGE;
	struct direntry e;
	int rc = call(xen, OP_READ, name, PAGE);

	if (rc != 0)
		return rc;
	memcpy(&e, data, sizeof(e));
	if (e.type != TYPE_STRING || e.encoding != 0 ||
		e.content_len > PAGE - sizeof(e) || e.content_len == 0)
		return EPROTO;
	if (e.content_len > len)
		return ENOBUFS;
	memcpy(text, data + sizeof(e), e.content_len);
	text[e.content_len - 1] = '\0';
	return 0;
}

static int
xen_write(void *arg, const char *name, const void *data, size_t len)
{
	const struct adm_xen *xen = arg;

	if (len > PAGE)
		return EFBIG;
	memcpy(xen->buf + PAGE, data, len);
	return call(xen, OP_WRITE, name, len);
}

/* The kernel's own pages stay where they are; else ours, locked. */
static unsigned char *
buffer_get(void)
{
	int fd = open("/dev/xen/hypercall", O_RDWR | O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0) {
		p = mmap(NULL, BUF_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			0);
		(void)close(fd);
	}
	if (p == MAP_FAILED)
		p = mmap(NULL, BUF_LEN, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE,
			-1, 0);
	return p == MAP_FAILED ? NULL : p;
}

enum cmd_status
adm_xen_open(struct adm_xen *xen, struct cmd_error *err)
{
	*xen = (struct adm_xen){ .fd = -1 };
	xen->hypfs = (struct adm_hypfs){ xen_read, xen_write, xen };
	xen->fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (xen->fd < 0 &&
		(errno == ENOENT || errno == ENXIO || errno == ENODEV))
		return cmd_fail(err, CMD_OPEN,
			"this is no domain 0 of Xen: there is no /dev/xen/privcmd");
	if (xen->fd < 0)
		return cmd_fail_errno(err, CMD_OPEN, "/dev/xen/privcmd");
	xen->buf = buffer_get();
	xen->buf_len = BUF_LEN;
	if (xen->buf == NULL) {
		(void)close(xen->fd);
		xen->fd = -1;
		return cmd_fail_errno(err, CMD_OPEN,
			"memory for the hypervisor");
	}
	return CMD_OK;
}

void
adm_xen_close(struct adm_xen *xen)
{
	if (xen->buf != NULL)
		(void)munmap(xen->buf, xen->buf_len);
	if (xen->fd >= 0)
		(void)close(xen->fd);
	*xen = (struct adm_xen){ .fd = -1 };
}
