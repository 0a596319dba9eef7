/* SPDX-License-Identifier: MIT */
/*
 * The list of modules: circular, from `modules`, which is unix itself; the
 * pseudo module of the hypervisor last, as its panic linked it there.  The
 * machine fills in each symbol table (symtab.c).
 */
#include "kern.h"
#include "module_layout.h"

#define IS_AT(type, member, offset)                                         \
	_Static_assert(__builtin_offsetof(struct type, member) == (offset), \
		#member " is elsewhere")

IS_AT(modctl, mod_next, MODCTL_NEXT);
IS_AT(modctl, mod_mp, MODCTL_MP);
IS_AT(modctl, mod_modname, MODCTL_MODNAME);
IS_AT(module, symhdr, MODULE_SYMHDR);
IS_AT(module, strhdr, MODULE_STRHDR);
IS_AT(module, symsize, MODULE_SYMSIZE);
IS_AT(module, symspace, MODULE_SYMSPACE);
IS_AT(module, symtbl, MODULE_SYMTBL);
IS_AT(module, strings, MODULE_STRINGS);
IS_AT(module, nsyms, MODULE_NSYMS);

enum {
#define MODULE(name, t, t_len, d, d_len, file, what) MOD_##name,
#include "modules.def"
#undef MODULE
	NR_MODS
};

extern struct modctl modules;
static struct modctl xpv_modctl;

#define MODULE(name, t, t_len, d, d_len, file, what) \
	[MOD_##name] = { .text = P(char, t),         \
		.text_size = (t_len),                \
		.data = P(char, d),                  \
		.data_size = (d_len),                \
		.filename = (file),                  \
		.flags = 1 },

AT(0xc54a4000)
static struct module heap_modules[NR_MODS] = {
#include "modules.def"
};
#undef MODULE

#define CTL(id, nm, fn, mp, t, t_len, before, after)                       \
	{                                                                  \
		.mod_next = (after), .mod_prev = (before), .mod_id = (id), \
		.mod_mp = (mp), .mod_filename = (fn), .mod_modname = (nm), \
		.mod_ref = 1, .mod_loaded = 1, .mod_installed = 1,         \
		.mod_loadcnt = 1, .mod_text = P(char, t),                  \
		.mod_text_size = (t_len)                                   \
	}

#define AFTER(i) ((i) + 1 == NR_MODS ? &xpv_modctl : &heap_modctl[(i) + 1])
#define BEFORE(i) ((i) == 1 ? &modules : &heap_modctl[(i)-1])

#define MODULE(name, t, t_len, d, d_len, file, what)                           \
	[MOD_##name] = CTL(MOD_##name, #name, file, &heap_modules[MOD_##name], \
		t, t_len, BEFORE(MOD_##name), AFTER(MOD_##name)),

/* The first of the array is not used: unix has its own. */
AT(0xc54a1000)
static struct modctl heap_modctl[NR_MODS] = {
#include "modules.def"
};
#undef MODULE

IN(unix)
struct modctl modules = CTL(0, "unix", "/platform/i86xpv/kernel/unix",
	&heap_modules[0], 0xf4c00000, 0x100000, &xpv_modctl, &heap_modctl[1]);

IN(unix)
static struct module xpv_module = {
	.text = P(char, 0xff100000),
	.text_size = 0x9f000,
	.data = P(char, 0xff1a0000),
	.data_size = 0x40000,
	.filename = "/boot/xen-syms",
	.flags = 1,
};
IN(unix)
static struct modctl xpv_modctl = CTL(NR_MODS, "xpv", "/boot/xen-syms",
	&xpv_module, 0xff100000, 0x9f000, &heap_modctl[NR_MODS - 1], &modules);

IN(unix) int last_module_id = NR_MODS;
