/* SPDX-License-Identifier: MIT */
/*
 * Encryption: each segment is one message, sealed once in its buffer before it
 * is written first.  What is written again, here or further on, are the same
 * bytes: of the header only the place and the checksums change, which are not
 * part of the message.
 *
 * A nonce is taken before it is used and never given back.  A second panic may
 * come between, so what ends the dump then counts from a number of its own on.
 * The end record is not encrypted but sealed; it says where it lies, so it is
 * another message, with another nonce, in each place.
 */
#include "writer-impl.h"

#include <string.h>

#define NONCE_LEN 12u
#define AGAIN (UINT64_C(1) << 63)

static uint64_t
nonce_next(struct dfmt_writer *w)
{
	volatile uint64_t *last = &w->out.nonce;

	*last = *last + 1;
	return *last;
}

void
dfmt_w_encrypt_again(struct dfmt_writer *w)
{
	w->out.nonce = AGAIN;
}

void
dfmt_w_encrypt(struct dfmt_writer *w, struct wseg *seg,
	const struct dfmt_fmt_seg *was)
{
	const struct dfmt_writer_cipher *cipher = w->config.cipher;
	struct dfmt_fmt_seg *h = (struct dfmt_fmt_seg *)(void *)seg->buf;
	uint32_t clear = seg->type == DFMT_SEG_END ? (uint32_t)seg->payload_len
						   : seg->clear_len;
	uint8_t nonce[NONCE_LEN] = { 0 };
	uint8_t tag[sizeof(h->auth)];

	h->flags |= DFMT_SEG_ENCRYPTED;
	h->clear_len = clear;
	if (seg->sealed && seg->type != DFMT_SEG_END) {
		h->nonce = was->nonce;
		memcpy(h->auth, was->auth, sizeof(h->auth));
		return;
	}
	h->nonce = nonce_next(w);
	memcpy(nonce + 4, &h->nonce, sizeof(h->nonce));
	cipher->seal(cipher->key, nonce, seg->buf, DFMT_SEG_HEADER_LEN + clear,
		seg->buf + DFMT_SEG_HEADER_LEN + clear,
		(size_t)seg->payload_len - clear, tag);
	memcpy(h->auth, tag, sizeof(h->auth));
	seg->sealed = true;
}
