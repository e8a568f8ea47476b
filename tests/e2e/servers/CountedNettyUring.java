// SPDX-License-Identifier: Apache-2.0
// Netty on its io_uring transport. /missing answers 404, /broken 500, /big 2 MB, all else 200.
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.*;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.handler.codec.http.*;

public class CountedNettyUring {
  static final byte[] BIG = new byte[2_000_000];

  static class Handler extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      HttpResponseStatus status = switch (request.uri()) {
        case "/missing" -> HttpResponseStatus.NOT_FOUND;
        case "/broken" -> HttpResponseStatus.INTERNAL_SERVER_ERROR;
        default -> HttpResponseStatus.OK;
      };
      byte[] body = request.uri().equals("/big") ? BIG : new byte[] {'o', 'k'};
      var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(body));
      response.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.length);
      ChannelFuture written = context.writeAndFlush(response);
      if (!HttpUtil.isKeepAlive(request)) written.addListener(ChannelFutureListener.CLOSE);
    }
  }

  public static void main(String[] arguments) throws Exception {
    new ServerBootstrap().group(new MultiThreadIoEventLoopGroup(2, IoUringIoHandler.newFactory()))
        .channel(IoUringServerSocketChannel.class).childOption(ChannelOption.TCP_NODELAY, true)
        .childHandler(new ChannelInitializer<SocketChannel>() {
          @Override
          protected void initChannel(SocketChannel channel) {
            channel.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 20), new Handler());
          }
        }).bind("127.0.0.1", Integer.parseInt(arguments[0])).sync().channel().closeFuture().sync();
  }
}
