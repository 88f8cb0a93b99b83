//! `/openapi.json`, `/docs` and `/`: what the server says of itself. Made once, at the start.

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use utoipa::openapi::OpenApi;

use crate::http::{openapi, page};

/// The routes, for a document that describes all others.
pub(crate) fn routes(described: &OpenApi) -> Router {
    let document = openapi::document(described);
    let page = page::of(&document);
    let policy = page.policy;
    let (json, html) = (Bytes::from(document.to_string()), Bytes::from(page.html));
    let json = move || async move { ([(header::CONTENT_TYPE, "application/json")], json.clone()).into_response() };
    let html = move || async move {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, policy.as_str()),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        (headers, html.clone()).into_response()
    };
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/docs", get(html))
        .route("/openapi.json", get(json))
}
