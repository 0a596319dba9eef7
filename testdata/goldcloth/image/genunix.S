/* SPDX-License-Identifier: MIT */
/*
 * The text of genunix: allocators, names, devices, task queues.  The drivers
 * on the way from the event to the file (xpvd, xdb, lofi) are linked behind
 * it, as the session names no module for them.
 */
#include "code.inc"

	.section genunix.text, "ax", @progbits

	.org	0x12000, 0x90
	func	vmem_xalloc, 0x70
	site	0x5c, 1, 1, mutex_enter
	isite	0x3b4, 3, 3, -0x8(%ebp)
	endf	vmem_xalloc
	func	vmem_alloc, 0x18
	site	0x126, 8, 8, vmem_xalloc
	endf	vmem_alloc
	func	kmem_slab_create, 0x34
	site	0x4e, 3, 3, vmem_alloc
	endf	kmem_slab_create
	func	kmem_slab_alloc, 0x14
	site	0x59, 2, 2, kmem_slab_create
	endf	kmem_slab_alloc
	func	kmem_cache_alloc, 0x18
	site	0x8c, 1, 1, mutex_exit
	site	0x117, 2, 2, kmem_slab_alloc
	endf	kmem_cache_alloc

	.org	0x34000, 0x90
	func	fop_lookup, 0x28
	isite	0x4f, 6, 6, -0x8(%ebp)
	endf	fop_lookup
	func	lookuppnvp, 0x190
	site	0x2c8, 6, 6, fop_lookup
	endf	lookuppnvp
	func	lookuppnat, 0x20
	site	0x10c, 7, 7, lookuppnvp
	endf	lookuppnat
	func	lookupnameat, 0xa4
	site	0x72, 6, 6, lookuppnat
	endf	lookupnameat
	func	vn_openat, 0x1c4
	site	0x1d4, 6, 6, lookupnameat
	endf	vn_openat
	func	vn_open, 0x18
	site	0x26, 8, 8, vn_openat
	endf	vn_open
	.org	0x36000, 0x90
	func	fop_ioctl, 0x18
	isite	0x34, 6, 6, -0x8(%ebp)
	endf	fop_ioctl
	func	ioctl, 0x74
	site	0x19b, 6, 6, fop_ioctl
	endf	ioctl

	.org	0x58000, 0x90
	func	mod_install, 0x1c
	site	0x66, 1, 1, mutex_enter
	endf	mod_install
	func	mod_info, 0x14
	endf	mod_info
	func	mod_remove, 0x14
	site	0x41, 1, 1, mutex_enter
	endf	mod_remove
	func	cdev_ioctl, 0
	isite	0x2e, 6, 6, 0x14(%esi)
	endf	cdev_ioctl
	func	ldi_ioctl, 0, 2
	site	0xa4, 6, 6, cdev_ioctl
	endf	ldi_ioctl
	func	ndi_event_run_callbacks, 0x18
	site	0x38, 1, 1, mutex_enter
	isite	0x87, 4, 4, 0x14(%esi)
	endf	ndi_event_run_callbacks
	func	ndi_post_event, 0x8
	isite	0x53, 4, 4, -0x8(%ebp)
	endf	ndi_post_event
	func	taskq_thread, 0x30
	site	0x6a, 1, 1, mutex_exit
	isite	0x119, 1, 1, 0x8(%esi)
	endf	taskq_thread

	.org	0x90000, 0x90
	func	lofi_map_file, 0x168
	site	0x58, 1, 1, mutex_enter
	site	0xfc, 7, 7, vn_open
	endf	lofi_map_file
	func	lofi_ioctl, 0x1e0
	site	0x13e, 6, 6, lofi_map_file
	endf	lofi_ioctl

	.org	0x94000, 0x90
	func	xpvd_post_event, 0x4
	site	0x2e, 5, 5, ndi_event_run_callbacks
	endf	xpvd_post_event

	.org	0x98000, 0x90
	func	xdb_setup_node, 0x424
	site	0xbc, 6, 6, ldi_ioctl
	site	0x104, 1, 1, mutex_exit
	endf	xdb_setup_node
	func	xdb_open_device, 0x438
	site	0xc9, 2, 2, xdb_setup_node
	endf	xdb_open_device
	func	xdb_start_connect, 0x18
	site	0x59, 1, 1, xdb_open_device
	endf	xdb_start_connect
	func	xdb_oe_state_change, 0x1c
	site	0x70, 1, 1, xdb_start_connect
	endf	xdb_oe_state_change
	.section .note.GNU-stack, "", @progbits
