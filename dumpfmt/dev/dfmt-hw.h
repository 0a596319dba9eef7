/* SPDX-License-Identifier: MIT */
/*
 * The machine under a polled driver, as the caller lets it be seen: one PCI
 * function, its registers, memory that it may reach, and a clock.
 *
 * Freestanding C.  No interrupts, no allocation, no lock.  None of the
 * functions may call back into a driver.
 */
#ifndef DFMT_HW_H
#define DFMT_HW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dfmt_hw_ops {
	/*
	 * Configuration space of the function: width is 1, 2 or 4 bytes, reg a
	 * multiple of it and below 4096.  What cannot be read is all ones.
	 */
	uint32_t (*config_read)(void *arg, uint32_t reg, uint32_t width);
	void (*config_write)(void *arg, uint32_t reg, uint32_t width,
		uint32_t value);
	/* The register window: reg is a multiple of 4 and below window_len. */
	uint32_t (*read32)(void *arg, uint32_t reg);
	void (*write32)(void *arg, uint32_t reg, uint32_t value);
	uint64_t (*now_us)(void *arg); /* monotonic microseconds */
	void (*relax)(void *arg);      /* while polling */
};

/*
 * Memory that the device reaches: one run, contiguous for both, aligned to
 * 4096.  Buffers handed to a driver lie in the second one.
 */
struct dfmt_hw_memory {
	uint8_t *virt;
	uint64_t bus; /* the address that the device puts on the bus */
	size_t len;
};

struct dfmt_hw {
	const struct dfmt_hw_ops *ops;
	void *arg;
	uint32_t window_len;
	struct dfmt_hw_memory queues;  /* the driver's own */
	struct dfmt_hw_memory buffers; /* what is written and read */
};

/* ---- PCI, the same for every driver (pci.c) ------------------------------ */

#define DFMT_PCI_VENDOR 0x00u
#define DFMT_PCI_COMMAND 0x04u
#define DFMT_PCI_CLASS 0x08u /* revision, then the class's three bytes */
#define DFMT_PCI_BAR0 0x10u

#define DFMT_PCI_CAP_MSI 0x05u
#define DFMT_PCI_CAP_VENDOR 0x09u
#define DFMT_PCI_CAP_EXPRESS 0x10u
#define DFMT_PCI_CAP_MSIX 0x11u

/* Base class, sub-class and interface: 0xccssii. */
uint32_t dfmt_pci_class(const struct dfmt_hw *hw);
/*
 * The next capability of that kind behind `after` (0: the first one): its place
 * in configuration space, or 0.  A list that leads back ends.
 */
uint32_t dfmt_pci_cap(const struct dfmt_hw *hw, uint32_t kind, uint32_t after);
/* The machine address that a memory BAR has now, or 0. */
uint64_t dfmt_pci_bar(const struct dfmt_hw *hw, uint32_t index);
/*
 * How long a memory BAR is, in bytes, or 0.  The function decodes nothing
 * meanwhile: for boot, before anybody uses it.
 */
uint64_t dfmt_pci_bar_len(const struct dfmt_hw *hw, uint32_t index);
/*
 * Registers can be reached, every kind of interrupt is off.  false: the
 * function does not answer, or does not take it.
 */
bool dfmt_pci_decode(const struct dfmt_hw *hw);
/* Bus mastering on: only once what ran before on the device is stopped. */
bool dfmt_pci_master(const struct dfmt_hw *hw);
/* Bus mastering off: nothing that it still holds reaches memory. */
void dfmt_pci_quiet(const struct dfmt_hw *hw);

#endif
