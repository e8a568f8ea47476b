// SPDX-License-Identifier: Apache-2.0
use actix_web::{web, App, HttpRequest, HttpResponse, HttpServer};

async fn answer(request: HttpRequest, _body: web::Bytes) -> HttpResponse {
    match request.path() {
        "/missing" => HttpResponse::NotFound(),
        "/broken" => HttpResponse::InternalServerError(),
        _ => HttpResponse::Ok(),
    }
    .body("ok")
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::args().nth(1).expect("a port").parse().expect("a number");
    HttpServer::new(|| App::new().default_service(web::to(answer))).workers(2).bind(("127.0.0.1", port))?.run().await
}
