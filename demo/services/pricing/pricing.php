<?php
// SPDX-License-Identifier: Apache-2.0
// Pricing: PHP's built-in server with this router. It closes every connection, so its callers open fresh ones.
// A sku with sku % 40 == 7 takes 60 ms longer.

function drag(): void
{
    $text = @file_get_contents(getenv('DEMO_SLOW_FILE'));
    if (is_numeric(trim((string) $text))) {
        usleep((int) (1000 * (float) $text));
    }
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
header('Content-Type: application/json');
if ($path === '/healthz') {
    echo '"ok"';
} elseif (preg_match('#^/price/(\d+)$#', $path, $match)) {
    drag();
    $sku = (int) $match[1];
    if ($sku % 40 === 7) {
        usleep(60000);
    }
    echo json_encode(['sku' => $sku, 'cents' => 199 + 10 * $sku]);
} else {
    http_response_code(404);
    echo '{"error":"no such page"}';
}
return true;
