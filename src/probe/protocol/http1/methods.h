/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The methods by which a message is recognised as a request of HTTP/1: those of IANA's registry,
 * and PURGE, BAN (caches) and LIST (Vault). PRI is left out: it begins HTTP/2. They stand by their
 * first letter, so that the kernel looks at few of them, and its verifier at each of them once. */
#ifndef SONDE_PROBE_HTTP1_METHODS_H
#define SONDE_PROBE_HTTP1_METHODS_H

#define SONDE_HTTP1_METHODS(GROUP, METHOD)                                                       \
  GROUP('G', METHOD("GET"))                                                                      \
  GROUP('P', METHOD("POST") METHOD("PUT") METHOD("PATCH") METHOD("PROPFIND") METHOD("PROPPATCH") \
                 METHOD("PURGE"))                                                                \
  GROUP('H', METHOD("HEAD"))                                                                     \
  GROUP('D', METHOD("DELETE"))                                                                   \
  GROUP('O', METHOD("OPTIONS") METHOD("ORDERPATCH"))                                             \
  GROUP('C', METHOD("CONNECT") METHOD("COPY") METHOD("CHECKIN") METHOD("CHECKOUT"))              \
  GROUP('T', METHOD("TRACE"))                                                                    \
  GROUP('Q', METHOD("QUERY"))                                                                    \
  GROUP('M', METHOD("MKCOL") METHOD("MOVE") METHOD("MERGE") METHOD("MKACTIVITY")                 \
                 METHOD("MKWORKSPACE") METHOD("MKCALENDAR") METHOD("MKREDIRECTREF"))             \
  GROUP('L', METHOD("LOCK") METHOD("LABEL") METHOD("LINK") METHOD("LIST"))                       \
  GROUP('U', METHOD("UNLOCK") METHOD("UNBIND") METHOD("UNCHECKOUT") METHOD("UPDATE")             \
                 METHOD("UNLINK") METHOD("UPDATEREDIRECTREF"))                                   \
  GROUP('R', METHOD("REPORT") METHOD("REBIND"))                                                  \
  GROUP('S', METHOD("SEARCH"))                                                                   \
  GROUP('A', METHOD("ACL"))                                                                      \
  GROUP('B', METHOD("BIND") METHOD("BASELINE-CONTROL") METHOD("BAN"))                            \
  GROUP('V', METHOD("VERSION-CONTROL"))

#endif
