/* SPDX-License-Identifier: MIT */
/*
 * For tests only: the registers of an IOMMU, of one kind or the other, that can
 * be told to misbehave.  A look at the clock is a microsecond, relax a hundred.
 */
#ifndef IOMMU_MODEL_H
#define IOMMU_MODEL_H

#include "dfmt-iommu.h"

#include <string.h>

struct iommu_model {
	/* How it misbehaves. */
	uint32_t slow_us; /* before a command shows */
	bool deaf;	  /* takes no command */
	bool gone;	  /* all ones */
	uint64_t gone_at; /* ... from then on, or 0 */
	/* State. */
	bool amd;
	uint32_t regs[DFMT_IOMMU_WINDOW / 4];
	uint32_t wanted[DFMT_IOMMU_WINDOW / 4]; /* what regs will be */
	uint64_t since_us, us;
	uint32_t nr_writes, nr_once, nr_outside;
};

static inline void
iommu_model_set(struct iommu_model *m, uint32_t reg, uint32_t v)
{
	m->regs[reg / 4] = m->wanted[reg / 4] = v;
}

/* Running, as Xen leaves one: with queues and interrupts of its own. */
static inline void
iommu_model_init(struct iommu_model *m, enum dfmt_iommu_kind kind)
{
	memset(m, 0, sizeof(*m));
	m->amd = kind == DFMT_IOMMU_AMD;
	if (m->amd) {
		iommu_model_set(m, 0x18, 0x0000140du);
		return;
	}
	iommu_model_set(m, 0x00, 0x10);
	iommu_model_set(m, 0x08, 0x00000060);
	/* Translating, root table set, queue and interrupts on. */
	iommu_model_set(m, 0x1c, 0xc6000000u | 1u << 24);
}

static inline uint32_t
iommu_model_read(void *arg, uint32_t reg)
{
	struct iommu_model *m = arg;

	if (reg % 4 || reg >= DFMT_IOMMU_WINDOW) {
		m->nr_outside++;
		return 0;
	}
	if (m->gone || (m->gone_at && m->us >= m->gone_at))
		return UINT32_MAX;
	if (!m->deaf && m->us - m->since_us >= m->slow_us)
		m->regs[reg / 4] = m->wanted[reg / 4];
	return m->regs[reg / 4];
}

static inline void
iommu_model_write(void *arg, uint32_t reg, uint32_t v)
{
	struct iommu_model *m = arg;

	m->nr_writes++;
	m->since_us = m->us;
	if (reg % 4 || reg >= DFMT_IOMMU_WINDOW) {
		m->nr_outside++;
		return;
	}
	if (!m->amd && reg == 0x18) {
		/* The command register: its state is read from GSTS. */
		if (v & 0x69000000u)
			m->nr_once++;
		m->wanted[0x1c / 4] = (m->wanted[0x1c / 4] & 0x69000000u) |
				      (v & ~0x69000000u);
		return;
	}
	if (!m->amd && reg == 0x64)
		v = (v & ~1u) | v >> 31;
	m->wanted[reg / 4] = v;
}

static inline uint64_t
iommu_model_now(void *arg)
{
	return ((struct iommu_model *)arg)->us++;
}

static inline void
iommu_model_relax(void *arg)
{
	((struct iommu_model *)arg)->us += 100;
}

static inline struct dfmt_iommu
iommu_model_unit(struct iommu_model *m)
{
	static const struct dfmt_hw_ops ops = {
		.read32 = iommu_model_read,
		.write32 = iommu_model_write,
		.now_us = iommu_model_now,
		.relax = iommu_model_relax,
	};

	return (struct dfmt_iommu){
		.kind = m->amd ? DFMT_IOMMU_AMD : DFMT_IOMMU_VTD,
		.ops = &ops,
		.arg = m,
	};
}

#endif
