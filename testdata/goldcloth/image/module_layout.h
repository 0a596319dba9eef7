/* SPDX-License-Identifier: MIT */
/*
 * Offsets in the kernel's struct modctl and struct module for who fills them
 * from outside; kern_mod.c holds them against the structures.
 */
#ifndef GOLDCLOTH_MODULE_LAYOUT_H
#define GOLDCLOTH_MODULE_LAYOUT_H

#define MODCTL_NEXT 0
#define MODCTL_MP 12
#define MODCTL_MODNAME 32

#define MODULE_SYMHDR 60
#define MODULE_STRHDR 64
#define MODULE_SYMSIZE 72
#define MODULE_SYMSPACE 76
#define MODULE_SYMTBL 104
#define MODULE_STRINGS 108
#define MODULE_NSYMS 124

#endif
