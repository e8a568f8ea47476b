// SPDX-License-Identifier: Apache-2.0
//
// The pipeline room: runs a configured graph of components.
//
//   component.h      what a component is, and how it describes itself
//   engine.h         builds, starts and stops a graph; build.h and shard.h are its insides
//   reloader.h       how an extension has the configuration read again; reload.cc does it
//   sending_queue.h  the queue and the retries of exporters; queue_room.h admits requests to it
//   *_settings.h     settings that clients and servers share, named as the Collector's
//   authenticator.h  who sends and who we are: auth_gate.h asks it in receivers, authorizer.h in
//                    exporters
//   own_telemetry.h  the counters about the data that passes
//   output_meter.h   items and bytes at every edge
//   topology.h       the graph that runs, for whoever shows it; tap.h shows what passes an edge
//   status.h         how each component fares; health.h makes the health of a pipeline of it
//   side_server.h    an HTTP server beside the data; side_task.h something too slow for a loop
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
