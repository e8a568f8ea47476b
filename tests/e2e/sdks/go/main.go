// SPDX-License-Identifier: Apache-2.0

// Plays recording.json with the OpenTelemetry SDK of Go, once for each case, and prints the ids it gave.
//
// usage: play RECORDING CASES; both are JSON files. test_sdks.py says what a case is.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Triple is [key, kind, value].
type Triple [3]any

type Item struct {
	Name, Kind, Parent, Span string
	Start, End, At           int64
	Attributes               []Triple
	Status                   []string
	Severity                 []any
	Body                     []any
	Events                   []Item
	Links                    []struct {
		To         string
		Attributes []Triple
	}
}

type Instrument struct {
	Name, Kind, Number, Unit, Description string
	Records                               []Record
}

type Record struct {
	Value      float64
	Attributes attribute.Set
}

func (r *Record) UnmarshalJSON(text []byte) error {
	var triples []Triple
	if err := json.Unmarshal(text, &[]any{&r.Value, &triples}); err != nil {
		return err
	}
	r.Attributes = attribute.NewSet(attributes(triples)...)
	return nil
}

type Recording struct {
	Resource     []Triple
	Scope        struct{ Name, Version string }
	EpochSeconds int64 `json:"epoch_seconds"`
	Spans        []Item
	ManySpans    int64 `json:"many_spans"`
	Metrics      []Instrument
	Logs         []Item
	ManyLogs     int64 `json:"many_logs"`
}

func (r Recording) at(offset int64) time.Time { return time.Unix(r.EpochSeconds, offset) }

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func list[T any](values any, convert func(any) T) []T {
	converted := []T{}
	for _, value := range values.([]any) {
		converted = append(converted, convert(value))
	}
	return converted
}

func toInt(value any) int64      { return int64(value.(float64)) }
func toDouble(value any) float64 { return value.(float64) }
func toBool(value any) bool      { return value.(bool) }
func toString(value any) string  { return value.(string) }

func valueOf(kind string, value any) attribute.Value {
	switch kind {
	case "string":
		return attribute.StringValue(toString(value))
	case "int":
		return attribute.Int64Value(toInt(value))
	case "double":
		return attribute.Float64Value(toDouble(value))
	case "bool":
		return attribute.BoolValue(toBool(value))
	case "strings":
		return attribute.StringSliceValue(list(value, toString))
	case "ints":
		return attribute.Int64SliceValue(list(value, toInt))
	case "doubles":
		return attribute.Float64SliceValue(list(value, toDouble))
	case "bools":
		return attribute.BoolSliceValue(list(value, toBool))
	case "map":
		return attribute.MapValue(list(value, func(triple any) attribute.KeyValue { return pairOf(triple.([]any)) })...)
	}
	check(fmt.Errorf("no value is a %v", kind))
	return attribute.Value{}
}

func pairOf(triple []any) attribute.KeyValue {
	return attribute.KeyValue{Key: attribute.Key(toString(triple[0])), Value: valueOf(toString(triple[1]), triple[2])}
}

func attributes(triples []Triple) []attribute.KeyValue {
	made := []attribute.KeyValue{}
	for _, triple := range triples {
		made = append(made, pairOf(triple[:]))
	}
	return made
}

func playSpans(recording Recording, tracer trace.Tracer) map[string]trace.Span {
	kinds := map[string]trace.SpanKind{"internal": trace.SpanKindInternal, "server": trace.SpanKindServer,
		"client": trace.SpanKindClient, "producer": trace.SpanKindProducer, "consumer": trace.SpanKindConsumer}
	entries := recording.Spans
	for n := range recording.ManySpans {
		entries = append(entries, Item{Name: fmt.Sprintf("item %d", n), Kind: "internal", Start: n, End: n + 1,
			Attributes: []Triple{{"n", "int", float64(n)}}})
	}
	spans := map[string]trace.Span{}
	for _, entry := range entries {
		parent := context.Background()
		if entry.Parent != "" {
			parent = trace.ContextWithSpan(parent, spans[entry.Parent])
		}
		links := []trace.Link{}
		for _, link := range entry.Links {
			links = append(links, trace.Link{SpanContext: spans[link.To].SpanContext(), Attributes: attributes(link.Attributes)})
		}
		_, span := tracer.Start(parent, entry.Name, trace.WithSpanKind(kinds[entry.Kind]), trace.WithLinks(links...),
			trace.WithAttributes(attributes(entry.Attributes)...), trace.WithTimestamp(recording.at(entry.Start)))
		for _, event := range entry.Events {
			span.AddEvent(event.Name, trace.WithAttributes(attributes(event.Attributes)...), trace.WithTimestamp(recording.at(event.At)))
		}
		if entry.Status != nil {
			span.SetStatus(map[string]codes.Code{"ok": codes.Ok, "error": codes.Error}[entry.Status[0]], entry.Status[1])
		}
		spans[entry.Name] = span
		span.End(trace.WithTimestamp(recording.at(entry.End)))
	}
	return spans
}

func playMetrics(recording Recording, meter metric.Meter) {
	for _, entry := range recording.Metrics {
		if entry.Number == "int" {
			playInts(entry, meter)
		} else {
			playDoubles(entry, meter)
		}
	}
}

