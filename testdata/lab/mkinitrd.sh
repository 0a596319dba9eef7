#!/bin/bash
# SPDX-License-Identifier: MIT
# Make the guest's initramfs from an unpacked kernel: static busybox, the
# worker, the modules in load order, and with "kdump" kexec, the kernel and
# the plain initramfs for the crash kernel.
#
#	[BUSYBOX=file] [WORKER_CFLAGS=-m32] [INIT=file] [MODULES="names"] [EXTRA=dir]
#	    [PROGRAMS="names"] mkinitrd.sh KERNEL-DIR OUT.gz [kdump]
#
# EXTRA is copied over the root, PROGRAMS of the host with their libraries.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernel=$(cd "$1" && pwd)
out=$2
kdump=${3-}
release=$(cat "$kernel/release")
modules=${MODULES:-virtio_pci virtio_blk virtio_net qemu_fw_cfg ext4 loop dm_mod vfat overlay
	fuse tun veth nf_tables i6300esb nls_utf8 xt_LOG}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root

unpack()
{
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

add_modules()
{
	local m file n=100 name
	for m in $modules; do
		/sbin/modprobe -d "$kernel/root" -S "$release" --show-depends "$m" 2>/dev/null |
		    awk '$1 == "insmod" { print $2 }' || true
	done | awk '!seen[$0]++' >"$tmp/files"
	while read -r file; do
		n=$((n + 1))
		name=$(basename "${file%%.ko*}").ko
		unpack "$file" >"$root/mod/$n-$name"
		echo "/mod/$n-$name"
	done <"$tmp/files" >"$root/mod/order"
}

# A program and what the loader says it needs.
add_program()
{
	local lib
	cp "$1" "$root/bin/"
	ldd "$1" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")"
		cp -L "$lib" "$root$lib"
	done
}

mkdir -p "$root/bin" "$root/mod" "$root/sbin"
cp "${BUSYBOX:-/bin/busybox}" "$root/bin/"
cp "${INIT:-$here/init}" "$root/init"
cp "$here/init-common" "$root/"
chmod 755 "$root/init"
# shellcheck disable=SC2086
gcc ${WORKER_CFLAGS-} -O1 -static -pthread -o "$root/bin/worker" "$here/worker.c"
add_modules
[ ! -e "$kernel/labcrash.ko" ] || cp "$kernel/labcrash.ko" "$root/"
[ -z "${EXTRA-}" ] || cp -a "$EXTRA/." "$root/"
for p in ${PROGRAMS-}; do
	add_program "$(command -v "$p")"
done
pack()
{
	(cd "$root" && find . | sort | cpio --quiet -o -H newc -R 0:0) | gzip -1
}
if [ -n "$kdump" ]; then
	pack >"$tmp/plain.gz"
	mkdir "$root/kdump"
	mv "$tmp/plain.gz" "$root/kdump/initrd.gz"
	cp "$kernel/vmlinuz" "$root/kdump/vmlinuz"
	add_program "$(command -v kexec || echo /sbin/kexec)"
fi
pack >"$out.$$.tmp"
mv "$out.$$.tmp" "$out"
