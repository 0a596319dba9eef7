# SPDX-License-Identifier: MIT
# The script that puts the writer into a Xen tree: it changes six files at
# their hooks and no other; where a hook has moved it says which and changes
# nothing.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
install=dumpfmt/xen/install.sh

# As much of a Xen tree as the script looks at.
tree()
{
	local t=$work/$1
	mkdir -p "$t/xen/drivers/char" "$t/xen/common" "$t/xen/arch/x86/include/asm"
	printf 'obj-y += acpi/\nobj-y += alternative.o\n' >"$t/xen/arch/x86/Makefile"
	cat >"$t/xen/drivers/char/console.c" <<-'C'
		#include <xen/lib.h>
		static char *conring;
		void other(void)
		{
		    kexec_crash(CRASHREASON_PANIC);
		}
		void panic(const char *fmt, ...)
		{
		    spin_lock_irqsave(&lock, flags);
		    printk("dead");
		    kexec_crash(CRASHREASON_PANIC);
		}
	C
	cat >"$t/xen/common/shutdown.c" <<-'C'
		#include <xen/lib.h>
		void hwdom_shutdown(u8 reason)
		{
		    switch ( reason )
		    {
		    case SHUTDOWN_crash:
		        kexec_crash(CRASHREASON_HWDOM);
		    case SHUTDOWN_watchdog:
		        kexec_crash(CRASHREASON_WATCHDOG);
		    }
		}
	C
	cat >"$t/xen/common/smp.c" <<-'C'
		#include <xen/lib.h>
		static DEFINE_SPINLOCK(call_lock);
		static struct call_data_struct {
		    cpumask_t selected;
		} call_data;
	C
	cat >"$t/xen/common/page_alloc.c" <<-'C'
		#include <xen/lib.h>
		void *alloc_xenheap_pages(unsigned int order, unsigned int memflags)
		{
		    return alloc_heap_pages(order, memflags | MEMF_no_scrub, NULL);
		}
		void *alloc_xenheap_pages(unsigned int order, unsigned int memflags)
		{
		    return alloc_domheap_pages(NULL, order, memflags | MEMF_no_scrub);
		}
	C
	mkdir -p "$t/xen/arch/x86/cpu/mcheck"
	cat >"$t/xen/arch/x86/cpu/mcheck/mce.c" <<-'C'
		#include <xen/lib.h>
		void do_machine_check(const struct cpu_user_regs *regs)
		{
		    mce_enter();
		    handle(regs);
		}
	C
	mkdir -p "$work/lz4"
	: >"$work/lz4/lz4.c"
	: >"$work/lz4/lz4.h"
}

# What is for the host alone: tests, what they share, stand-ins for Xen's headers.
tests_in()
{
	(cd "$1" && find . -name '*_test.*' -o -name '*_fuzz.*' -o -name '*_fixture.h' -o -name '*_model.h' \
	    -o -path '*/test*' -o -path '*/include/xen*' -o -path '*/xdump/asm*' -o -path '*/xdump/xen*')
	# A stand-in says what it stands for.
	grep -rl 'On the host' "$1"
}

sum()
{
	(cd "$1" && find . -type f -exec sha256sum {} + | sort)
}

tree good
cp -r "$work/good" "$work/before"
if bash "$install" "$work/good" "$work/lz4" >"$work/out" 2>&1; then
	diff -r "$work/before" "$work/good" | grep -c '^> ' >"$work/n"
	# Five calls, a flag, four includes, the ring's, that of calls, the folder.
	[ "$(cat "$work/n")" = 13 ] &&
	    grep -qF 'memflags | (xdump_is_on() ? 0 : MEMF_no_scrub));' "$work/good/xen/common/page_alloc.c" &&
	    grep -qF 'order, memflags | MEMF_no_scrub, NULL);' "$work/good/xen/common/page_alloc.c" &&
	    [ "$(grep -A1 'xdump_crash(CRASHREASON_PANIC)' "$work/good/xen/drivers/char/console.c" | tail -1)" = "    kexec_crash(CRASHREASON_PANIC);" ] &&
	    [ -e "$work/good/xen/arch/x86/xdump/writer.c" ] && [ -e "$work/good/xen/arch/x86/xdump/nvme.c" ] &&
	    [ -e "$work/good/xen/arch/x86/xdump/config.c" ] && [ -z "$(tests_in "$work/good")" ] &&
	    ! ls "$work"/good/xen/arch/x86/xdump/test-hooks.c >/dev/null 2>&1 &&
	    ! grep -q XDUMP_TEST "$work/good/xen/arch/x86/xdump/Makefile" &&
	    echo "ok xdump-install" || echo "not ok xdump-install: $(cat "$work/n") lines"
