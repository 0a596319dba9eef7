/* SPDX-License-Identifier: MIT */
/* Event channels, grants and interrupts, on a hypervisor made for it. */
#include "evtchn.h"
#include "frame_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
setup(void **state)
{
	*state = ff_session();
	return 0;
}

static int
teardown(void **state)
{
	mdb_session_destroy(*state);
	return 0;
}

static void
has(struct mdb_session *s, const char *command, const char *text)
{
	if (strstr(ff_eval(s, command), text) == NULL)
		fail_msg("%s: no \"%s\" in\n%s%s", command, text,
			mdb_sink_text(s->out), mdb_sink_text(s->err));
}

static void
has_not(struct mdb_session *s, const char *command, const char *text)
{
	if (strstr(ff_eval(s, command), text) != NULL)
		fail_msg("%s: \"%s\" in\n%s", command, text,
			mdb_sink_text(s->out));
}

static void
refuses(struct mdb_session *s, const char *command, const char *text)
{
	(void)ff_eval(s, command);
	if (strstr(mdb_sink_text(s->err), text) == NULL)
		fail_msg("%s: no \"%s\" but\n%s%s", command, text,
			mdb_sink_text(s->out), mdb_sink_text(s->err));
}

/* ---- ::evtchn ------------------------------------------------------------
 */

static uint64_t
channel(struct mdb_session *s, uint64_t bucket, uint64_t port, uint64_t state)
{
	uint64_t at = bucket + 64 * port;

	ff_set(s, FF_EVTCHN, at, "state", state);
	ff_set(s, FF_EVTCHN, at, "port", port);
	return at;
}

static void
bind_domains(struct mdb_session *s, uint64_t bucket, uint64_t port,
	uint64_t domain, uint64_t remote)
{
	uint64_t at = channel(s, bucket, port, XPV_ECS_INTERDOMAIN);

	ff_set(s, FF_INTER, at + 8, "remote_dom", D(domain));
	ff_set(s, FF_INTER, at + 8, "remote_port", remote);
}

static void
add_channels(struct mdb_session *s)
{
	for (uint64_t i = 0; i < 64; i++) {
		(void)channel(s, FF_CHANNELS0, i, XPV_ECS_FREE);
		(void)channel(s, FF_CHANNELS1, i, XPV_ECS_FREE);
	}
	ff_set(s, FF_DOMAIN, FF_DOM0, "evtchn", D(FF_CHANNELS0));
	ff_set(s, FF_DOMAIN, FF_DOM0, "valid_evtchns", 64);
	ff_set(s, FF_DOMAIN, FF_DOM1, "evtchn", D(FF_CHANNELS1));
	ff_set(s, FF_DOMAIN, FF_DOM1, "valid_evtchns", 64);
	bind_domains(s, FF_CHANNELS0, 3, FF_DOM1, 5);
	bind_domains(s, FF_CHANNELS1, 5, FF_DOM0, 3);
	ff_put(s, channel(s, FF_CHANNELS0, 4, XPV_ECS_VIRQ) + 8, 2, 4);
	ff_put(s, channel(s, FF_CHANNELS0, 6, XPV_ECS_UNBOUND) + 8, 1, 2);
}

static void
test_ports_in_the_shared_page(void **state)
{
	struct mdb_session *s = *state;

	add_channels(s);
	ff_put(s, FF_SHARED0 + 0x800, 1 << 4, 8);
	ff_put(s, FF_SHARED0 + 0xa00, 1 << 3 | 1 << 4, 8);
	has(s, "::evtchn -d 0",
		"ffff8300000080c0 d0        3 interdomain  no   yes     0 "
		"d1 port 5\n"
		"ffff830000008100 d0        4 virq         yes  yes     0 "
		"virq 2 console\n"
		"ffff830000008180 d0        6 unbound      no   no      0 "
		"waits for d1\n");
	has(s, "::evtchn", "d1        5 interdomain  no   no      0 d0 port 3");
	has_not(s, "::evtchn -p", "    3 ");
	has(s, "::evtchn -d 0 7", "    7 free         -    -  ");
	has(s, "ffff830000003000::walk evtchn", "0xffff830000009140\n");
	refuses(s, "::evtchn -d 0 40", "d0 has no port 64");
}

