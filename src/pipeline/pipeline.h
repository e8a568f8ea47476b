// SPDX-License-Identifier: Apache-2.0
//
// The pipeline room: runs a configured graph of components.
//
//   component.h      what a component is, and how it describes itself
//   engine.h         builds, starts and stops a graph; graph/ is its inside
//   reloader.h       how an extension has the configuration read again; graph/reload.cc does it
//   lease.h          shared things by identity
//   storage.h        what a storage extension offers
//   queue/           the queue and the retries of exporters, in memory and on disk; queue_room.h
//                    admits requests to it
//   settings/        settings that clients and servers share, named as the Collector's
//   auth/            who sends and who we are: auth_gate.h asks authenticator.h in receivers,
//                    authorizer.h in exporters
//   match/           which items a processor means, and what it does to them
//   introspection/   what runs and how it fares, for whoever shows it: the graph, the status of
//                    components, the counters at every edge, taps, and the program itself
//   otlp_export.h    what every way of sending OTLP has in common; payload.h compresses it
//   side_server.h    an HTTP server beside the data; side_task.h something too slow for a loop
//   split_records.h  dealing the records of a batch out to shards
//
// The room knows no component: the list is handed to the engine.
#pragma once

#include "pipeline/component.h"
#include "pipeline/engine.h"
#include "pipeline/introspection/own_telemetry.h"
#include "pipeline/queue/sending_queue.h"
#include "pipeline/settings/client_settings.h"
