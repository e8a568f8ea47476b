/* SPDX-License-Identifier: GPL-2.0 */
/* Does this message begin like HTTP/1? A request begins with a method token, a response with its
 * version. Some runtimes (Go, PHP) read one byte first, so a prefix is an answer of its own. */
#ifndef SONDE_PROBE_HTTP1_BPF_H
#define SONDE_PROBE_HTTP1_BPF_H

static __always_inline enum sonde_match sonde_classify_http1(u64 word, u32 n) {
  const u64 valid = sonde_mask(n);
  enum sonde_match best = SONDE_MATCH_NO;
  enum sonde_match m;
#define SONDE_HTTP1_TOKEN(size, ...)                              \
  m = sonde_token(word, valid, n, SONDE_WORD(__VA_ARGS__), size); \
  if (m == SONDE_MATCH_YES) return m;                             \
  if (m > best) best = m
  SONDE_HTTP1_TOKEN(4, 'G', 'E', 'T', ' ', 0, 0, 0, 0);
  SONDE_HTTP1_TOKEN(7, 'H', 'T', 'T', 'P', '/', '1', '.', 0);
  SONDE_HTTP1_TOKEN(5, 'P', 'O', 'S', 'T', ' ', 0, 0, 0);
  SONDE_HTTP1_TOKEN(4, 'P', 'U', 'T', ' ', 0, 0, 0, 0);
  SONDE_HTTP1_TOKEN(5, 'H', 'E', 'A', 'D', ' ', 0, 0, 0);
  SONDE_HTTP1_TOKEN(7, 'D', 'E', 'L', 'E', 'T', 'E', ' ', 0);
  SONDE_HTTP1_TOKEN(6, 'P', 'A', 'T', 'C', 'H', ' ', 0, 0);
  SONDE_HTTP1_TOKEN(8, 'O', 'P', 'T', 'I', 'O', 'N', 'S', ' ');
  SONDE_HTTP1_TOKEN(8, 'C', 'O', 'N', 'N', 'E', 'C', 'T', ' ');
  SONDE_HTTP1_TOKEN(6, 'T', 'R', 'A', 'C', 'E', ' ', 0, 0);
#undef SONDE_HTTP1_TOKEN
  return best;
}

/* A head ends with an empty line: CR LF CR LF. */
static __always_inline bool sonde_head_ends_http1(u32 last_four) { return last_four == 0x0a0d0a0d; }

#endif