else
	echo "not ok xdump-install: $(cat "$work/out")"
fi

# refuse NAME WORD: it says WORD and leaves the tree as it was.
refuse()
{
	sum "$work/$1" >"$work/sum"
	if bash "$install" "$work/$1" "$work/lz4" >"$work/out" 2>&1; then
		echo "not ok xdump-install-$1: it was taken"
	elif ! grep -q "$2" "$work/out" || [ "$(wc -l <"$work/out")" != 1 ]; then
		echo "not ok xdump-install-$1: $(cat "$work/out")"
	elif [ "$(sum "$work/$1")" != "$(cat "$work/sum")" ]; then
		echo "not ok xdump-install-$1: the tree has changed"
	else
		echo "ok xdump-install-$1"
	fi
}

refuse good "has it already"
cp -r "$work/before" "$work/hooks"
if XDUMP_TEST=1 bash "$install" "$work/hooks" "$work/lz4" >"$work/out" 2>&1 &&
    [ -e "$work/hooks/xen/arch/x86/xdump/test-hooks.c" ] &&
    grep -q DXDUMP_TEST "$work/hooks/xen/arch/x86/xdump/Makefile"; then
	echo "ok xdump-install-test"
else
	echo "not ok xdump-install-test: $(cat "$work/out")"
fi
tree moved
sed -i 's/kexec_crash(CRASHREASON_WATCHDOG)/crash(WATCHDOG)/' "$work/moved/xen/common/shutdown.c"
refuse moved "hwdom_shutdown() does not have one"
tree twice
sed -i 's/    printk("dead");/    kexec_crash(CRASHREASON_PANIC);/' "$work/twice/xen/drivers/char/console.c"
refuse twice "panic() does not have one"
tree scrub
sed -i 's/alloc_domheap_pages(NULL, order, memflags | MEMF_no_scrub)/alloc_domheap_pages(NULL, order, memflags)/' "$work/scrub/xen/common/page_alloc.c"
refuse scrub "alloc_xenheap_pages() does not have one"
tree calls
sed -i 's/^} call_data;/} calls;/' "$work/calls/xen/common/smp.c"
refuse calls "no call_lock or call_data"
tree gone
rm "$work/gone/xen/common/shutdown.c"
refuse gone "shutdown.c is not there"
mkdir -p "$work/none"
refuse none "no Xen source tree"
key=$(printf '%064d' 0)
for words in content=dom0 "key=$key" "content=guests,key=$key"; do
	rm -rf "$work/policy"
	cp -r "$work/before" "$work/policy"
	if XDUMP_POLICY=$words bash "$install" "$work/policy" "$work/lz4" >"$work/out" 2>&1 &&
	    grep -qF "DXDUMP_POLICY='\"$words\"'" "$work/policy/xen/arch/x86/xdump/Makefile"; then
		echo "ok xdump-install-policy-${words%%=*}"
	else
		echo "not ok xdump-install-policy $words: $(cat "$work/out")"
	fi
done
n=0
for words in 'content=dom0"; rm' content=dom1 content=dom0,dry-run content=hv, "content=hv key=$key" \
    content=hv,content=dom0 "key=${key}0" "key=${key%0}" "key=$key,content=dom0,content=hv"; do
	n=$((n + 1))
	cp -r "$work/before" "$work/words$n"
	XDUMP_POLICY=$words refuse words$n "XDUMP_POLICY is content= and key="
done
