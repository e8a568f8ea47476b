<?php
// SPDX-License-Identifier: Apache-2.0
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
http_response_code(['/missing' => 404, '/broken' => 500][$path] ?? 200);
echo 'ok';
