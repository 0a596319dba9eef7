/* SPDX-License-Identifier: MIT */
/*
 * PCI functions as the drivers see them (dfmt-hw.h): configuration space
 * without Xen's lock, registers that were mapped at boot, the TSC.
 */
#include "xdump-impl.h"

#include <xen/init.h>
#include <xen/mm.h>
#include <xen/pci.h>
#include <xen/vmap.h>

#include <asm/io.h>
#include <asm/msr.h>
#include <asm/time.h>

/* ---- configuration space ------------------------------------------------- */

/*
 * By ports for the first 256 bytes of segment 0: the lock around them may be
 * held by a CPU that stands still.  All else through the mapped window, which
 * has none.
 */
static bool
is_port(uint16_t segment, uint32_t reg)
{
	return segment == 0 && reg < 256;
}

uint32_t
xdump_config_read(uint16_t segment, uint16_t bdf, uint32_t reg, uint32_t width)
{
	uint32_t value = UINT32_MAX;

	if (!is_port(segment, reg)) {
		(void)pci_mmcfg_read(segment, bdf >> 8, bdf & 0xff, (int)reg,
			(int)width, &value);
		return value;
	}
	outl(0x80000000u | (uint32_t)bdf << 8 | (reg & 0xfc), 0xcf8);
	switch (width) {
	case 1:
		return inb(0xcfc + (reg & 3));
	case 2:
		return inw(0xcfc + (reg & 2));
	default:
		return inl(0xcfc);
	}
}

void
xdump_config_write(uint16_t segment, uint16_t bdf, uint32_t reg, uint32_t width,
	uint32_t value)
{
	if (!is_port(segment, reg)) {
		(void)pci_mmcfg_write(segment, bdf >> 8, bdf & 0xff, (int)reg,
			(int)width, value);
		return;
	}
	outl(0x80000000u | (uint32_t)bdf << 8 | (reg & 0xfc), 0xcf8);
	switch (width) {
	case 1:
		outb((uint8_t)value, 0xcfc + (reg & 3));
		break;
	case 2:
		outw((uint16_t)value, 0xcfc + (reg & 2));
		break;
	default:
		outl(value, 0xcfc);
		break;
	}
}

static uint32_t
config_read(void *arg, uint32_t reg, uint32_t width)
{
	const struct xdump_function *f = arg;

	return xdump_config_read(f->segment, f->bdf, reg, width);
}

static void
config_write(void *arg, uint32_t reg, uint32_t width, uint32_t value)
{
	const struct xdump_function *f = arg;

	xdump_config_write(f->segment, f->bdf, reg, width, value);
}

/* ---- registers and time -------------------------------------------------- */

static uint32_t
window_read(void *arg, uint32_t reg)
{
	const struct xdump_function *f = arg;

	return reg < f->window_len ? readl(f->window + reg) : UINT32_MAX;
}

static void
window_write(void *arg, uint32_t reg, uint32_t value)
{
	const struct xdump_function *f = arg;

	if (reg < f->window_len)
		writel(value, f->window + reg);
}

uint64_t
xdump_now_us(void)
{
	uint64_t khz = cpu_khz ? cpu_khz : 1000000;

	return rdtsc() / (khz / 1000 ? khz / 1000 : 1);
}

static uint64_t
now_us(void *arg)
{
	return xdump_now_us();
}

static void
relax(void *arg)
{
	cpu_relax();
}

static const struct dfmt_hw_ops hw_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.read32 = window_read,
	.write32 = window_write,
	.now_us = now_us,
	.relax = relax,
};

struct dfmt_hw
xdump_hw(struct xdump_function *f, uint8_t *memory)
{
	uint64_t len = xdump.memory_len - XDUMP_LABEL_AT;

	return (struct dfmt_hw){
		.ops = &hw_ops,
		.arg = f,
		.window_len = f->window_len,
		.queues = { memory + XDUMP_QUEUES_AT,
			virt_to_maddr(memory + XDUMP_QUEUES_AT),
			DFMT_DISK_QUEUES },
		.buffers = { memory + XDUMP_LABEL_AT,
			virt_to_maddr(memory + XDUMP_LABEL_AT), len },
	};
}

bool __init
xdump_function_map(struct xdump_function *f)
{
	struct dfmt_hw hw = { .ops = &hw_ops, .arg = f };

	uint32_t index = f->driver->bar(&hw);
	uint64_t len = dfmt_pci_bar_len(&hw, index);

	f->bar = dfmt_pci_bar(&hw, index);
	if (f->bar == 0 || len == 0)
		return false;
	f->window_len = len < XDUMP_WINDOW ? (uint32_t)len : XDUMP_WINDOW;
	f->window = ioremap(f->bar, f->window_len);
	return f->window != NULL;
}