func playInts(entry Instrument, meter metric.Meter) {
	unit, about := metric.WithUnit(entry.Unit), metric.WithDescription(entry.Description)
	callback := metric.WithInt64Callback(func(_ context.Context, observer metric.Int64Observer) error {
		for _, record := range entry.Records {
			observer.Observe(int64(record.Value), metric.WithAttributeSet(record.Attributes))
		}
		return nil
	})
	each := func(record func(int64, metric.MeasurementOption)) {
		for _, one := range entry.Records {
			record(int64(one.Value), metric.WithAttributeSet(one.Attributes))
		}
	}
	ctx := context.Background()
	switch entry.Kind {
	case "counter":
		instrument := must(meter.Int64Counter(entry.Name, unit, about))
		each(func(value int64, own metric.MeasurementOption) { instrument.Add(ctx, value, own) })
	case "up_down_counter":
		instrument := must(meter.Int64UpDownCounter(entry.Name, unit, about))
		each(func(value int64, own metric.MeasurementOption) { instrument.Add(ctx, value, own) })
	case "histogram":
		instrument := must(meter.Int64Histogram(entry.Name, unit, about))
		each(func(value int64, own metric.MeasurementOption) { instrument.Record(ctx, value, own) })
	case "observable_counter":
		must(meter.Int64ObservableCounter(entry.Name, unit, about, callback))
	case "observable_up_down_counter":
		must(meter.Int64ObservableUpDownCounter(entry.Name, unit, about, callback))
	default:
		check(fmt.Errorf("%s: no instrument of integers is a %s", entry.Name, entry.Kind))
	}
}

func playDoubles(entry Instrument, meter metric.Meter) {
	unit, about := metric.WithUnit(entry.Unit), metric.WithDescription(entry.Description)
	each := func(record func(float64, metric.MeasurementOption)) {
		for _, one := range entry.Records {
			record(one.Value, metric.WithAttributeSet(one.Attributes))
		}
	}
	ctx := context.Background()
	switch entry.Kind {
	case "counter":
		instrument := must(meter.Float64Counter(entry.Name, unit, about))
		each(func(value float64, own metric.MeasurementOption) { instrument.Add(ctx, value, own) })
	case "histogram", "exponential_histogram":
		instrument := must(meter.Float64Histogram(entry.Name, unit, about))
		each(func(value float64, own metric.MeasurementOption) { instrument.Record(ctx, value, own) })
	case "gauge":
		instrument := must(meter.Float64Gauge(entry.Name, unit, about))
		each(func(value float64, own metric.MeasurementOption) { instrument.Record(ctx, value, own) })
	case "observable_gauge":
		must(meter.Float64ObservableGauge(entry.Name, unit, about,
			metric.WithFloat64Callback(func(_ context.Context, observer metric.Float64Observer) error {
				each(func(value float64, own metric.MeasurementOption) { observer.Observe(value, own) })
				return nil
			})))
	default:
		check(fmt.Errorf("%s: no instrument of floating-point numbers is a %s", entry.Name, entry.Kind))
	}
}

func playLogs(recording Recording, logger log.Logger, spans map[string]trace.Span) {
	entries := recording.Logs
	for n := range recording.ManyLogs {
		entries = append(entries, Item{At: n, Severity: []any{9.0, "INFO"}, Body: []any{"string", fmt.Sprintf("line %d", n)},
			Attributes: []Triple{{"n", "int", float64(n)}}})
	}
	for _, entry := range entries {
		ctx := context.Background()
		if entry.Span != "" {
			ctx = trace.ContextWithSpan(ctx, spans[entry.Span])
		}
		var record log.Record
		record.SetTimestamp(recording.at(entry.At))
		record.SetSeverity(log.Severity(toInt(entry.Severity[0])))
		record.SetSeverityText(toString(entry.Severity[1]))
		record.SetBody(valueOf(toString(entry.Body[0]), entry.Body[1]))
		record.AddAttributes(attributes(entry.Attributes)...)
		logger.Emit(ctx, record)
	}
}

func play(recording Recording, wanted Case) {
	ctx := context.Background()
	about := resource.NewSchemaless(append(attributes(recording.Resource), attribute.String("service.name", "go"),
		attribute.String("service.instance.id", wanted.Name))...)
	to := must(exportersOf(ctx, wanted))
	tracers := sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithBatcher(to.spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithResource(about),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(to.metrics, sdkmetric.WithInterval(time.Hour))),
		sdkmetric.WithView(sdkmetric.NewView(sdkmetric.Instrument{Name: "body_size"},
			sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}})))
	loggers := sdklog.NewLoggerProvider(sdklog.WithResource(about), sdklog.WithProcessor(sdklog.NewBatchProcessor(to.logs)))

	name, version := recording.Scope.Name, recording.Scope.Version
	spans := playSpans(recording, tracers.Tracer(name, trace.WithInstrumentationVersion(version)))
	playMetrics(recording, meters.Meter(name, metric.WithInstrumentationVersion(version)))
	playLogs(recording, loggers.Logger(name, log.WithInstrumentationVersion(version)), spans)
	// Shutting down sends what is left, once.
	for _, shutdown := range []func(context.Context) error{tracers.Shutdown, meters.Shutdown, loggers.Shutdown} {
		check(shutdown(ctx))
	}
	ids := map[string][2]string{}
	for name, span := range spans {
		ids[name] = [2]string{span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String()}
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"case": wanted.Name, "spans": ids}))
}

func main() {
	var recording Recording
	var cases []Case
	check(json.Unmarshal(must(os.ReadFile(os.Args[1])), &recording))
	check(json.Unmarshal(must(os.ReadFile(os.Args[2])), &cases))
	for _, wanted := range cases {
		play(recording, wanted)
	}
}
