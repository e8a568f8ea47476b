// SPDX-License-Identifier: Apache-2.0

import com.google.gson.JsonObject;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The exporters that a case asks for. */
record Exporters(SpanExporter spans, MetricExporter metrics, LogRecordExporter logs) {
  private static byte[] read(JsonObject wanted, String name) throws IOException {
    return Files.readAllBytes(Path.of(wanted.get(name).getAsString()));
  }

  static Exporters of(JsonObject wanted) throws IOException {
    return wanted.get("protocol").getAsString().equals("grpc") ? overGrpc(wanted) : overHttp(wanted);
  }

  private static Exporters overGrpc(JsonObject wanted) throws IOException {
    String endpoint = wanted.get("endpoint").getAsString();
    String compression = wanted.get("compression").getAsString();
    var spans = OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression(compression);
    var metrics = OtlpGrpcMetricExporter.builder().setEndpoint(endpoint).setCompression(compression);
    var logs = OtlpGrpcLogRecordExporter.builder().setEndpoint(endpoint).setCompression(compression);
    if (wanted.has("ca")) {
      byte[] ca = read(wanted, "ca");
      spans.setTrustedCertificates(ca);
      metrics.setTrustedCertificates(ca);
      logs.setTrustedCertificates(ca);
    }
    if (wanted.has("cert")) {
      byte[] key = read(wanted, "key");
      byte[] certificate = read(wanted, "cert");
      spans.setClientTls(key, certificate);
      metrics.setClientTls(key, certificate);
      logs.setClientTls(key, certificate);
    }
    return new Exporters(spans.build(), metrics.build(), logs.build());
  }

  private static Exporters overHttp(JsonObject wanted) throws IOException {
    String endpoint = wanted.get("endpoint").getAsString();
    String compression = wanted.get("compression").getAsString();
    var spans = OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").setCompression(compression);
    var metrics = OtlpHttpMetricExporter.builder().setEndpoint(endpoint + "/v1/metrics").setCompression(compression);
    var logs = OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint + "/v1/logs").setCompression(compression);
    if (wanted.has("ca")) {
      byte[] ca = read(wanted, "ca");
      spans.setTrustedCertificates(ca);
      metrics.setTrustedCertificates(ca);
      logs.setTrustedCertificates(ca);
    }
    if (wanted.has("cert")) {
      byte[] key = read(wanted, "key");
      byte[] certificate = read(wanted, "cert");
      spans.setClientTls(key, certificate);
      metrics.setClientTls(key, certificate);
      logs.setClientTls(key, certificate);
    }
    return new Exporters(spans.build(), metrics.build(), logs.build());
  }
}
