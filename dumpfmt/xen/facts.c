/* SPDX-License-Identifier: MIT */
/*
 * What the dump says besides memory: the reason, the CPUs, the end of the
 * console, and the two notes that a crash kernel would have found: where Xen
 * was loaded and where its tables are (xen/include/xen/elfcore.h;
 * VMCOREINFO_XEN as in xen/common/kexec.c).
 */
#include "xdump-impl.h"

#include <xen/domain_page.h>
#include <xen/kernel.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/string.h>
#include <xen/version.h>

#include <asm/page.h>

#define CONSOLE_LEN 16384u
#define MACHINE_X86_64 62u
#define NOTE_CRASH_INFO 0x1000001u
#define INFO_LEN 1024u

static struct dfmt_writer_facts facts;
static struct dfmt_wblob blobs[2];
static char console[CONSOLE_LEN];
static char reason_text[160];
#define NR_VERSIONS 5u
static char version_texts[NR_VERSIONS][64];
static const char *versions[NR_VERSIONS];

static struct {
	uint32_t name_len, desc_len, type;
	char name[4];
	uint64_t info[10];
	uint32_t info_name_len, info_desc_len, info_type;
	char info_name[16];
	char text[INFO_LEN];
} notes;

/* The newest bytes, in order. */
static void
console_take(void)
{
	struct xdump_ring ring;
	uint32_t n, first;

	xdump_console_ring(&ring);
	n = ring.producer < ring.len ? ring.producer : ring.len;
	if (n > sizeof(console))
		n = sizeof(console);
	first = ring.producer - n;
	for (uint32_t i = 0; i < n; i++)
		console[i] = ring.text[(first + i) & (ring.len - 1)];
	facts.console = console;
	facts.console_len = n;
}

static void
crash_info_take(void)
{
	notes.name_len = 4;
	notes.desc_len = sizeof(notes.info);
	notes.type = NOTE_CRASH_INFO;
	memcpy(notes.name, "Xen", 4);
	notes.info[0] = xen_major_version();
	notes.info[1] = xen_minor_version();
	notes.info[2] = virt_to_maddr(xen_extra_version());
	notes.info[3] = virt_to_maddr(xen_changeset());
	notes.info[4] = virt_to_maddr(xen_compiler());
	notes.info[5] = virt_to_maddr(xen_compile_date());
	notes.info[6] = virt_to_maddr(xen_compile_time());
	notes.info[7] = tainted;
	notes.info[8] = xen_phys_start;
	notes.info[9] = 0; /* the frame list is found without it */
}

#define SYMBOL(name) "SYMBOL(" #name ")=%lx\n"
#define OFFSET(type, member) "OFFSET(" #type "." #member ")=%lu\n"

static void
vmcoreinfo_take(void)
{
	notes.info_name_len = 15;
	notes.info_desc_len = INFO_LEN;
	memcpy(notes.info_name, "VMCOREINFO_XEN", 15);
	snprintf(notes.text, sizeof(notes.text),
		"PAGESIZE=%lu\n" SYMBOL(domain_list) SYMBOL(frame_table) SYMBOL(
			max_page) SYMBOL(dom_xen) SYMBOL(dom_io)
			SYMBOL(pgd_l4) "SIZE(page_info)=%zu\nSIZE(domain)=%zu\n" OFFSET(
				page_info, count_info) OFFSET(page_info,
				_domain) OFFSET(domain, domain_id)
				OFFSET(domain, next_in_list),
		PAGE_SIZE, (unsigned long)&domain_list,
		(unsigned long)frame_table, (unsigned long)&max_page,
		(unsigned long)&dom_xen, (unsigned long)&dom_io,
		(unsigned long)idle_pg_table, sizeof(struct page_info),
		sizeof(struct domain), offsetof(struct page_info, count_info),
		offsetof(struct page_info, v.inuse._domain),
		offsetof(struct domain, domain_id),
		offsetof(struct domain, next_in_list));
}

static void
versions_take(void)
{
	snprintf(version_texts[0], 64, "xen=%u.%u%s", xen_major_version(),
		xen_minor_version(), xen_extra_version());
	snprintf(version_texts[1], 64, "compiler=%s", xen_compiler());
	snprintf(version_texts[2], 64, "compile_date=%s", xen_compile_date());
	snprintf(version_texts[3], 64, "changeset=%s", xen_changeset());
	snprintf(version_texts[4], 64, "dom0=");
	xdump_dom0_say(version_texts[4] + 5, 59);
	for (uint32_t i = 0; i < NR_VERSIONS; i++)
		versions[i] = version_texts[i];
	facts.versions = versions;
	facts.nr_versions = NR_VERSIONS;
}

/* Where the last line begins that holds `word`, behind it; or NULL. */
static const char *
console_find(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = facts.console_len; i >= len; i--)
		if (!memcmp(console + i - len, word, len))
			return console + i;
	return NULL;
}

/* Behind what the console puts before each line: "(XEN) [time] ". */
static const char *
line_start(const char *s, const char *end)
{
	if (end - s > 6 && !memcmp(s, "(XEN) ", 6))
		s += 6;
	if (s < end && *s == '[')
		while (s < end && *s != '\n' && *s++ != ' ')
			;
	return s;
}

/* The message of panic() is the line after the one that says where. */
static const char *
panic_text(const char *end)
{
	const char *s = console_find("Panic on CPU ");

	while (s != NULL && s < end && *s != '\n')
		s++;
	return s == NULL || s >= end ? NULL : line_start(s + 1, end);
}

static void
reason_take(enum crash_reason reason)
{
	const char *end = console + facts.console_len;
	const char *s = reason == CRASHREASON_PANIC ? panic_text(end) : NULL;
	size_t n = 0;

	if (s == NULL) {
		s = reason == CRASHREASON_PANIC ? "Panic"
		    : reason == CRASHREASON_WATCHDOG
			    ? "Hardware domain's watchdog"
			    : "Hardware domain crashed";
		end = s + strlen(s);
	}
	while (s + n < end && s[n] != '\n' && n + 1 < sizeof(reason_text)) {
		reason_text[n] = s[n];
		n++;
	}
	reason_text[n] = 0;
	facts.reason = reason_text;
}

/* Xen's notes, and dom0's where it has registered. */
static void
blobs_take(void)
{
	size_t len;
	const void *dom0 = xdump_dom0_note(&len);

	blobs[0] = (struct dfmt_wblob){ DFMT_NO_OBJECT, DFMT_BLOB_NOTES, &notes,
		sizeof(notes) };
	blobs[1] = (struct dfmt_wblob){ DFMT_NO_OBJECT, DFMT_BLOB_NOTES, dom0,
		len };
	facts.blobs = blobs;
	facts.nr_blobs = dom0 ? 2 : 1;
}

const struct dfmt_writer_facts *
xdump_facts(enum crash_reason reason)
{
	uint32_t nr;

	memset(&facts, 0, sizeof(facts));
	facts.machine = MACHINE_X86_64;
	facts.word_bits = 64;
	facts.end_pfn = max_page;
	facts.nr_frames = total_pages;
	facts.panic_cpu = 0;
	facts.panic_world = UINT32_MAX;
	facts.cpus = xdump_cpu_records(&nr);
	facts.nr_cpus = nr;
	facts.first = xdump_first(&facts.nr_first);
	versions_take();
	console_take();
	reason_take(reason);
	crash_info_take();
	vmcoreinfo_take();
	blobs_take();
	return &facts;
}
