# SPDX-License-Identifier: Apache-2.0
# The gRPC client speaks HTTP/2 through nghttp2, statically where it can; Boost is header-only.
sonde_find_library(SONDE_NGHTTP2 nghttp2)
target_link_libraries(net PRIVATE ${SONDE_NGHTTP2})
if(TARGET net_test)
  target_link_libraries(net_test PRIVATE ${SONDE_NGHTTP2})
endif()
