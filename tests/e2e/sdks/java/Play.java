// SPDX-License-Identifier: Apache-2.0
// Plays recording.json with the OpenTelemetry SDK of Java, once for each case, and prints the ids it gave.
//
// usage: Play RECORDING CASES; both are JSON files. test_sdks.py says what a case is.

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.metrics.Aggregation;
import io.opentelemetry.sdk.metrics.InstrumentSelector;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.View;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;

public final class Play {
  private final JsonObject recording;
  private final long epoch;

  private Play(JsonObject recording) {
    this.recording = recording;
    this.epoch = TimeUnit.SECONDS.toNanos(recording.get("epoch_seconds").getAsLong());
  }

  private static String text(JsonObject from, String name) {
    return from.has(name) ? from.get(name).getAsString() : null;
  }

  private static <T> List<T> list(JsonElement values, Function<JsonElement, T> convert) {
    List<T> converted = new ArrayList<>();
    values.getAsJsonArray().forEach(value -> converted.add(convert.apply(value)));
    return converted;
  }

  private static Attributes attributes(JsonElement triples) {
    AttributesBuilder made = Attributes.builder();
    for (JsonElement element : triples.getAsJsonArray()) {
      JsonArray triple = element.getAsJsonArray();
      String key = triple.get(0).getAsString();
      JsonElement value = triple.get(2);
      switch (triple.get(1).getAsString()) {
        case "string" -> made.put(key, value.getAsString());
        case "int" -> made.put(key, value.getAsLong());
        case "double" -> made.put(key, value.getAsDouble());
        case "bool" -> made.put(key, value.getAsBoolean());
        case "strings" -> made.put(AttributeKey.stringArrayKey(key), list(value, JsonElement::getAsString));
        case "ints" -> made.put(AttributeKey.longArrayKey(key), list(value, JsonElement::getAsLong));
        case "doubles" -> made.put(AttributeKey.doubleArrayKey(key), list(value, JsonElement::getAsDouble));
        case "bools" -> made.put(AttributeKey.booleanArrayKey(key), list(value, JsonElement::getAsBoolean));
        default -> throw new IllegalArgumentException("no attribute can be " + element);
      }
    }
    return made.build();
  }

  private static Value<?> body(JsonArray kindAndValue) {
    JsonElement value = kindAndValue.get(1);
    return switch (kindAndValue.get(0).getAsString()) {
      case "string" -> Value.of(value.getAsString());
      case "int" -> Value.of(value.getAsLong());
      case "double" -> Value.of(value.getAsDouble());
      case "bool" -> Value.of(value.getAsBoolean());
      case "map" -> Value.of(list(value, element -> {
        JsonArray triple = element.getAsJsonArray().deepCopy();
        String key = triple.remove(0).getAsString();
        return KeyValue.of(key, body(triple));
      }).toArray(new KeyValue[0]));
      default -> throw new IllegalArgumentException("no body can be " + kindAndValue);
    };
  }

  private void end(Span span, JsonObject entry) {
    span.end(epoch + entry.get("end").getAsLong(), TimeUnit.NANOSECONDS);
  }

  private Map<String, Span> playSpans(Tracer tracer) {
    Map<String, Span> spans = new LinkedHashMap<>();
    for (JsonElement element : recording.getAsJsonArray("spans")) {
      JsonObject entry = element.getAsJsonObject();
      var builder = tracer.spanBuilder(text(entry, "name"))
          .setSpanKind(SpanKind.valueOf(text(entry, "kind").toUpperCase(Locale.ROOT)))
          .setStartTimestamp(epoch + entry.get("start").getAsLong(), TimeUnit.NANOSECONDS)
          .setAllAttributes(attributes(entry.get("attributes")));
      if (entry.has("parent")) {
        builder.setParent(Context.root().with(spans.get(text(entry, "parent"))));
      } else {
        builder.setNoParent();
      }
      if (entry.has("links")) {
        for (JsonElement link : entry.getAsJsonArray("links")) {
          JsonObject to = link.getAsJsonObject();
          builder.addLink(spans.get(text(to, "to")).getSpanContext(), attributes(to.get("attributes")));
        }
      }
      Span span = builder.startSpan();
      if (entry.has("events")) {
        for (JsonElement each : entry.getAsJsonArray("events")) {
          JsonObject event = each.getAsJsonObject();
          span.addEvent(text(event, "name"), attributes(event.get("attributes")), epoch + event.get("at").getAsLong(),
              TimeUnit.NANOSECONDS);
        }
      }
      if (entry.has("status")) {
        JsonArray status = entry.getAsJsonArray("status");
        span.setStatus(StatusCode.valueOf(status.get(0).getAsString().toUpperCase(Locale.ROOT)), status.get(1).getAsString());
      }
      spans.put(text(entry, "name"), span);
      end(span, entry);
    }
    for (long n = 0; n < recording.get("many_spans").getAsLong(); ++n) {
      Span span = tracer.spanBuilder("item " + n).setNoParent().setAttribute("n", n)
          .setStartTimestamp(epoch + n, TimeUnit.NANOSECONDS).startSpan();
      spans.put("item " + n, span);
      span.end(epoch + n + 1, TimeUnit.NANOSECONDS);
    }
    return spans;
  }

  /** Gives each recorded value with its attributes to `record`. */
  private static void each(JsonObject entry, BiConsumer<Double, Attributes> record) {
    for (JsonElement element : entry.getAsJsonArray("records")) {
      JsonArray pair = element.getAsJsonArray();
      record.accept(pair.get(0).getAsDouble(), attributes(pair.get(1)));
    }
  }

