// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"google.golang.org/grpc/credentials"
)

type Case struct {
	Name, Protocol, Compression, Endpoint, CA, Cert, Key string
}

type exporters struct {
	spans   *otlptrace.Exporter
	metrics sdkmetric.Exporter
	logs    sdklog.Exporter
}

func tlsOf(wanted Case) (*tls.Config, error) {
	pem, err := os.ReadFile(wanted.CA)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("the authority's file has no certificate")
	}
	if wanted.Cert != "" {
		own, err := tls.LoadX509KeyPair(wanted.Cert, wanted.Key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}

func exportersOf(ctx context.Context, wanted Case) (made exporters, err error) {
	secure := &tls.Config{}
	if wanted.CA != "" {
		if secure, err = tlsOf(wanted); err != nil {
			return
		}
	}
	var errs [3]error
	if wanted.Protocol == "grpc" {
		made, errs = overGrpc(ctx, wanted, credentials.NewTLS(secure))
	} else {
		made, errs = overHttp(ctx, wanted, secure)
	}
	return made, errors.Join(errs[:]...)
}

// The scheme of the endpoint says whether it is encrypted.
func overGrpc(ctx context.Context, wanted Case, secure credentials.TransportCredentials) (made exporters, errs [3]error) {
	spans := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(wanted.Endpoint)}
	metrics := []otlpmetricgrpc.Option{otlpmetricgrpc.WithEndpointURL(wanted.Endpoint)}
	logs := []otlploggrpc.Option{otlploggrpc.WithEndpointURL(wanted.Endpoint)}
	if wanted.CA != "" {
		spans = append(spans, otlptracegrpc.WithTLSCredentials(secure))
		metrics = append(metrics, otlpmetricgrpc.WithTLSCredentials(secure))
		logs = append(logs, otlploggrpc.WithTLSCredentials(secure))
	}
	if wanted.Compression == "gzip" {
		spans = append(spans, otlptracegrpc.WithCompressor("gzip"))
		metrics = append(metrics, otlpmetricgrpc.WithCompressor("gzip"))
		logs = append(logs, otlploggrpc.WithCompressor("gzip"))
	}
	made.spans, errs[0] = otlptracegrpc.New(ctx, spans...)
	made.metrics, errs[1] = otlpmetricgrpc.New(ctx, metrics...)
	made.logs, errs[2] = otlploggrpc.New(ctx, logs...)
	return
}

func overHttp(ctx context.Context, wanted Case, secure *tls.Config) (made exporters, errs [3]error) {
	spans := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(wanted.Endpoint + "/v1/traces")}
	metrics := []otlpmetrichttp.Option{otlpmetrichttp.WithEndpointURL(wanted.Endpoint + "/v1/metrics")}
	logs := []otlploghttp.Option{otlploghttp.WithEndpointURL(wanted.Endpoint + "/v1/logs")}
	if wanted.CA != "" {
		spans = append(spans, otlptracehttp.WithTLSClientConfig(secure))
		metrics = append(metrics, otlpmetrichttp.WithTLSClientConfig(secure))
		logs = append(logs, otlploghttp.WithTLSClientConfig(secure))
	}
	if wanted.Compression == "gzip" {
		spans = append(spans, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		metrics = append(metrics, otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
		logs = append(logs, otlploghttp.WithCompression(otlploghttp.GzipCompression))
	}
	made.spans, errs[0] = otlptracehttp.New(ctx, spans...)
	made.metrics, errs[1] = otlpmetrichttp.New(ctx, metrics...)
	made.logs, errs[2] = otlploghttp.New(ctx, logs...)
	return
}
