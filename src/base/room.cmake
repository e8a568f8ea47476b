# SPDX-License-Identifier: Apache-2.0
# regex.cc stands on RE2, digest.cc on libcrypto; both statically where Debian ships an archive.
sonde_find_library(SONDE_RE2 re2)
sonde_find_library(SONDE_CRYPTO crypto)
target_link_libraries(base PUBLIC ${SONDE_RE2} ${SONDE_CRYPTO})