  private void playMetrics(Meter meter) {
    for (JsonElement element : recording.getAsJsonArray("metrics")) {
      JsonObject entry = element.getAsJsonObject();
      String name = text(entry, "name");
      String unit = text(entry, "unit");
      String about = text(entry, "description");
      switch (text(entry, "kind") + " " + text(entry, "number")) {
        case "counter int" -> {
          var counter = meter.counterBuilder(name).setUnit(unit).setDescription(about).build();
          each(entry, (value, own) -> counter.add(value.longValue(), own));
        }
        case "counter double" -> {
          var counter = meter.counterBuilder(name).setUnit(unit).setDescription(about).ofDoubles().build();
          each(entry, counter::add);
        }
        case "up_down_counter int" -> {
          var counter = meter.upDownCounterBuilder(name).setUnit(unit).setDescription(about).build();
          each(entry, (value, own) -> counter.add(value.longValue(), own));
        }
        case "histogram int" -> {
          var histogram = meter.histogramBuilder(name).setUnit(unit).setDescription(about).ofLongs().build();
          each(entry, (value, own) -> histogram.record(value.longValue(), own));
        }
        case "histogram double", "exponential_histogram double" -> {
          var histogram = meter.histogramBuilder(name).setUnit(unit).setDescription(about).build();
          each(entry, histogram::record);
        }
        case "gauge double" -> {
          var gauge = meter.gaugeBuilder(name).setUnit(unit).setDescription(about).build();
          each(entry, gauge::set);
        }
        case "observable_counter int" -> meter.counterBuilder(name).setUnit(unit).setDescription(about)
            .buildWithCallback(result -> each(entry, (value, own) -> result.record(value.longValue(), own)));
        case "observable_up_down_counter int" -> meter.upDownCounterBuilder(name).setUnit(unit).setDescription(about)
            .buildWithCallback(result -> each(entry, (value, own) -> result.record(value.longValue(), own)));
        case "observable_gauge double" -> meter.gaugeBuilder(name).setUnit(unit).setDescription(about)
            .buildWithCallback(result -> each(entry, result::record));
        default -> throw new IllegalArgumentException("no instrument is " + entry);
      }
    }
  }

  private void playLogs(Logger logger, Map<String, Span> spans) {
    for (JsonElement element : recording.getAsJsonArray("logs")) {
      JsonObject entry = element.getAsJsonObject();
      JsonArray severity = entry.getAsJsonArray("severity");
      Context context = entry.has("span") ? Context.root().with(spans.get(text(entry, "span"))) : Context.root();
      logger.logRecordBuilder().setTimestamp(epoch + entry.get("at").getAsLong(), TimeUnit.NANOSECONDS).setContext(context)
          .setSeverity(Severity.values()[severity.get(0).getAsInt()]).setSeverityText(severity.get(1).getAsString())
          .setBody(body(entry.getAsJsonArray("body"))).setAllAttributes(attributes(entry.get("attributes"))).emit();
    }
    for (long n = 0; n < recording.get("many_logs").getAsLong(); ++n) {
      logger.logRecordBuilder().setTimestamp(epoch + n, TimeUnit.NANOSECONDS).setContext(Context.root())
          .setSeverity(Severity.INFO).setSeverityText("INFO").setBody("line " + n).setAttribute(AttributeKey.longKey("n"), n).emit();
    }
  }

  private void play(JsonObject wanted) throws Exception {
    String name = text(wanted, "name");
    Resource resource = Resource.create(attributes(recording.get("resource")).toBuilder()
        .put("service.name", "java").put("service.instance.id", name).build());
    Exporters to = Exporters.of(wanted);
    JsonObject scope = recording.getAsJsonObject("scope");
    Map<String, Span> spans;
    // Closing sends what is left, once.
    try (SdkTracerProvider tracers = SdkTracerProvider.builder().setResource(resource)
            .addSpanProcessor(BatchSpanProcessor.builder(to.spans()).build()).build();
        SdkMeterProvider meters = SdkMeterProvider.builder().setResource(resource)
            .registerMetricReader(PeriodicMetricReader.builder(to.metrics()).setInterval(Duration.ofHours(1)).build())
            .registerView(InstrumentSelector.builder().setName("body_size").build(),
                View.builder().setAggregation(Aggregation.base2ExponentialBucketHistogram()).build()).build();
        SdkLoggerProvider loggers = SdkLoggerProvider.builder().setResource(resource)
            .addLogRecordProcessor(BatchLogRecordProcessor.builder(to.logs()).build()).build()) {
      String library = text(scope, "name");
      String version = text(scope, "version");
      spans = playSpans(tracers.tracerBuilder(library).setInstrumentationVersion(version).build());
      playMetrics(meters.meterBuilder(library).setInstrumentationVersion(version).build());
      playLogs(loggers.loggerBuilder(library).setInstrumentationVersion(version).build(), spans);
    }
    JsonObject ids = new JsonObject();
    spans.forEach((of, span) -> {
      JsonArray pair = new JsonArray();
      pair.add(span.getSpanContext().getTraceId());
      pair.add(span.getSpanContext().getSpanId());
      ids.add(of, pair);
    });
    JsonObject answer = new JsonObject();
    answer.addProperty("case", name);
    answer.add("spans", ids);
    System.out.println(answer);
  }

  public static void main(String[] arguments) throws Exception {
    Play play = new Play(JsonParser.parseString(Files.readString(Path.of(arguments[0]))).getAsJsonObject());
    for (JsonElement wanted : JsonParser.parseString(Files.readString(Path.of(arguments[1]))).getAsJsonArray()) {
      play.play(wanted.getAsJsonObject());
    }
    System.exit(0);  // The HTTP client's threads would linger.
  }
}
