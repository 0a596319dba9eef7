/* SPDX-License-Identifier: MIT */
/*
 * Encryption at the panic: BearSSL's ChaCha20 and Poly1305, and what calls
 * them, in one file, so that Xen's other ideas of some words end here.
 * Nothing where Xen was built without BearSSL's sources (install.sh).
 */
#include "xdump-impl.h"

#include <xen/string.h>

void
xdump_cipher_wipe(void)
{
	memset(&xdump.cipher, 0, sizeof(xdump.cipher));
	asm volatile("" : : : "memory");
}

#ifdef XDUMP_CRYPT

#undef MIN
#undef MAX
#undef MUX
#undef EQ
#undef NEQ
#undef GT
#undef GE
#undef LT
#undef LE
#undef NOT

#include "chacha20_ct.c"
#include "poly1305_ctmul.c"

#include "crypt.c"

#endif
