/* SPDX-License-Identifier: MIT */
/* The part of zfs that looks a name up. */
#include "code.inc"

	.section zfs.text, "ax", @progbits
	.org	0x4000, 0x90
	func	arc_read, 0xa8
	site	0x18c, 1, 1, mutex_exit
	site	0x372, 10, 10, zio_read
	endf	arc_read
	func	dbuf_read_impl, 0xb4
	site	0x1f8, 9, 9, arc_read
	endf	dbuf_read_impl
	func	dbuf_read, 0x24
	site	0xf7, 4, 4, dbuf_read_impl
	endf	dbuf_read
	func	dmu_buf_hold, 0x28
	site	0xb1, 3, 3, dbuf_read
	endf	dmu_buf_hold

	.org	0x48000, 0x90
	func	zap_lockdir, 0x54
	site	0x5e, 6, 6, dmu_buf_hold
	endf	zap_lockdir
	func	zap_lookup, 0x78
	site	0x4b, 7, 7, zap_lockdir
	endf	zap_lookup
	func	zfs_dirent_lock, 0x98
	site	0x2d6, 9, 9, zap_lookup
	endf	zfs_dirent_lock
	func	zfs_dirlook, 0x24
	site	0x10a, 5, 5, zfs_dirent_lock
	endf	zfs_dirlook
	func	zfs_lookup, 0x4c
	site	0xbd, 3, 3, zfs_dirlook
	endf	zfs_lookup

	.org	0x60000, 0x90
	func	zio_create, 0x3c
	site	0x43, 2, 2, kmem_cache_alloc
	endf	zio_create
	func	zio_read, 0x14
	site	0x72, 10, 10, zio_create
	endf	zio_read
	.section .note.GNU-stack, "", @progbits
