# SPDX-License-Identifier: Apache-2.0
use Mojolicious::Lite -signatures;
my %status = ('/missing' => 404, '/broken' => 500);
app->log->level('fatal');
any '/*rest' => {rest => ''} => sub ($c) {
  $c->render(text => 'ok', status => $status{$c->req->url->path->to_string} || 200);
};
app->start;
