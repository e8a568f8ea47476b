// SPDX-License-Identifier: Apache-2.0
//
// The config room: from YAML text to typed settings and a graph of components.
//
//   text --parse_yaml--> Value tree --build_graph--> Graph --decode(table)--> a component's struct
//
// Each step reports the file and the line. The tables that components declare (field.h) also make
// the JSON schema and the reference rows (reference.h), so the three cannot disagree. The room
// knows no component: the engine matches the Graph with the component list.
#pragma once

#include "config/field.h"
#include "config/graph.h"
#include "config/reference.h"
#include "config/value.h"
#include "config/yaml.h"
