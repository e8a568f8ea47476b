# SPDX-License-Identifier: Apache-2.0
use HTTP::Daemon;
use HTTP::Response;
$SIG{CHLD} = 'IGNORE';
my $daemon = HTTP::Daemon->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], ReuseAddr => 1, Listen => 128) or die;
while (my $connection = $daemon->accept) {
  next if fork;
  while (my $request = $connection->get_request) {
    my %status = ('/missing' => 404, '/broken' => 500);
    $connection->send_response(HTTP::Response->new($status{$request->uri->path} || 200, undef, ['Content-Length' => 2], 'ok'));
  }
  exit 0;
}
