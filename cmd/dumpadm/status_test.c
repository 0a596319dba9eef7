/* SPDX-License-Identifier: MIT */
/* dumpadm status and register against a hypervisor of texts; notes of cores. */
#include "cmd/dumpadm/hypfs.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fake {
	const char *const (*entries)[2];
	size_t nr;
	int read_error, write_error;
	char written[64];
};

static int
fake_read(void *arg, const char *name, char *text, size_t len)
{
	const struct fake *f = arg;

	if (f->read_error)
		return f->read_error;
	for (size_t i = 0; i < f->nr; i++) {
		if (strcmp(f->entries[i][0], name) == 0) {
			(void)snprintf(text, len, "%s", f->entries[i][1]);
			return 0;
		}
	}
	return ENOENT;
}

static int
fake_write(void *arg, const char *name, const void *data, size_t len)
{
	struct fake *f = arg;

	assert_string_equal(name, "vmcoreinfo");
	if (f->write_error)
		return f->write_error;
	(void)snprintf(f->written, sizeof(f->written), "%.*s", (int)len,
		(const char *)data);
	return 0;
}

static const char *const ready[][2] = {
	{ "state", "ready" },
	{ "disk", "nvme A/1 (B) at 0000:00:02.0" },
	{ "label", "4142b864-0ecd-490b-a434-5914c3e4abd6" },
	{ "range", "268435456" },
	{ "content", "hypervisor, dom0" },
	{ "memory", "804720640" },
	{ "estimate", "348991488" },
	{ "fits", "no" },
	{ "waiting", "yes" },
	{ "last", "complete, 3 pages, 9 KiB" },
	{ "dom0", "not registered" },
	{ "version", "1, code 00000001" },
};

static const char *const off[][2] = {
	{ "state", "off: no disk has the label" },
};

/* What is printed, into text. */
static enum cmd_status
printed(struct fake *f, bool json, char *text, size_t len,
	struct cmd_error *err)
{
	const struct adm_hypfs fs = { fake_read, fake_write, f };
	char path[] = "/tmp/mdb-status-XXXXXX";
	int fd = mkstemp(path), out = dup(STDOUT_FILENO);
	enum cmd_status st;
	ssize_t n;

	assert_true(fd >= 0 && out >= 0);
	(void)fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	st = adm_status_print(&fs, json, err);
	(void)fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	(void)close(out);
	n = pread(fd, text, len - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	(void)close(fd);
	(void)unlink(path);
	return st;
}

static void
test_status_ready(void **state)
{
	struct fake f = { .entries = ready, .nr = 12 };
	struct cmd_error err;
	char text[2048];

	(void)state;
	assert_int_equal(printed(&f, false, text, sizeof(text), &err), CMD_OK);
	assert_non_null(strstr(text, "state      ready\n"));
	assert_non_null(strstr(text, "range      256M\n"));
	assert_non_null(strstr(text, "about 332.8M of 767.4M"));
	assert_non_null(strstr(text, "too small for this machine"));
	assert_non_null(strstr(text, "waiting: savecore"));
	assert_int_equal(printed(&f, true, text, sizeof(text), &err), CMD_OK);
	assert_non_null(strstr(text, "{\"state\":\"ready\",\"disk\":"));
	assert_non_null(strstr(text, "\"range\":268435456,"));
}

static void
test_status_not_ready(void **state)
{
	struct fake f = { .entries = off, .nr = 1 };
	struct cmd_error err;
	char text[2048];

	(void)state;
	assert_int_equal(printed(&f, false, text, sizeof(text), &err),
		CMD_FAILED);
	assert_non_null(
		strstr(text, "state      off: no disk has the label\n"));
	assert_null(strstr(text, "range"));
	f.nr = 0;
	assert_int_equal(printed(&f, false, text, sizeof(text), &err),
		CMD_FAILED);
	assert_string_equal(text, "");
	assert_non_null(strstr(err.text, "no dump writer"));
	f.read_error = ENOSYS;
	assert_int_equal(printed(&f, false, text, sizeof(text), &err),
		CMD_FAILED);
	assert_non_null(strstr(err.text, "no hypfs"));
	f.read_error = EPERM;
	assert_int_equal(printed(&f, true, text, sizeof(text), &err), CMD_OPEN);
}

static void
test_register(void **state)
{
	struct fake f = { .entries = ready, .nr = 12 };
	const struct adm_hypfs fs = { fake_read, fake_write, &f };
	struct cmd_error err;

	(void)state;
	assert_int_equal(adm_register_text(&fs, "OSRELEASE=1", 11, &err),
		CMD_OK);
	assert_string_equal(f.written, "OSRELEASE=1");
	f.write_error = EINVAL;
	assert_int_equal(adm_register_text(&fs, "x", 1, &err), CMD_FAILED);
	assert_non_null(strstr(err.text, "refuses: not registered"));
	f.write_error = ENODEV;
	assert_int_equal(adm_register_text(&fs, "x", 1, &err), CMD_FAILED);
	assert_non_null(strstr(err.text, "is off"));
	f.write_error = EPERM;
	assert_int_equal(adm_register_text(&fs, "x", 1, &err), CMD_OPEN);
}

/* ---- core files ---------------------------------------------------------- */

#define NOTES_AT 256u

/* A core of two notes; name_len is what the second says of its name. */
static enum cmd_status
core_with(uint32_t name_len, uint32_t desc_len, char *text, size_t *len)
{
	char path[] = "/tmp/mdb-core-XXXXXX";
	unsigned char file[NOTES_AT + 128] = ELFMAG;
	Elf64_Ehdr eh = { .e_phoff = 64,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1 };
	Elf64_Phdr ph = { .p_type = PT_NOTE,
		.p_offset = NOTES_AT,
		.p_filesz = 128 };
	Elf64_Nhdr one = { 5, 3, 1 }, two = { name_len, desc_len, 0 };
	struct cmd_error err;
	enum cmd_status st;
	int fd = mkstemp(path);

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	memcpy(file, &eh, sizeof(eh));
	memcpy(file + 64, &ph, sizeof(ph));
	memcpy(file + NOTES_AT, &one, sizeof(one));
	memcpy(file + NOTES_AT + 12, "CORE", 5);
	memcpy(file + NOTES_AT + 24, &two, sizeof(two));
	memcpy(file + NOTES_AT + 36, "VMCOREINFO", 11);
	memcpy(file + NOTES_AT + 48, "PAGESIZE=4096\n", 14);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, sizeof(file)), sizeof(file));
	(void)close(fd);
	st = adm_vmcoreinfo(path, text, len, &err);
	(void)unlink(path);
	return st;
}

static void
test_core_notes(void **state)
{
	char text[ADM_NOTE_TEXT];
	size_t len;

	(void)state;
	assert_int_equal(core_with(11, 14, text, &len), CMD_OK);
	assert_int_equal(len, 14);
	assert_memory_equal(text, "PAGESIZE=4096\n", 14);
	assert_int_equal(core_with(10, 14, text, &len), CMD_FAILED);
	assert_int_equal(core_with(11, 0, text, &len), CMD_FAILED);
	assert_int_equal(core_with(11, 81, text, &len), CMD_FAILED);
	assert_int_equal(core_with(11, UINT32_MAX, text, &len), CMD_FAILED);
	assert_int_equal(core_with(UINT32_MAX, 14, text, &len), CMD_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_ready),
		cmocka_unit_test(test_status_not_ready),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_core_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
