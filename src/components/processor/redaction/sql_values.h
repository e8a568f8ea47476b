// SPDX-License-Identifier: Apache-2.0
// Statements of SQL without what they are asked with: "?" stands for each value.
#pragma once

#include <string>
#include <string_view>

namespace sonde::redaction {

enum class SqlDialect : unsigned char {
  Common,
  MySql,  // "a" is a text, `a` a name and # begins a comment.
};

// Texts, numbers, booleans, null and numbered parameters become "?", and so do the digits in names
// ("orders_2024" is "orders_?"). Words, operators, comments and spaces stay as they are. A text or
// a quoted name without an end, as in a statement that was cut, is hidden to the end. What follows
// a NUL is left out. Any bytes are taken, in time linear in them.
std::string hide_sql_values(std::string_view sql, SqlDialect dialect);

}  // namespace sonde::redaction
