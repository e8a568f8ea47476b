// SPDX-License-Identifier: Apache-2.0
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.*;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.*;

public class CountedNetty {
  static class Handler extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      HttpResponseStatus status = switch (request.uri()) {
        case "/missing" -> HttpResponseStatus.NOT_FOUND;
        case "/broken" -> HttpResponseStatus.INTERNAL_SERVER_ERROR;
        default -> HttpResponseStatus.OK;
      };
      var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status,
          Unpooled.wrappedBuffer(new byte[] {'o', 'k'}));
      response.headers().set(HttpHeaderNames.CONTENT_LENGTH, 2);
      ChannelFuture written = context.writeAndFlush(response);
      if (!HttpUtil.isKeepAlive(request)) written.addListener(ChannelFutureListener.CLOSE);
    }
  }

  public static void main(String[] arguments) throws Exception {
    new ServerBootstrap().group(new NioEventLoopGroup(2)).channel(NioServerSocketChannel.class)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childHandler(new ChannelInitializer<SocketChannel>() {
          @Override
          protected void initChannel(SocketChannel channel) {
            channel.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 20), new Handler());
          }
        }).bind("127.0.0.1", Integer.parseInt(arguments[0])).sync().channel().closeFuture().sync();
  }
}
