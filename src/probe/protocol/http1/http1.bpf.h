/* SPDX-License-Identifier: GPL-2.0 */
/* Does this message begin like HTTP/1? A request begins with a method token, a response with its
 * version. Some runtimes (Go, PHP) read one byte first, so a prefix is an answer of its own. */
#ifndef SONDE_PROBE_HTTP1_BPF_H
#define SONDE_PROBE_HTTP1_BPF_H

#include "methods.h"

/* The first eight bytes of a text that is known here. */
#define SONDE_HTTP1_BYTE(text, i) \
  ((i) < sizeof(text) - 1 ? (u64)(u8)(text)[(i) < sizeof(text) ? (i) : 0] << (8 * (i)) : 0)
#define SONDE_HTTP1_WORD(text)                                                         \
  (SONDE_HTTP1_BYTE(text, 0) | SONDE_HTTP1_BYTE(text, 1) | SONDE_HTTP1_BYTE(text, 2) | \
   SONDE_HTTP1_BYTE(text, 3) | SONDE_HTTP1_BYTE(text, 4) | SONDE_HTTP1_BYTE(text, 5) | \
   SONDE_HTTP1_BYTE(text, 6) | SONDE_HTTP1_BYTE(text, 7))
#define SONDE_HTTP1_TOKEN(text)                                 \
  m = sonde_token(word, valid, n, SONDE_HTTP1_WORD(text),       \
                  sizeof(text) - 1 < 8 ? sizeof(text) - 1 : 8); \
  if (m == SONDE_MATCH_YES) return m;                           \
  if (m > best) best = m;
#define SONDE_HTTP1_METHOD(text) SONDE_HTTP1_TOKEN(text " ")
#define SONDE_HTTP1_GROUP(letter, methods) \
  case letter:                             \
    methods break;

static __always_inline enum sonde_match sonde_classify_http1(u64 word, u32 n) {
  const u64 valid = sonde_mask(n);
  enum sonde_match best = SONDE_MATCH_NO;
  enum sonde_match m;
  SONDE_HTTP1_TOKEN("HTTP/1.")
  switch ((u8)word) { SONDE_HTTP1_METHODS(SONDE_HTTP1_GROUP, SONDE_HTTP1_METHOD) }
  return best;
}
#undef SONDE_HTTP1_GROUP
#undef SONDE_HTTP1_METHOD
#undef SONDE_HTTP1_TOKEN
#undef SONDE_HTTP1_WORD
#undef SONDE_HTTP1_BYTE

/* A head ends with an empty line: CR LF CR LF. */
static __always_inline bool sonde_head_ends_http1(u32 last_four) { return last_four == 0x0a0d0a0d; }

#endif
