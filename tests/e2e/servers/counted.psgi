# SPDX-License-Identifier: Apache-2.0
my %status = ('/missing' => 404, '/broken' => 500);
sub {
  my $environment = shift;
  my $length = $environment->{CONTENT_LENGTH} || 0;
  $environment->{'psgi.input'}->read(my $body, $length) if $length;
  return [$status{$environment->{PATH_INFO}} || 200, ['Content-Type' => 'text/plain', 'Content-Length' => 2], ['ok']];
};
