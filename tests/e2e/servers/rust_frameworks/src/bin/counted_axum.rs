// SPDX-License-Identifier: Apache-2.0
use axum::{body::Bytes, http::StatusCode, http::Uri, Router};

async fn answer(uri: Uri, _body: Bytes) -> (StatusCode, &'static str) {
    let status = match uri.path() {
        "/missing" => StatusCode::NOT_FOUND,
        "/broken" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    };
    (status, "ok")
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let port = std::env::args().nth(1).expect("a port");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    axum::serve(listener, Router::new().fallback(answer)).await.unwrap();
}
