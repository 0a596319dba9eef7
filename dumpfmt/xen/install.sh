#!/bin/bash
# SPDX-License-Identifier: MIT
# Put the dump writer into a Xen source tree: whole files of ours into
# xen/arch/x86/xdump, and the hooks, a few lines in six of Xen's files.  Their
# places are found by function; where one has moved nothing is changed.
#
#	install.sh XEN-TREE LZ4-DIR [BEARSSL-DIR]
#
# XEN-TREE holds xen/, LZ4-DIR lz4.c and lz4.h of LZ4's own sources, BEARSSL-DIR
# those of BearSSL's that testdata/setup-bearssl.sh takes: without them there is
# no encryption, and Xen says so when it is asked for.  With XDUMP_TEST=1 a
# build for tests: what else it has test/test-hooks.c says.  With
# XDUMP_POLICY=content=dom0,key=HEX64 the command line may ask for no more than
# that content, and for no other key.  Tests, fuzz targets and the stand-ins for
# Xen's headers that they are built with stay here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# = 2 ] || [ $# = 3 ] || {
	sed -n '3,15s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
xen=$1/xen
lz4=$2
bearssl=${3-}
dir=$xen/arch/x86/xdump
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die()
{
	echo "xdump: $*" >&2
	exit 1
}

# The files that are changed, as they will be.
take()
{
	mkdir -p "$work/$(dirname "$1")"
	cp "$xen/$1" "$work/$1" 2>/dev/null || die "$xen/$1 is not there: this Xen is not known"
}

# edit FILE FUNCTION OLD NEW [LINE]: NEW for OLD, which must stand exactly once in
# the function, and LINE before that line.
edit()
{
	awk -v fn="$2" -v old="$3" -v new="$4" -v line="${5-}" '
		$0 ~ "^[a-z].*[ *]" fn "\\(" { inside = 1 }
		inside && (at = index($0, old)) {
			match($0, /^[ \t]*/)
			if (line != "")
				print substr($0, 1, RLENGTH) line
			$0 = substr($0, 1, at - 1) new substr($0, at + length(old))
			n++
		}
		{ print }
		/^}/ { inside = 0 }
		END { exit n != 1 }' "$work/$1" >"$work/hooked" ||
	    die "$1: $2() does not have one \"$3\": this Xen is not known"
	mv "$work/hooked" "$work/$1"
}

# hook FILE FUNCTION PATTERN LINE: LINE before the line with PATTERN.
hook()
{
	edit "$1" "$2" "$3" "$3" "$4"
}

# include FILE: our header before the first of its own.
include()
{
	sed -i '0,/^#include/s//#include <asm\/xdump.h>\n#include/' "$work/$1"
}

[ -e "$xen/arch/x86/Makefile" ] || die "$1 is no Xen source tree"
[ -e "$lz4/lz4.c" ] || die "$lz4 has no lz4.c"
[ -z "$bearssl" ] || [ -e "$bearssl/inner.h" ] || die "$bearssl has no inner.h"
! grep -q xdump "$xen/arch/x86/Makefile" || die "$1 has it already"
content='content=(hv|dom0|dom0-all|guests)' key='key=[0-9a-f]{64}'
[ -z "${XDUMP_POLICY-}" ] || [[ $XDUMP_POLICY =~ ^($content(,$key)?|$key(,$content)?)$ ]] ||
    die "XDUMP_POLICY is content= and key=, as on the command line"

take drivers/char/console.c
take common/shutdown.c
take common/page_alloc.c
take common/smp.c
take arch/x86/cpu/mcheck/mce.c
take arch/x86/Makefile
hook drivers/char/console.c panic 'kexec_crash(CRASHREASON_PANIC)' \
    'xdump_crash(CRASHREASON_PANIC);'
hook drivers/char/console.c panic 'spin_lock_irqsave(&lock, flags)' \
    'if ( xdump_is_mine() ) spin_lock_init(&lock);'
