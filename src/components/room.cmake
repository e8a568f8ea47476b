# SPDX-License-Identifier: Apache-2.0
# basicauth reads the hashes of crypt(3), bcrypt among them, by libcrypt; statically where Debian ships an archive.
sonde_find_library(SONDE_CRYPT crypt)
target_link_libraries(components PUBLIC ${SONDE_CRYPT})
