// SPDX-License-Identifier: Apache-2.0
// The rollup room: what turns single requests into numbers, written once for connectors, exporters
// and the page.
//   series_table.h  label tuples -> state, with a cap and one overflow series
//   histogram.h     explicit-bucket and base-2 exponential histograms, with quantiles
//   observation.h   one finished request as everything here reads it
//   red.h           cumulative http.server.* and http.client.* metrics
//   edges.h         joins client and server spans into service-graph edges
//   book.h          the live book of the last 15 minutes that the page reads
// Everything is bounded by construction and told the time by its caller: nothing here owns a clock
// or a thread.
#pragma once
