// SPDX-License-Identifier: Apache-2.0
// Plays recording.json with the OpenTelemetry SDK of Node, once for each case, and prints the ids it gave.
//
// usage: play.js RECORDING CASES; both are JSON files. test_sdks.py says what a case is.
'use strict';
const fs = require('node:fs');
const { credentials } = require('@grpc/grpc-js');
const api = require('@opentelemetry/api');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { AggregationType, MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs');

const FORMS = { grpc: 'grpc', 'http/protobuf': 'proto', 'http/json': 'http' };

// Complaints of the SDK, which would else be silent.
api.diag.setLogger({ error: console.error, warn: console.error, info() {}, debug() {}, verbose() {} }, api.DiagLogLevel.WARN);

function valueOf(kind, value) {
  return kind === 'map' ? Object.fromEntries(value.map(([key, inner, v]) => [key, valueOf(inner, v)])) : value;
}

function attributes(triples) {
  return Object.fromEntries(triples.map(([key, kind, value]) => [key, valueOf(kind, value)]));
}

function exporter(signal, wanted) {
  const name = { traces: 'trace', metrics: 'metrics', logs: 'logs' }[signal];
  const made = require(`@opentelemetry/exporter-${name}-otlp-${FORMS[wanted.protocol]}`);
  const Exporter = made[{ traces: 'OTLPTraceExporter', metrics: 'OTLPMetricExporter', logs: 'OTLPLogExporter' }[signal]];
  const read = (name) => (wanted[name] ? fs.readFileSync(wanted[name]) : null);
  const options = { url: wanted.endpoint, compression: wanted.compression };
  if (wanted.protocol === 'grpc') {
    options.credentials = wanted.ca ? credentials.createSsl(read('ca'), read('key'), read('cert')) : credentials.createInsecure();
  } else {
    options.url += `/v1/${signal}`;
    if (wanted.ca) options.httpAgentOptions = { ca: read('ca'), key: read('key'), cert: read('cert') };
  }
  return new Exporter(options);
}

const BILLION = 1000000000;

function playSpans(recording, tracer) {
  const at = (offset) => [recording.epoch_seconds + Math.floor(offset / BILLION), offset % BILLION];
  const many = Array.from({ length: recording.many_spans }, (_, n) => ({
    name: `item ${n}`, kind: 'internal', start: n, end: n + 1, attributes: [['n', 'int', n]] }));
  const spans = {};
  for (const entry of [...recording.spans, ...many]) {
    const parent = entry.parent ? api.trace.setSpan(api.ROOT_CONTEXT, spans[entry.parent]) : api.ROOT_CONTEXT;
    const links = (entry.links ?? []).map((link) => ({ context: spans[link.to].spanContext(), attributes: attributes(link.attributes) }));
    const span = tracer.startSpan(entry.name, {
      kind: api.SpanKind[entry.kind.toUpperCase()], attributes: attributes(entry.attributes), links, startTime: at(entry.start) }, parent);
    for (const event of entry.events ?? []) span.addEvent(event.name, attributes(event.attributes), at(event.at));
    if (entry.status) span.setStatus({ code: api.SpanStatusCode[entry.status[0].toUpperCase()], message: entry.status[1] });
    spans[entry.name] = span;
    span.end(at(entry.end));
  }
  return spans;
}

function playMetrics(recording, meter) {
  for (const entry of recording.metrics) {
    const kind = entry.kind.replace('exponential_', '');
    const create = 'create' + kind.split('_').map((word) => word[0].toUpperCase() + word.slice(1)).join('');
    const instrument = meter[create](entry.name, {
      unit: entry.unit, description: entry.description, valueType: entry.number === 'int' ? api.ValueType.INT : api.ValueType.DOUBLE });
    const records = entry.records.map(([value, own]) => [value, attributes(own)]);
    if (kind.startsWith('observable_')) {
      instrument.addCallback((result) => records.forEach((record) => result.observe(...record)));
    } else {
      records.forEach((record) => (instrument.record ?? instrument.add).apply(instrument, record));
    }
  }
}

function playLogs(recording, logger, spans) {
  const many = Array.from({ length: recording.many_logs }, (_, n) => ({
    at: n, severity: [9, 'INFO'], body: ['string', `line ${n}`], attributes: [['n', 'int', n]] }));
  for (const entry of [...recording.logs, ...many]) {
    logger.emit({
      timestamp: [recording.epoch_seconds, entry.at], severityNumber: entry.severity[0], severityText: entry.severity[1],
      body: valueOf(...entry.body), attributes: attributes(entry.attributes),
      context: entry.span ? api.trace.setSpan(api.ROOT_CONTEXT, spans[entry.span]) : api.ROOT_CONTEXT });
  }
}

async function play(recording, wanted) {
  const resource = resourceFromAttributes({
    ...attributes(recording.resource), 'service.name': 'node', 'service.instance.id': wanted.name });
  const tracers = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter('traces', wanted))] });
  const meters = new MeterProvider({
    resource, readers: [new PeriodicExportingMetricReader({ exporter: exporter('metrics', wanted), exportIntervalMillis: 3600000 })],
    views: [{ instrumentName: 'body_size', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }] });
  const loggers = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: exporter('logs', wanted) })] });

  const { name, version } = recording.scope;
  const spans = playSpans(recording, tracers.getTracer(name, version));
  playMetrics(recording, meters.getMeter(name, version));
  playLogs(recording, loggers.getLogger(name, version), spans);
  // Shutting down sends what is left, once.
  await Promise.all([tracers, meters, loggers].map((provider) => provider.shutdown()));
  const ids = Object.fromEntries(Object.entries(spans).map(([name, span]) => [name, [span.spanContext().traceId, span.spanContext().spanId]]));
  console.log(JSON.stringify({ case: wanted.name, spans: ids }));
}

async function main() {
  const [recording, cases] = process.argv.slice(2).map((path) => JSON.parse(fs.readFileSync(path, 'utf8')));
  for (const wanted of cases) await play(recording, wanted);
}

main();