static void
test_ports_of_the_fifo(void **state)
{
	struct mdb_session *s = *state;

	add_channels(s);
	ff_set(s, FF_DOMAIN, FF_DOM0, "evtchn_fifo", D(FF_FIFO));
	ff_put(s, FF_FIFO, D(FF_WORDS), 8);
	ff_put(s, FF_FIFO + 64, 1024, 4);
	ff_put(s, FF_WORDS + 12, 1u << 31 | 1u << 29 | 6, 4);
	ff_put(s, FF_WORDS + 16, 1u << 30, 4);
	has(s, "::evtchn -v -d 0 3",
		"interdomain  yes  no      0    0 linked to 6            d1 "
		"port 5\n");
	has(s, "::evtchn -d 0 4", "virq         no   yes ");
	ff_put(s, FF_FIFO + 64, 1u << 20, 4);
	refuses(s, "::evtchn -d 0", "has words for 1048576 ports");
}

static void
test_other_end_must_lead_back(void **state)
{
	struct mdb_session *s = *state;

	add_channels(s);
	bind_domains(s, FF_CHANNELS1, 5, FF_DOM0, 9);
	has(s, "::evtchn -d 0 3",
		"d1 port 5 (the other end does not lead back)");
	bind_domains(s, FF_CHANNELS0, 3, FF_DOM1, 500);
	has(s, "::evtchn -d 0 3", "(the other end is not readable)");
}

static void
test_wrong_channels_are_refused(void **state)
{
	struct mdb_session *s = *state;

	add_channels(s);
	ff_set(s, FF_EVTCHN, FF_CHANNELS0 + 64 * 3, "port", 77);
	refuses(s, "::evtchn -d 0", "says that it is of port 77");
	assert_non_null(strstr(mdb_sink_text(s->out), "virq 2 console"));
	ff_set(s, FF_EVTCHN, FF_CHANNELS0 + 64 * 3, "port", 3);
	ff_set(s, FF_EVTCHN, FF_CHANNELS0 + 64 * 3, "state", 7);
	refuses(s, "::evtchn -d 0 3", "is in state 7");
	ff_set(s, FF_DOMAIN, FF_DOM0, "valid_evtchns", 0x40000000);
	refuses(s, "::evtchn -d 0", "1073741824 ports");
	/* neither 32-bit nor not: where the bits are is not known */
	ff_set(s, FF_ARCH, FF_DOM1 + 128, "has_32bit_shinfo", 0x20);
	has(s, "::evtchn -d 1 5", "interdomain  <unsupported> ");
}

static void
test_second_bucket_is_in_the_group(void **state)
{
	struct mdb_session *s = *state;
	uint64_t at = FF_ARRAYS + 0x800;

	add_channels(s);
	ff_set(s, FF_DOMAIN, FF_DOM0, "valid_evtchns", 128);
	ff_put(s, FF_DOM0 + 48, D(FF_ARRAYS), 8);
	ff_put(s, FF_ARRAYS + 8, D(at), 8);
	ff_set(s, FF_EVTCHN, at + 64 * 2, "state", XPV_ECS_IPI);
	ff_set(s, FF_EVTCHN, at + 64 * 2, "port", 66);
	has(s, "::evtchn -d 0 42", "d0       66 ipi ");
}

/* ---- ::gnttab ------------------------------------------------------------
 */

static void
add_grants(struct mdb_session *s, uint64_t version)
{
	ff_set(s, FF_DOMAIN, FF_DOM1, "grant_table", D(FF_GRANTS1));
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "gt_version", version);
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "max_grant_frames", 64);
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "nr_grant_frames", 1);
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "domain", D(FF_DOM1));
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "shared_raw", D(FF_ARRAYS));
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "status", D(FF_ARRAYS + 0x100));
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "active", D(FF_ARRAYS + 0x200));
	ff_put(s, FF_ARRAYS, D(FF_SHARED_GRANTS), 8);
	ff_put(s, FF_ARRAYS + 0x100, D(FF_STATUS), 8);
	ff_put(s, FF_ARRAYS + 0x200, D(FF_ACTIVE), 8);
	for (uint64_t i = 1; i < 6; i++)
		ff_put(s, FF_ARRAYS + 0x200 + 8 * i, D(FF_ZEROS), 8);
	/* grant 2: mapped by d0, once to write and twice to read */
	ff_set(s, FF_ACTIVE_ENTRY, FF_ACTIVE + 80, "pin", 0x201);
	ff_set(s, FF_ACTIVE_ENTRY, FF_ACTIVE + 80, "domid", 0);
	ff_set(s, FF_ACTIVE_ENTRY, FF_ACTIVE + 80, "mfn", 0x123);
}

