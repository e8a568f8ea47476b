# SPDX-License-Identifier: Apache-2.0
# frozen_string_literal: true

# Reviews: WEBrick. A sku with sku % 60 == 11 finds the reviews unavailable.
require 'json'
require 'socket'
require 'webrick'

def drag
  sleep(Float(File.read(ENV.fetch('DEMO_SLOW_FILE'))) / 1000)
rescue SystemCallError, ArgumentError
  nil
end

# One write an answer: WEBrick sends head and body apart, and Nagle would hold the second.
server = WEBrick::HTTPServer.new(
  BindAddress: '127.0.0.1', Port: Integer(ENV.fetch('PORT')), AccessLog: [], DoNotReverseLookup: true,
  Logger: WEBrick::Log.new($stderr, WEBrick::Log::WARN),
  AcceptCallback: ->(socket) { socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1) }
)
server.mount_proc('/healthz') { |_, response| response.body = "ok\n" }
server.mount_proc('/reviews') do |request, response|
  drag
  sku = request.path.split('/').last.to_i
  response.content_type = 'application/json'
  if sku % 60 == 11
    response.status = 503
    response.body = JSON.generate(error: 'try later')
  else
    response.body = JSON.generate(sku: sku, stars: (sku % 5) + 1)
  end
end
trap('TERM') { server.shutdown }
server.start
