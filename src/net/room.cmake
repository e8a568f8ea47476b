# SPDX-License-Identifier: Apache-2.0
# The gRPC client speaks HTTP/2 through nghttp2; compression/ is what the libraries below do. Statically where Debian has
# an archive (ISA-L has none); Boost is header-only.
sonde_find_library(SONDE_NGHTTP2 nghttp2)
set(net_libraries ${SONDE_NGHTTP2})
foreach(name ssl crypto isal z zstd snappy lz4)
  sonde_find_library(SONDE_NET_${name} ${name})
  list(APPEND net_libraries ${SONDE_NET_${name}})
endforeach()
target_link_libraries(net PRIVATE ${net_libraries})
if(TARGET net_test)
  target_link_libraries(net_test PRIVATE ${net_libraries})
endif()
