// SPDX-License-Identifier: Apache-2.0

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Payments: the JDK's own server and client. Declines order n when n % 50 == 3 and breaks when n % 97 == 5. */
public final class Payments {
  private static final Pattern ID = Pattern.compile("\"id\"\\s*:\\s*(\\d+)");
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private static void drag() {
    try {
      String text = Files.readString(Path.of(System.getenv("DEMO_SLOW_FILE"))).trim();
      Thread.sleep((long) Double.parseDouble(text));
    } catch (IOException | NumberFormatException e) {
      // Not slow.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private static void charge(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    drag();
    Matcher match = ID.matcher(body);
    if (!match.find()) {
      answer(exchange, 400, "{\"error\":\"no id\"}");
      return;
    }
    long id = Long.parseLong(match.group(1));
    if (id % 50 == 3) {
      answer(exchange, 402, "{\"error\":\"declined\"}");
      return;
    }
    if (id % 97 == 5) {
      answer(exchange, 500, "{\"error\":\"bank is closed\"}");
      return;
    }
    try {
      HttpRequest request =
          HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + System.getenv("SHIPPING_PORT") + "/shipments"))
              .POST(HttpRequest.BodyPublishers.ofString("{\"order\":" + id + "}"))
              .build();
      HttpResponse<String> shipment = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
      answer(exchange, shipment.statusCode() == 201 ? 200 : 502, "{\"paid\":" + id + "}");
    } catch (IOException e) {
      answer(exchange, 502, "{\"error\":\"no shipping\"}");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answer(exchange, 503, "{}");
    }
  }

  public static void main(String[] args) throws IOException {
    int port = Integer.parseInt(System.getenv("PORT"));
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 64);
    server.createContext("/charge", Payments::charge);
    server.createContext("/healthz", exchange -> answer(exchange, 200, "\"ok\""));
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.start();
  }
}
