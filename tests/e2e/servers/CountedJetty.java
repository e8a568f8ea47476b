// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.net.InetSocketAddress;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.AbstractHandler;

public class CountedJetty {
  public static void main(String[] arguments) throws Exception {
    Server server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
    server.setHandler(new AbstractHandler() {
      @Override
      public void handle(String target, Request request, HttpServletRequest in, HttpServletResponse out)
          throws IOException {
        out.setStatus(switch (target) { case "/missing" -> 404; case "/broken" -> 500; default -> 200; });
        out.getOutputStream().write(new byte[] {'o', 'k'});
        request.setHandled(true);
      }
    });
    server.start();
    server.join();
  }
}
