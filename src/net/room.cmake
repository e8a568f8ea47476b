# The gRPC client speaks HTTP/2 through nghttp2; Boost is header-only and needs no target.
target_link_libraries(net PUBLIC base PRIVATE nghttp2)
if(TARGET net_test)
  target_link_libraries(net_test PRIVATE nghttp2)
endif()
