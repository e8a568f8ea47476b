# SPDX-License-Identifier: Apache-2.0
# YAML is read by libyaml's event parser; nothing outside this room sees its types.
sonde_find_library(SONDE_YAML yaml)
target_link_libraries(config PRIVATE ${SONDE_YAML})
