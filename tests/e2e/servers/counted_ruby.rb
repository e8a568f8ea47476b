# SPDX-License-Identifier: Apache-2.0
require 'webrick'
server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: ARGV[0].to_i, AccessLog: [],
                                 Logger: WEBrick::Log.new(File::NULL))
server.mount_proc '/' do |request, response|
  response.status = { '/missing' => 404, '/broken' => 500 }.fetch(request.path, 200)
  response.body = 'ok'
end
server.start
