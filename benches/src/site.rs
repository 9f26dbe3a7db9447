//! A generated help site of many pages, made from this project's documentation. It is served on loopback for the crawl
//! benchmark, and its pages are used alone for the extraction benchmark.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use helpbot_test_support::prose::Prose;

/// Number of pages. Earlier results are for as many.
pub const PAGES: usize = 500;

/// Menus, styles and footer around the text of a page, about 12 KB.
const MENU_LINKS: usize = 120;
/// Number of document sections on one page, about 8 KB of text.
const SECTIONS: usize = 6;

/// Generates `count` pages in order, each with different words.
pub fn pages(count: usize) -> Vec<String> {
    let prose = Prose::of_documents();
    let menu: String = (0..MENU_LINKS)
        .map(|n| {
            format!(
                "<li class=\"menu-item level-{}\"><a href=\"/{}\" data-track=\"nav-{n}\">Entry {n}</a></li>",
                n % 3,
                n % count
            )
        })
        .collect();
    (0..count).map(|n| page(n, (n + 1) % count, &prose.html(n, SECTIONS), &menu)).collect()
}

fn page(number: usize, next: usize, body: &str, menu: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Article {number}</title>\
         <style>.menu-item{{color:#333;padding:0 1em}}</style></head><body><header><nav><ul>{menu}</ul></nav></header>\
         <main><h1>Article {number}</h1>{body}<p><a href=\"/{next}\">Next article</a></p></main>\
         <footer><ul>{menu}</ul></footer></body></html>"
    )
}

/// Serves the pages at `/0`, `/1` and so on, with entity tags, robots.txt and a sitemap. Returns the address.
///
/// # Errors
/// When no port is free.
pub async fn serve(pages: Vec<String>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let sitemap: String = (0..pages.len()).map(|n| format!("http://{addr}/{n}\n")).collect();
    let app = Router::new()
        .route(
            "/robots.txt",
            get(async move || format!("User-agent: *\nAllow: /\nSitemap: http://{addr}/sitemap.txt\n")),
        )
        .route("/sitemap.txt", get(async || sitemap))
        .route("/{number}", get(answer))
        .with_state(Arc::new(pages));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(addr)
}

async fn answer(State(pages): State<Arc<Vec<String>>>, Path(number): Path<usize>, headers: HeaderMap) -> Response {
    let Some(page) = pages.get(number) else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{number}\"");
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == *tag) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(header::ETAG, tag)], Html(page.clone())).into_response()
}
