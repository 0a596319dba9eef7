/* SPDX-License-Identifier: MIT */
/*
 * Where a variable lies: IN(module) in a module's data, AT(address) at a fixed
 * address, as what a running system took from its heap.  The linker script is
 * made from the sections' names.
 */
#ifndef GOLDCLOTH_AT_H
#define GOLDCLOTH_AT_H

#define AT(address) __attribute__((section(".at." #address), used))
#define IN(module) __attribute__((section(#module ".data"), used))

#define P(type, address) ((type *)(address))

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned long size_t;
typedef unsigned long uintptr_t;

#endif