static void
test_grants_of_the_first_form(void **state)
{
	struct mdb_session *s = *state;

	add_grants(s, 1);
	ff_put(s, FF_SHARED_GRANTS + 16, 0x00000019, 4);
	ff_put(s, FF_SHARED_GRANTS + 20, 0x4567, 4);
	ff_put(s, FF_SHARED_GRANTS + 24, 5, 4); /* read-only, not mapped */
	has(s, "::gnttab",
		"d1        2 d0          4567        123   1   2   0   0 access "
		"reading writing\n");
	has(s, "::gnttab",
		"d1        3 d0             0          -   0   0   0   0 access "
		"readonly\n");
	has_not(s, "::gnttab -p", "d1        3 ");
	has_not(s, "::gnttab", "d1        4 ");
	has(s, "::gnttab -s",
		"ffff83000000c800 d1      1      1     64        0      0       "
		"2      1      0\n");
	/* the guest changed the entry while it was mapped */
	ff_put(s, FF_SHARED_GRANTS + 16, 0x00070000, 4);
	has(s, "::gnttab -p", "(withdrawn) (the entry is for d7 now)\n");
}

static void
test_grants_of_the_second_form(void **state)
{
	struct mdb_session *s = *state;

	add_grants(s, 2);
	ff_put(s, FF_SHARED_GRANTS + 32, 0x00000001, 4);
	ff_put(s, FF_SHARED_GRANTS + 40, 0x123456789, 8);
	ff_put(s, FF_STATUS + 4, 1 << 3, 2);
	has(s, "::gnttab", "d1        2 d0     123456789        123 ");
	has(s, "::gnttab", " access reading\n");
	ff_put(s, FF_SHARED_GRANTS + 48, 0x00000003, 4);
	ff_put(s, FF_SHARED_GRANTS + 52, 9, 2);
	ff_put(s, FF_SHARED_GRANTS + 56, 0x44, 4);
	has(s, "::gnttab", "d1        3 d0            44          - ");
	has(s, "::gnttab", " transitive  of d9\n");
}

static void
test_mapped_grants_and_their_giver(void **state)
{
	struct mdb_session *s = *state;

	add_grants(s, 1);
	ff_set(s, FF_DOMAIN, FF_DOM0, "grant_table", D(FF_GRANTS0));
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS0, "gt_version", 1);
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS0, "maptrack", D(FF_ARRAYS + 0x300));
	ff_put(s, FF_ARRAYS + 0x300, D(FF_MAPTRACK), 8);
	ff_set(s, FF_MAPPING, FF_MAPTRACK + 16, "ref", 2);
	ff_set(s, FF_MAPPING, FF_MAPTRACK + 16, "flags", 6);
	ff_set(s, FF_MAPPING, FF_MAPTRACK + 16, "domid", 1);
	ff_set(s, FF_MAPPING, FF_MAPTRACK + 32, "ref", 3); /* free */
	has(s, "::gnttab -m",
		"d0         1 d1        2    0        123 host readonly\n");
	has_not(s, "::gnttab -m", "d0         2 ");
	has(s, "::gnttab -s",
		"d0      1      0      0        1      0       0      0      "
		"1\n");
	ff_set(s, FF_ACTIVE_ENTRY, FF_ACTIVE + 80, "domid", 4);
	has(s, "::gnttab -m", "host readonly (the grant is another's)\n");
	ff_set(s, FF_ACTIVE_ENTRY, FF_ACTIVE + 80, "pin", 0);
	has(s, "::gnttab -m", "(the grant is not active)\n");
}

static void
test_wrong_grant_tables_are_refused(void **state)
{
	struct mdb_session *s = *state;

	add_grants(s, 3);
	refuses(s, "::gnttab", "is of version 3");
	add_grants(s, 1);
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "domain", D(FF_DOM0));
	refuses(s, "::gnttab", "is of another domain, ffff830000002000");
	add_grants(s, 1);
	ff_set(s, FF_GRANT_TABLE, FF_GRANTS1, "nr_grant_frames", 65);
	refuses(s, "::gnttab", "has 65 frames");
	add_grants(s, 1);
	ff_put(s, FF_ARRAYS, 0, 8);
	refuses(s, "::gnttab", "has no page in the table");
}

/* ---- ::xenirq ------------------------------------------------------------
 */

