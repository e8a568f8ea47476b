/* SPDX-License-Identifier: GPL-2.0 */
/* What a protocol answers about the first bytes of a message, and the comparison they share. A
 * protocol gets the first (up to eight) bytes as one little-endian word, because comparing words
 * costs one instruction a candidate. */
#ifndef SONDE_PROBE_BPF_CLASSIFY_H
#define SONDE_PROBE_BPF_CLASSIFY_H

enum sonde_match {
  SONDE_MATCH_NO = 0,
  SONDE_MATCH_PREFIX = 1, /* Too short to tell: the bytes agree as far as they go. */
  SONDE_MATCH_YES = 2
};

static __always_inline u64 sonde_mask(u32 n) { return n >= 8 ? ~0ULL : (1ULL << (n * 8)) - 1; }

/* `n` bytes of `word` are valid, 1 to 8; the token has `size` bytes. */
static __always_inline enum sonde_match sonde_token(u64 word, u64 valid, u32 n, u64 token,
                                                    u32 size) {
  if ((word ^ token) & valid & sonde_mask(size)) return SONDE_MATCH_NO;
  return n >= size ? SONDE_MATCH_YES : SONDE_MATCH_PREFIX;
}

#define SONDE_WORD(a, b, c, d, e, f, g, h)                                                        \
  ((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | (u64)(f) << 40 | \
   (u64)(g) << 48 | (u64)(h) << 56)

#endif
