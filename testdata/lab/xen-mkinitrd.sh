#!/bin/bash
# SPDX-License-Identifier: MIT
# Make dom0's initramfs: the lab guest's (mkinitrd.sh) with Xen's modules, the
# tools of xen-setup.sh with the libraries they name, and the kernel with the
# guest's plain initramfs, for the crash kernel and for domains.
#
#	xen-mkinitrd.sh KERNEL-DIR XEN-TOOLS-DIR OUT.gz [DUMPADM]
#
# DUMPADM is our own, for a hypervisor with the dump writer; with it come the
# host's libraries that the tools do not bring.  CRASH_PROGRAMS of the host are
# there in the crash kernel.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernel=$(cd "$1" && pwd)
tools=$(cd "$2" && pwd)/root
out=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
extra=$tmp/extra
lib=$extra/lib/x86_64-linux-gnu
programs="xl xenstored xenconsoled xen-init-dom0 lsevtchn kexec xenstore-ls"
# qemu_fw_cfg is not among them: it hangs for ever under Xen, which it gives
# pseudo-physical addresses.
MODULES="virtio_pci virtio_blk xen_wdt xen-evtchn xen-privcmd xenfs xen-gntdev xen-gntalloc
	nvme ext4 loop dm_mod overlay fuse tun veth nls_utf8"

die()
{
	echo "xen-mkinitrd: $*" >&2
	exit 1
}

needs()
{
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# A library of the tools' own suite, and what it needs in turn.
add_library()
{
	local name=$1 file need
	[ -e "$lib/$name" ] && return
	file=$(find "$tools" -name "$name" -not -type d | head -n 1)
	[ -n "$file" ] || die "no $name in $tools"
	cp -L "$file" "$lib/$name"
	for need in $(needs "$lib/$name"); do
		add_library "$need"
	done
}

add_tool()
{
	local name=$1 file need
	file=$(find "$tools" -name "$name" -type f -perm -1 -path '*bin/*' | head -n 1)
	[ -n "$file" ] || die "no $name in $tools"
	cp "$file" "$extra/sbin/$name"
	for need in $(needs "$file"); do
		add_library "$need"
	done
}

mkdir -p "$lib" "$extra/sbin" "$extra/lib64" "$extra/kdump" "$extra/etc/xen"
for p in $programs; do
	add_tool "$p"
done
add_ours()
{
	local name file
	cp "$1" "$extra/sbin/dumpadm"
	ldd "$1" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | while read -r file; do
		name=$(basename "$file")
		[ -e "$lib/$name" ] || cp -L "$file" "$lib/$name"
	done
}

loader=ld-linux-x86-64.so.2
add_library "$loader"
add_library libgcc_s.so.1	# what pthread_cancel loads
[ $# -lt 4 ] || add_ours "$4"
mv "$lib/$loader" "$extra/lib64/"
PROGRAMS=${CRASH_PROGRAMS-} bash "$here/mkinitrd.sh" "$kernel" "$extra/kdump/initrd.gz"
cp "$kernel/vmlinuz" "$extra/kdump/vmlinuz"
MODULES=$MODULES INIT=$here/xen-init EXTRA=$extra bash "$here/mkinitrd.sh" "$kernel" "$out"