/* irq 1: Xen's; irq 2: d0's pirq 5, port 8; irq 3: nobody's. */
static void
add_irqs(struct mdb_session *s)
{
	uint64_t node = FF_PIRQ + 0x100;

	ff_put(s, FF_VARS + 48, D(FF_IRQS), 8);
	ff_put(s, FF_VARS + 56, 4, 4);
	ff_put(s, FF_VARS + 64, 2, 4);
	for (uint64_t i = 0; i < 4; i++) {
		ff_set(s, FF_IRQ, FF_IRQS + 128 * i, "irq", i);
		ff_set(s, FF_IRQ, FF_IRQS + 128 * i, "affinity", 3);
		ff_put(s, FF_IRQS + 128 * i + 32, 0x60 + i, 2);
		ff_put(s, FF_IRQS + 128 * i + 40, 2, 8);
		if (i != 0)
			ff_set(s, FF_IRQ, FF_IRQS + 128 * i, "handler",
				D(FF_ACTION));
	}
	ff_put(s, FF_ACTION, D(FF_ACTION + 8), 8);
	fake_put_str(s->target, FF_ACTION + 8, "IO-APIC-edge");
	ff_set(s, FF_IRQ, FF_IRQS + 128, "action", D(FF_ACTION + 0x40));
	ff_put(s, FF_ACTION + 0x40, D(FF_VARS + 0x100), 8);
	ff_set(s, FF_IRQ, FF_IRQS + 256, "status", 0x30);
	ff_set(s, FF_IRQ, FF_IRQS + 256, "action", D(FF_ACTION + 0x80));
	ff_put(s, FF_ACTION + 0x80, 0x101, 2);
	ff_put(s, FF_ACTION + 0x88, D(FF_DOM0), 8);
	/* irq 2 -> 5 << 2 | 2; pirq 5 */
	ff_put(s, FF_DOM0 + 128 + 16 + 8, D(node) | 1, 8);
	ff_put(s, node, 1, 4);
	ff_put(s, node + 8 + 16, 5 << 2 | 2, 8);
	ff_put(s, FF_DOM0 + 104 + 8, D(node + 0x400) | 1, 8);
	ff_put(s, node + 0x400, 1, 4);
	ff_put(s, node + 0x400 + 8 + 40, D(FF_PIRQ), 8);
	ff_set(s, FF_PIRQ_TYPE, FF_PIRQ, "pirq", 5);
	ff_set(s, FF_PIRQ_TYPE, FF_PIRQ, "evtchn", 8);
	ff_put(s, FF_PIRQ + 12, 2, 4);
	ff_put(s, channel(s, FF_CHANNELS0, 8, XPV_ECS_PIRQ) + 8, 5, 4);
}

static void
test_interrupts_and_whom_they_are_for(void **state)
{
	struct mdb_session *s = *state;

	add_channels(s);
	add_irqs(s);
	has(s, "::xenirq",
		"   1  61 IO-APIC-edge    0-1       1                            "
		"- xpv`timer_interrupt\n"
		"   2  62 IO-APIC-edge    0-1       1       guest move-pending   "
		"1 d0 pirq 5 (port 8)\n"
		"   3  63 IO-APIC-edge    0-1       1                            "
		"- mapped, unbound\n");
	has_not(s, "::xenirq -d 0", "mapped");
	has(s, "::xenirq -d 0", "d0 pirq 5");
	has(s, "ffff83000001b100::xenirq", "d0 pirq 5");
	has(s, "::evtchn -d 0 8", "pirq 5, irq 2\n");
	/* the tree from irqs to pirqs is lost: the ports still tell */
	ff_put(s, FF_DOM0 + 128 + 16 + 8, 0, 8);
	has(s, "::xenirq 2", "d0 pirq 5 (port 8)");
	ff_set(s, FF_EVTCHN, FF_CHANNELS0 + 64 * 8, "state", 0);
	has(s, "::xenirq 2", "d0, its pirq is not found");
}

static void
test_wrong_interrupts_are_refused(void **state)
{
	struct mdb_session *s = *state;

	add_channels(s);
	add_irqs(s);
	ff_set(s, FF_IRQ, FF_IRQS + 128, "irq", 9);
	refuses(s, "::xenirq", "says that it is of irq 9");
	assert_non_null(strstr(mdb_sink_text(s->out), "d0 pirq 5"));
	ff_put(s, FF_ACTION + 0x80, 200, 1);
	has(s, "::xenirq 2", "<irq 2 has 200 guests>");
	ff_put(s, FF_VARS + 56, 0x7fffffff, 4);
	refuses(s, "::xenirq", "nr_irqs is 2147483647");
	refuses(s, "1234::xenirq", "nr_irqs");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ports_in_the_shared_page),
		TEST(test_ports_of_the_fifo),
		TEST(test_other_end_must_lead_back),
		TEST(test_wrong_channels_are_refused),
		TEST(test_second_bucket_is_in_the_group),
		TEST(test_grants_of_the_first_form),
		TEST(test_grants_of_the_second_form),
		TEST(test_mapped_grants_and_their_giver),
		TEST(test_wrong_grant_tables_are_refused),
		TEST(test_interrupts_and_whom_they_are_for),
		TEST(test_wrong_interrupts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
