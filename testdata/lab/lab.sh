#!/bin/bash
# SPDX-License-Identifier: MIT
# Take the lab's dumps: boot each guest of the table and dump it.  What is
# there already stays.  Without FULL=1 only the rows marked "*".
#
#	[FULL=1] lab.sh CACHE OUT [name...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$1
out=$2
shift 2

# name         series mode  options                        dumps
table='
* 6.1-kdump    6.1    kdump --mem=768                      -
* 6.1-la57     6.1    idle  --cpu=max,--vmcoreinfo         elf
* 6.12-run     6.12   idle  --vmcoreinfo                   elf
* 7.x-run      7.x    idle  --vmcoreinfo                   elf
- 6.1-run      6.1    idle  --vmcoreinfo                   elf,p,z
- 6.1-novmci   6.1    idle  -                              elf,z
- 6.1-nokaslr  6.1    idle  --append=nokaslr,--vmcoreinfo  elf
- 6.1-pti      6.1    idle  --append=pti=on,--vmcoreinfo   elf,p
- 6.12-panic   6.12   panic --vmcoreinfo                   elf,z
- 7.x-panic    7.x    panic --vmcoreinfo                   elf,z
- 6.1-irq      6.1    irq   --vmcoreinfo                   elf
- 6.1-nmi      6.1    nmi   --vmcoreinfo,--smp=1           elf
- 6.1-panic    6.1    panic -                              elf
- 6.1-null     6.1    oops  --vmcoreinfo,--append=labhow=null      elf
- 6.1-bug      6.1    oops  --vmcoreinfo,--append=labhow=bug       elf
- 6.1-overflow 6.1    oops  --vmcoreinfo,--append=labhow=overflow  elf
- 6.1-timer    6.1    oops  --vmcoreinfo,--append=labhow=timer     elf
- 6.1-thread   6.1    oops  --vmcoreinfo,--append=labhow=thread    elf
- 6.1-divide   6.1    oops  --vmcoreinfo,--append=labhow=divide    elf
- 6.12-kdump   6.12   kdump --mem=1024,--crashkernel=256M  -
- 6.12-la57    6.12   idle  --cpu=max,--vmcoreinfo         elf
- 6.12-irq     6.12   irq   --vmcoreinfo                   elf
- 6.12-novmci  6.12   idle  -                              elf
- 7.x-kdump    7.x    kdump --mem=1024,--crashkernel=320M  -
- 7.x-la57     7.x    idle  --cpu=max,--vmcoreinfo         elf
- 7.x-nmi      7.x    nmi   --vmcoreinfo,--smp=1           elf
- 7.x-novmci   7.x    idle  -                              elf
- 7.2-run      7.2    idle  --vmcoreinfo                   elf
- 6.1-big      6.1    idle  --mem=6144,--smp=4             elf
- 6.1-rt-panic 6.1-rt panic --vmcoreinfo                   elf
- 6.1-rt-run   6.1-rt idle  --vmcoreinfo                   elf
- 6.1-cloud-run 6.1-cloud idle --vmcoreinfo                elf
- 5.10-run     5.10   idle  --vmcoreinfo                   elf,z
- 5.10-novmci  5.10   idle  -                              elf
- 5.10-panic   5.10   panic --vmcoreinfo                   elf
- 5.10-irq     5.10   irq   --vmcoreinfo                   elf
- 5.10-nmi     5.10   nmi   --vmcoreinfo,--smp=1           elf
- 5.10-la57    5.10   idle  --cpu=max,--vmcoreinfo         elf
- 5.10-kdump   5.10   kdump --mem=768                      -
- 5.10-rt-run  5.10-rt idle --vmcoreinfo                   elf
- 5.10-cloud-panic 5.10-cloud panic -                   elf
'

# makedumpfile's forms of one vmcore.  1.7.2 knows neither snappy nor zstd.
forms()
{
	local dir=$1 tool=${MAKEDUMPFILE:-makedumpfile} log=$1/makedumpfile.log
	mdf()
	{
		"$tool" "$@" >>"$log" 2>&1 || echo "lab: makedumpfile $* fails (see $log)"
	}
	mdf -l -d 31 "$dir/vmcore" "$dir/vmcore.l31"
	[ -n "${FULL-}" ] || return 0
	mdf -c -d 31 "$dir/vmcore" "$dir/vmcore.c31"
	mdf -c -d 0 "$dir/vmcore" "$dir/vmcore.c0"
	mdf -l -d 1 "$dir/vmcore" "$dir/vmcore.l1"
	mdf -d 31 "$dir/vmcore" "$dir/vmcore.d31"
	mdf -E -d 31 "$dir/vmcore" "$dir/vmcore.E31"
	mdf --split --splitblock-size 16 -l -d 31 "$dir/vmcore" "$dir/vmcore.S1" "$dir/vmcore.S2"
	mdf --split --splitblock-size 16 -c -d 1 "$dir/vmcore" "$dir/vmcore.s1" "$dir/vmcore.s2" \
	    "$dir/vmcore.s3"
	"$tool" -F -l -d 31 "$dir/vmcore" >"$dir/vmcore.F31" 2>>"$log"
	if "$tool" -h 2>&1 | grep -A1 'zstd support' | grep -q enabled; then
		mdf -z -d 31 "$dir/vmcore" "$dir/vmcore.z31"
	fi
}

take()
{
	local name=$1 series=$2 mode=$3 opts=$4 dumps=$5
	[ -e "$out/$name/.done" ] && return
	opts=${opts#-}
	opts=${opts:+-$opts}
	[ "$dumps" = - ] && dumps=
	# shellcheck disable=SC2086
	python3 "$here/take.py" --cache "$cache" --out "$out/$name" ${opts//,--/ --} \
	    "$series" "$mode" ${dumps//,/ } || return 1
	[ "$mode" = kdump ] && forms "$out/$name"
	touch "$out/$name/.done"
}

mkdir -p "$out"
failed=0
while read -r mark name series mode opts dumps; do
	[ -n "$name" ] || continue
	if [ $# -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	elif [ "$mark" = - ] && [ -z "${FULL-}" ]; then
		continue
	fi
	[ -e "$cache/kernel-$series/.done" ] || {
		echo "lab: no kernel $series in $cache: make setup-lab"
		failed=1
		continue
	}
	(take "$name" "$series" "$mode" "$opts" "$dumps") </dev/null || {
		echo "lab: $name fails"
		failed=1
	}
done <<<"$table"
exit $failed
