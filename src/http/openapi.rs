//! The server's description of itself: OpenAPI 3.1 (<https://spec.openapis.org/oas/v3.1.1>), made of the handlers' own.

use serde_json::{Map, Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::farm::JobSelector;
use crate::farm::wire::{FindingsFormat, FlagText, Problem};
use crate::model::{GroupBy, Stream};

/// What the handlers' descriptions refer to beside their own types.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "crafting",
        description = "A build farm: projects, the jobs that run their recipes, and the findings in what these print.\n\n\
            Whoever asks shows a bearer, and sees what belongs to its token: somebody else's things answer as if they \
            did not exist. Every answer in JSON has the member `ok`; what was refused is a problem (RFC 9457). Each \
            answer has an `X-Request-Id`, taken from the request if it has one. Times are seconds since 1970 with \
            milliseconds as a fraction.",
        license(name = "MIT")
    ),
    components(schemas(FindingsFormat, FlagText, GroupBy, JobSelector, Problem, Stream)),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "projects", description = "Repositories under a name, with their subprojects and recipes."),
        (name = "jobs", description = "Runs of recipes: queued, followed, cancelled, tried again."),
        (name = "findings", description = "What tools found, read out of the jobs' logs."),
        (name = "secrets", description = "Values that recipes get and nobody sees."),
        (name = "uploads", description = "Commits that the server lacks, such as uncommitted work."),
        (name = "admin", description = "For administrators: tokens, and who did what."),
        (name = "server", description = "How the server is. Needs no bearer."),
    )
)]
pub(super) struct Described;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("ct_…")
            .description(Some("A token's bearer, as `crafting token mint` prints it once."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The whole document, with the answers that every route may give for reasons that are not its own.
pub(super) fn document(described: &utoipa::openapi::OpenApi) -> Value {
    // It is made of strings and maps with strings for keys.
    let mut document = serde_json::to_value(described).unwrap_or_default();
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in paths.flat_map(|path| path.as_object_mut()).flat_map(|path| path.values_mut()) {
        complete(operation);
    }
    forget_unused_tags(&mut document);
    document
}

fn complete(operation: &mut Value) {
    let public = is_public(operation);
    let mut answers = vec![
        (400, "The request is broken."),
        (403, "The caller may not do this, or not from there."),
        (429, "Too many requests; the header Retry-After says when to ask again."),
        (500, "Something went wrong in the server, whose log says more."),
    ];
    if !public {
        answers.push((401, "There is no valid bearer with the request."));
        answers.push((503, "The server takes nothing more just now."));
    }
    if operation.get("parameters").is_some() || operation.get("requestBody").is_some() {
        answers.push((422, "The request cannot be understood; `errors` says which part of it."));
    }
    let named = |parameter: &Value| parameter["in"] == "path";
    if operation["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(named)) {
        answers.push((404, "There is nothing of that name, or it is somebody else's."));
    }
    if operation.get("requestBody").is_some() {
        answers.push((408, "The body did not arrive in time."));
        answers.push((413, "The body is too large."));
        answers.push((415, "The body is not of the type that is taken."));
    }
    let Some(operation) = operation.as_object_mut() else { return };
    let responses = operation.entry("responses").or_insert_with(|| Value::Object(Map::new()));
    for (status, description) in answers {
        if responses.get(status.to_string()).is_none() {
            responses[status.to_string()] = json!({
                "description": description,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            });
        }
    }
}

/// Whether an operation needs no bearer.
pub(super) fn is_public(operation: &Value) -> bool {
    let security = operation.get("security").and_then(Value::as_array);
    security.is_some_and(|ways| ways.iter().any(|way| way.as_object().is_some_and(Map::is_empty)))
}

fn forget_unused_tags(document: &mut Value) {
    let paths = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let operations = paths.flat_map(|path| path.as_object()).flat_map(|path| path.values());
    let used: Vec<String> = operations
        .flat_map(|operation| operation["tags"].as_array().into_iter().flatten())
        .filter_map(|tag| tag.as_str().map(str::to_owned))
        .collect();
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.retain(|tag| used.iter().any(|used| tag["name"] == used.as_str()));
    }
}
