/* SPDX-License-Identifier: GPL-2.0 */
/* Requests begin with "ECHO ", answers with "SAID ". */
#ifndef SONDE_PROBE_ECHO_LINE_BPF_H
#define SONDE_PROBE_ECHO_LINE_BPF_H

static __always_inline enum sonde_match sonde_classify_echo_line(u64 word, u32 n) {
  const u64 valid = sonde_mask(n);
  const enum sonde_match ask =
      sonde_token(word, valid, n, SONDE_WORD('E', 'C', 'H', 'O', ' ', 0, 0, 0), 5);
  const enum sonde_match answer =
      sonde_token(word, valid, n, SONDE_WORD('S', 'A', 'I', 'D', ' ', 0, 0, 0), 5);
  return ask > answer ? ask : answer;
}

/* A message is its own head. */
static __always_inline bool sonde_head_ends_echo_line(u32 last_four) { return false; }

#endif
