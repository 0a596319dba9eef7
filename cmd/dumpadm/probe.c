/* SPDX-License-Identifier: MIT */
/*
 * What lives on a device besides us: filesystems, swap, volume managers, RAID,
 * encryption, partition tables.  libblkid knows them; we only ask.
 */
#include "cmd/dumpadm/adm.h"

#include <blkid/blkid.h>

#define NOTHING 1
#define SEVERAL (-2)

static void
configure(blkid_probe probe)
{
	(void)blkid_probe_enable_superblocks(probe, 1);
	(void)blkid_probe_set_superblocks_flags(probe,
		BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_LABEL);
	(void)blkid_probe_enable_partitions(probe, 1);
	(void)blkid_probe_set_partitions_flags(probe, BLKID_PARTS_FORCE_GPT);
}

static void
describe(blkid_probe probe, char *text, size_t len)
{
	const char *type = NULL, *table = NULL, *label = NULL;

	(void)blkid_probe_lookup_value(probe, "TYPE", &type, NULL);
	(void)blkid_probe_lookup_value(probe, "PTTYPE", &table, NULL);
	(void)blkid_probe_lookup_value(probe, "LABEL", &label, NULL);
	if (type == NULL && table != NULL)
		(void)snprintf(text, len, "a partition table (%s)", table);
	else if (label != NULL)
		(void)snprintf(text, len, "%s, named \"%.32s\"", type, label);
	else
		(void)snprintf(text, len, "%s",
			type == NULL ? "something known to libblkid" : type);
}

enum cmd_status
adm_foreign(const struct cmd_device *dev, char *text, size_t len,
	struct cmd_error *err)
{
	blkid_probe probe = blkid_new_probe();
	enum cmd_status st = CMD_OK;
	int found;

	*text = '\0';
	if (probe == NULL ||
		blkid_probe_set_device(probe, dev->fd, 0, 0) != 0) {
		if (probe != NULL)
			blkid_free_probe(probe);
		return cmd_fail(err, CMD_FAILED,
			"%s: what it holds cannot be found out", dev->path);
	}
	configure(probe);
	found = blkid_do_safeprobe(probe);
	if (found == SEVERAL)
		(void)snprintf(text, len, "several filesystems or tables");
	else if (found == 0)
		describe(probe, text, len);
	else if (found != NOTHING)
		st = cmd_fail(err, CMD_FAILED,
			"%s: reading it to see what it holds failed",
			dev->path);
	blkid_free_probe(probe);
	return st;
}
