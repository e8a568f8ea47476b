// SPDX-License-Identifier: Apache-2.0
// What the console answers. scripts/gen-types.mjs writes this file from the console's api.schema.json once it has one.

export interface Service {
  name: string;
  namespace: string;
  language: string;
  unit: string | null;
  container: string | null;
  instrumented_by: string;
  trust: string;
  instances: number;
  rate: number | null;
  error_share: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  sparkline: (number | null)[];
  last_seen: number | null;
}

export interface Services {
  now: number;
  range_s: number;
  step_s: number;
  lost_events: number;
  services: Service[];
}

export interface Series {
  time: number[];
  rate: (number | null)[];
  errors: (number | null)[];
  p50: (number | null)[];
  p95: (number | null)[];
  p99: (number | null)[];
}

export interface Endpoint {
  method: string;
  route: string;
  rate: number | null;
  error_share: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  total_s: number | null;
}

export interface Inbound {
  peer: string;
  rate: number | null;
  error_share: number | null;
  p95: number | null;
}

export interface Outbound {
  peer: string;
  address: string;
  protocol: string;
  rate: number | null;
  error_share: number | null;
  p95: number | null;
}

export interface Callee {
  peer: string;
  seconds: number;
  share: number;
  calls: number;
}

export interface TimeSplit {
  total_s: number;
  queue_s: number | null;
  own_s: number;
  callees: Callee[];
}

export interface TimeSpent extends TimeSplit {
  baseline: TimeSplit | null;
}

export interface ServicePage {
  now: number;
  range_s: number;
  step_s: number;
  service: Service;
  series: Series;
  endpoints: Endpoint[];
  inbound: Inbound[];
  outbound: Outbound[];
  time_spent: TimeSpent;
  verdict: string;
}

export interface MapNode {
  name: string;
  language: string;
  kind: string;
  rate: number | null;
  error_share: number | null;
  p95: number | null;
}

export interface MapEdge {
  client: string;
  server: string;
  protocol: string;
  rate: number | null;
  error_share: number | null;
  p95: number | null;
  calls: number;
}

export interface Map {
  now: number;
  range_s: number;
  nodes: MapNode[];
  edges: MapEdge[];
}

export interface Status {
  version: string;
  uptime_s: number;
  lost_events: number;
  front_end: string;
  series: number;
  series_overflow: number;
  spans_exported: number;
  warnings: string[];
}

export interface ErrorBody {
  error: { what: string; why: string; do: string };
}
