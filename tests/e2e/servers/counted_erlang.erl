% SPDX-License-Identifier: Apache-2.0
-module(counted_erlang).
-export([main/1, do/1]).
-include_lib("inets/include/httpd.hrl").

main([Port]) ->
    {ok, _} = application:ensure_all_started(inets),
    % Loaded one by one while the first request is served, as Erlang does by itself, they sometimes make inets fail it
    % where loading takes long, as on an emulated machine.
    {ok, Modules} = application:get_key(inets, modules),
    ok = code:ensure_modules_loaded(Modules),
    {ok, _} = inets:start(httpd, [{port, list_to_integer(Port)}, {bind_address, {127, 0, 0, 1}},
        {server_name, "counted"}, {server_root, "/tmp"}, {document_root, "/tmp"}, {modules, [?MODULE]}]),
    receive stop -> ok end.

do(#mod{request_uri = Uri}) ->
    Status = case Uri of "/missing" -> 404; "/broken" -> 500; _ -> 200 end,
    {proceed, [{response, {response, [{code, Status}, {content_length, "2"}], "ok"}}]}.
