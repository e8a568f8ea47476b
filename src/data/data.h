// SPDX-License-Identifier: Apache-2.0
// The data room: the one data model of Sonde. A Batch is OTLP bytes with an acknowledgement, and
// everything else here reads, writes or changes such bytes without making objects of them.
//
//   batch.h ack.h sink.h         what crosses the pipeline, who is told how it ended, where it goes
//   trace_view.h metric_view.h log_view.h  walk the items in place; attribute_view.h reads values
//   span_writer.h metric_writer.h log_writer.h  build batches as canonical bytes; attribute.h is
//                                their input
//   edit.h                       ask an Editor about each item: change it, drop it; message_edit.h
//                                is what it gets. count.h counts items without looking into them
//   valid.h                      whether bytes are OTLP all the way down
//   text.h                       the readable form, for scenarios, the debug exporter and reports
//   wire.h otlp_fields.h         protobuf's wire format, and the field numbers of OTLP
//   otlp_schema.h                what the fields are called and hold, for what reads by tables
//
// To read, call for_each_span(batch, visitor); the views live as long as the call. To change, write
// an Editor and hand it to a Rewriter: what was not touched is copied verbatim, so fields newer
// than this program survive. To produce, use a builder and hand build() to a Sink.
//
// One law: only bytes cross a hold (a queue, a branch, a shard). Views and edits never
// outlive the call chain that made them. Peers' bytes are hostile: every read is bounded, nesting
// is limited, malformed input is a Result or is skipped. Which records a pipeline wants, and any
// other format than OTLP protobuf, is the business of other rooms.
#pragma once

#include "data/batch.h"
#include "data/count.h"
#include "data/edit.h"
#include "data/log_view.h"
#include "data/log_writer.h"
#include "data/metric_view.h"
#include "data/metric_writer.h"
#include "data/sink.h"
#include "data/span_writer.h"
#include "data/text.h"
#include "data/trace_view.h"