hook common/shutdown.c hwdom_shutdown 'kexec_crash(CRASHREASON_HWDOM)' \
    'xdump_crash(CRASHREASON_HWDOM);'
hook common/shutdown.c hwdom_shutdown 'kexec_crash(CRASHREASON_WATCHDOG)' \
    'xdump_crash(CRASHREASON_WATCHDOG);'
hook arch/x86/cpu/mcheck/mce.c do_machine_check 'mce_enter();' \
    'xdump_machine_check();'
edit common/page_alloc.c alloc_xenheap_pages 'alloc_domheap_pages(NULL, order, memflags | MEMF_no_scrub)' \
    'alloc_domheap_pages(NULL, order, memflags | (xdump_is_on() ? 0 : MEMF_no_scrub))'
include drivers/char/console.c
include common/page_alloc.c
include common/shutdown.c
include arch/x86/cpu/mcheck/mce.c
# The console's ring is private to its file, and so are calls between CPUs.
grep -q 'DEFINE_SPINLOCK(call_lock)' "$work/common/smp.c" && grep -q '^} call_data;' "$work/common/smp.c" ||
    die "common/smp.c has no call_lock or call_data: this Xen is not known"
echo '#include <asm/xdump-smp.h>' >>"$work/common/smp.c"
echo '#include <asm/xdump-console.h>' >>"$work/drivers/char/console.c"
sed -i '0,/^obj-y += /s//obj-y += xdump\/\nobj-y += /' "$work/arch/x86/Makefile"
grep -q xdump "$work/arch/x86/Makefile" || die "arch/x86/Makefile has no obj-y: this Xen is not known"

for f in drivers/char/console.c common/shutdown.c common/page_alloc.c common/smp.c arch/x86/cpu/mcheck/mce.c arch/x86/Makefile; do
	cp "$work/$f" "$xen/$f"
done
mkdir -p "$dir/compat"
cp "$here"/compat/*.h "$dir/compat/"
cp "$here"/xdump-impl.h "$dir/"
cp "$here"/xdump.h "$here"/xdump-console.h "$here"/xdump-smp.h "$xen/arch/x86/include/asm/"
cp "$here/Makefile.xen" "$dir/Makefile"
for f in "$here"/*.c \
    "$here"/../writer*.[ch] "$here"/../crc.c "$here"/../linux-*.c "$here"/../dfmt-linux.h "$here"/../dev/*.[ch] \
    "$here"/../dfmt-crypt.h "$here"/../dfmt-crc.h "$here"/../dfmt-bytes.h "$here"/../dfmt-format.h "$here"/../dfmt-writer.h \
    "$here"/../dfmt-writer-lz4.h; do
	case $f in
	*_test.c | *_fuzz.c | *_fixture.h | *_model.h) ;;
	*) cp "$f" "$dir/" ;;
	esac
done
[ -z "${XDUMP_POLICY-}" ] ||
    echo "CFLAGS-y += -DXDUMP_POLICY='\"$XDUMP_POLICY\"'" >>"$dir/Makefile"
if [ "${XDUMP_TEST-}" = 1 ]; then
	cp "$here/test/test-hooks.c" "$dir/"
	echo 'CFLAGS-y += -DXDUMP_TEST' >>"$dir/Makefile"
fi
# The compressor goes in as one file: lz4-xen.c.
rm "$dir/writer-lz4.c"
cp "$lz4/lz4.c" "$dir/lz4.inc"
cp "$lz4/lz4.h" "$dir/"
# Encryption: BearSSL's files and what is on top of them, which crypt-*.c include.
[ -z "$bearssl" ] || {
	mkdir -p "$dir/bearssl"
	cp "$bearssl"/*.[ch] "$here"/../crypt.c "$here"/../crypt-key.c "$dir/bearssl/"
	sed -i 's/^#obj-crypt /CFLAGS-y += -DXDUMP_CRYPT /' "$dir/Makefile"
}
