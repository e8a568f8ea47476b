# SPDX-License-Identifier: Apache-2.0
statuses = { '/missing' => 404, '/broken' => 500 }
run lambda { |environment|
  environment['rack.input']&.read
  [statuses.fetch(environment['PATH_INFO'], 200), { 'content-type' => 'text/plain', 'content-length' => '2' }, ['ok']]
}
