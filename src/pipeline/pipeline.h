// SPDX-License-Identifier: Apache-2.0
//
// The pipeline room: runs a configured graph of components.
//
//   component.h      what a component is, and how it describes itself
//   engine.h         builds, starts and stops a graph; build.h and shard.h are its insides
//   sending_queue.h  the queue and the retries of exporters
//   client_settings.h  settings that clients share
//   own_telemetry.h  the counters about the data that passes
//   output_meter.h   items and bytes at every edge
//   topology.h       the graph that runs, for whoever shows it
//   storage.h        what a storage extension offers; queue_journal.h keeps a queue there
//   split_records.h  dealing the records of a batch out; split_items.h cuts it by size
//   lease.h          shared things by identity
//
// The room knows no component: the list is handed to the engine.
#pragma once

#include "pipeline/client_settings.h"
#include "pipeline/component.h"
#include "pipeline/engine.h"
#include "pipeline/own_telemetry.h"
#include "pipeline/sending_queue.h"
