// SPDX-License-Identifier: Apache-2.0
// Whether a sanitizer changes what a test would measure: memory, time, signals and forks are its
// own. What such a test does besides is run under the sanitizer all the same.
#pragma once

namespace sonde::testing {

#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace sonde::testing
