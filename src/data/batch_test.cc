// SPDX-License-Identifier: Apache-2.0
#include "data/batch.h"

#include <gtest/gtest.h>

namespace sonde {
namespace {

TEST(Batch, KeepsItsRequestWhenItsBytesAreReplacedButNotTheCompressedForm) {
  Batch batch(Signal::Traces, {});
  batch.context = std::make_shared<const RequestContext>(RequestContext{{{"tenant", "a"}}, "", {}});
  batch.original = std::make_shared<const Encoded>(Encoded{"gzip", Bytes::copy("x")});
  batch.set_items(7);
  Batch shared = batch.share();
  EXPECT_EQ(shared.original, batch.original);
  EXPECT_EQ(shared.items(), 7u);
  const auto context = batch.context;
  Batch edited = std::move(batch).with({});
  EXPECT_EQ(edited.context, context);
  EXPECT_EQ(edited.original, nullptr);
  EXPECT_EQ(edited.items(), 0u);
}

}  // namespace
}  // namespace sonde
