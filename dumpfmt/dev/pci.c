/* SPDX-License-Identifier: MIT */
/*
 * What every PCI driver needs of configuration space.  PCI Local Bus 3.0,
 * 6.2.1 (header), 6.2.2 (command), 6.7 (capabilities), 6.8 (MSI, MSI-X).
 */
#include "dfmt-hw.h"

#define STATUS 0x06u
#define STATUS_CAPS 0x10u
#define CAP_POINTER 0x34u
#define CAPS_FIRST 0x40u
#define CAPS_MAX 48u /* as many fit into 192 bytes */

#define COMMAND_MEMORY 0x0002u
#define COMMAND_MASTER 0x0004u
#define COMMAND_INTX_OFF 0x0400u
#define MSI_ENABLE 0x0001u
#define MSIX_ENABLE 0x8000u

#define BAR_IO 1u
#define BAR_TYPE 6u
#define BAR_64 4u
#define BAR_MASK 0xfffffff0u
#define NR_BARS 6u

static uint32_t
config_read(const struct dfmt_hw *hw, uint32_t reg, uint32_t width)
{
	return hw->ops->config_read(hw->arg, reg, width);
}

static void
config_write(const struct dfmt_hw *hw, uint32_t reg, uint32_t width,
	uint32_t value)
{
	hw->ops->config_write(hw->arg, reg, width, value);
}

uint32_t
dfmt_pci_class(const struct dfmt_hw *hw)
{
	return config_read(hw, DFMT_PCI_CLASS, 4) >> 8;
}

uint32_t
dfmt_pci_cap(const struct dfmt_hw *hw, uint32_t kind, uint32_t after)
{
	uint32_t at;

	if (!(config_read(hw, STATUS, 2) & STATUS_CAPS))
		return 0;
	at = config_read(hw, after ? after + 1 : CAP_POINTER, 1) & ~3u;
	for (uint32_t i = 0; i < CAPS_MAX; i++) {
		if (at < CAPS_FIRST || at > 0xfc)
			return 0;
		if (config_read(hw, at, 1) == kind)
			return at;
		at = config_read(hw, at + 1, 1) & ~3u;
	}
	return 0;
}

uint64_t
dfmt_pci_bar(const struct dfmt_hw *hw, uint32_t index)
{
	uint32_t low, high = 0;

	if (index >= NR_BARS)
		return 0;
	low = config_read(hw, DFMT_PCI_BAR0 + 4 * index, 4);
	if (low == UINT32_MAX || (low & BAR_IO))
		return 0;
	if ((low & BAR_TYPE) == BAR_64) {
		if (index + 1 >= NR_BARS)
			return 0;
		high = config_read(hw, DFMT_PCI_BAR0 + 4 * index + 4, 4);
	}
	return (uint64_t)high << 32 | (low & BAR_MASK);
}

/* The bits that the function keeps when all are written. */
static uint32_t
bar_bits(const struct dfmt_hw *hw, uint32_t reg)
{
	uint32_t was = config_read(hw, reg, 4), bits;

	config_write(hw, reg, 4, UINT32_MAX);
	bits = config_read(hw, reg, 4);
	config_write(hw, reg, 4, was);
	return bits;
}

uint64_t
dfmt_pci_bar_len(const struct dfmt_hw *hw, uint32_t index)
{
	uint32_t reg = DFMT_PCI_BAR0 + 4 * index, command;
	uint64_t bits;

	if (dfmt_pci_bar(hw, index) == 0)
		return 0;
	command = config_read(hw, DFMT_PCI_COMMAND, 2);
	config_write(hw, DFMT_PCI_COMMAND, 2, command & ~COMMAND_MEMORY);
	bits = bar_bits(hw, reg) & BAR_MASK;
	if ((config_read(hw, reg, 4) & BAR_TYPE) == BAR_64)
		bits |= (uint64_t)bar_bits(hw, reg + 4) << 32;
	else if (bits)
		bits |= UINT64_MAX << 32;
	config_write(hw, DFMT_PCI_COMMAND, 2, command);
	return bits & -bits;
}

static void
interrupts_off(const struct dfmt_hw *hw)
{
	static const struct {
		uint32_t kind, enable;
	} kinds[] = {
		{ DFMT_PCI_CAP_MSI, MSI_ENABLE },
		{ DFMT_PCI_CAP_MSIX, MSIX_ENABLE },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint32_t at = dfmt_pci_cap(hw, kinds[i].kind, 0);

		if (at)
			config_write(hw, at + 2, 2,
				config_read(hw, at + 2, 2) & ~kinds[i].enable);
	}
}

/* Sets bits of the command register; are those in `need` then there? */
static bool
command_set(const struct dfmt_hw *hw, uint32_t bits, uint32_t need)
{
	uint32_t command = config_read(hw, DFMT_PCI_COMMAND, 2);

	if (command == 0xffff)
		return false;
	config_write(hw, DFMT_PCI_COMMAND, 2, command | bits);
	return (config_read(hw, DFMT_PCI_COMMAND, 2) & need) == need;
}

bool
dfmt_pci_decode(const struct dfmt_hw *hw)
{
	if (config_read(hw, DFMT_PCI_VENDOR, 2) == 0xffff)
		return false;
	interrupts_off(hw);
	/* Functions older than PCI 2.3 have no bit for INTx. */
	return command_set(hw, COMMAND_MEMORY | COMMAND_INTX_OFF,
		COMMAND_MEMORY);
}

bool
dfmt_pci_master(const struct dfmt_hw *hw)
{
	return command_set(hw, COMMAND_MASTER, COMMAND_MASTER);
}

void
dfmt_pci_quiet(const struct dfmt_hw *hw)
{
	uint32_t command = config_read(hw, DFMT_PCI_COMMAND, 2);

	if (command != 0xffff)
		config_write(hw, DFMT_PCI_COMMAND, 2,
			command & ~COMMAND_MASTER);
}
