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
# Asio is compiled once, in internal/asio_impl.cc. Set here and not in a header, because one file that included Boost before
# that header would compile all of it again, with other linkage.
set(net_definitions BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  # std::aligned_alloc is looked for where libstdc++ 12 does not promise it.
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC)
target_compile_definitions(net PRIVATE ${net_definitions})
if(TARGET net_test)
  target_compile_definitions(net_test PRIVATE ${net_definitions})
  target_link_libraries(net_test PRIVATE ${net_libraries})
endif()
# Fuzz targets look at the inside too.
get_property(net_fuzzers GLOBAL PROPERTY SONDE_FUZZERS)
list(TRANSFORM net_fuzzers REPLACE " .*$" "")
list(FILTER net_fuzzers INCLUDE REGEX "^net_")
foreach(fuzzer IN LISTS net_fuzzers)
  target_compile_definitions(${fuzzer} PRIVATE ${net_definitions})
endforeach()
