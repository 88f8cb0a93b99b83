//! `/docs`: the description as a page for people. It is whole in itself: no script, and nothing from the network.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::openapi::is_public;
use crate::error::Code;

const STYLE: &str = include_str!("page.css");
/// Nested examples end there; a schema may hold itself.
const DEPTH: usize = 4;

/// A page and the policy that it is shown under.
pub(super) struct Page {
    pub(super) html: String,
    pub(super) policy: String,
}

/// The page of a description.
pub(super) fn of(document: &Value) -> Page {
    let writer = Writer { document, html: String::new() };
    // The one style sheet is named by its digest: nothing that got into the page otherwise would count.
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    Page { html: writer.page(), policy }
}

struct Writer<'a> {
    document: &'a Value,
    html: String,
}

/// Writing into a string cannot fail.
macro_rules! put {
    ($writer:expr, $($text:tt)*) => { let _ = write!($writer.html, $($text)*); };
}

impl<'a> Writer<'a> {
    fn page(mut self) -> String {
        let info = &self.document["info"];
        let title = escaped(text(&info["title"]));
        put!(self, "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}: HTTP API</title>");
        put!(self, "<meta name=viewport content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head>");
        put!(self, "<body><header><h1>{title}</h1><p>Version {}. For programs: ", escaped(text(&info["version"])));
        put!(
            self,
            "<a href=\"/openapi.json\">/openapi.json</a>, OpenAPI {}.</p>",
            escaped(text(&self.document["openapi"]))
        );
        self.prose(text(&info["description"]));
        put!(self, "</header><nav><ul>");
        let tags: Vec<&Value> = array(&self.document["tags"]).collect();
        for tag in &tags {
            put!(self, "<li><a href=\"#{0}\">{0}</a></li>", escaped(text(&tag["name"])));
        }
        put!(
            self,
            "<li><a href=\"#problems\">problems</a></li><li><a href=\"#schemas\">schemas</a></li></ul></nav><main>"
        );
        for tag in tags {
            let name = text(&tag["name"]);
            put!(self, "<h2 id=\"{0}\">{0}</h2>", escaped(name));
            self.prose(text(&tag["description"]));
            for (path, method, operation) in self.operations() {
                if array(&operation["tags"]).any(|tag| tag == name) {
                    self.operation(path, method, operation);
                }
            }
        }
        self.problems();
        self.schemas();
        put!(self, "</main></body></html>");
        self.html
    }

    fn operations(&self) -> Vec<(&'a str, &'a str, &'a Value)> {
        let paths = members(&self.document["paths"]);
        paths
            .flat_map(|(path, methods)| members(methods).map(move |(method, operation)| (path, method, operation)))
            .filter(|(_, _, operation)| operation.get("responses").is_some())
            .collect()
    }

    fn operation(&mut self, path: &str, method: &str, operation: &'a Value) {
        let id = format!("{method}{}", path.replace('/', "-").replace(['{', '}'], ""));
        let summary = text(&operation["summary"]);
        put!(self, "<details id=\"{}\"><summary><h3><span class=\"method {method}\">", escaped(&id));
        put!(self, "{}</span><code>{}</code>", method.to_uppercase(), escaped(path));
        put!(self, "<span class=what>{}</span></h3></summary><div>", inline(summary));
        self.prose(text(&operation["description"]));
        if is_public(operation) {
            self.prose("Needs no bearer.");
        }
        let parameters: Vec<&Value> = array(&operation["parameters"]).collect();
        if !parameters.is_empty() {
            put!(self, "<h4>Parameters</h4><dl>");
            for parameter in parameters {
                let place = text(&parameter["in"]);
                self.member(text(&parameter["name"]), &parameter["schema"], parameter["required"] == true, Some(place));
                put!(self, "<dd>{}</dd>", inline(text(&parameter["description"])));
            }
            put!(self, "</dl>");
        }
        for (kind, content) in members(&operation["requestBody"]["content"]) {
            put!(self, "<h4>Body</h4><p><code>{}</code> {}</p>", escaped(kind), self.type_of(&content["schema"]));
        }
        put!(self, "<h4>Answers</h4><dl>");
        for (status, answer) in members(&operation["responses"]) {
            put!(self, "<dt><code>{}</code> {}</dt>", escaped(status), inline(text(&answer["description"])));
            for (kind, content) in members(&answer["content"]) {
                put!(self, "<dd><code>{}</code> {}</dd>", escaped(kind), self.type_of(&content["schema"]));
            }
        }
        put!(
            self,
            "</dl><h4>With curl</h4><pre>{}</pre></div></details>",
            escaped(&self.curl(path, method, operation))
        );
    }

    /// How to ask it in a shell, with `CRAFTING_URL` and `CRAFTING_TOKEN` set.
    fn curl(&self, path: &str, method: &str, operation: &Value) -> String {
        let mut filled = String::new();
        for part in path.split_inclusive(['{', '}']) {
            match part.strip_suffix('}') {
                Some(name) => filled.push_str(&name.to_uppercase()),
                None => filled.push_str(part.trim_end_matches('{')),
            }
        }
        let needed = array(&operation["parameters"]).filter(|each| each["in"] == "query" && each["required"] == true);
        let query: Vec<String> = needed.map(|each| format!("{}=…", text(&each["name"]))).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let mut command = "curl".to_owned();
        if method != "get" {
            command.push_str(&format!(" -X {}", method.to_uppercase()));
        }
        command.push_str(&format!(" \"$CRAFTING_URL{filled}{query}\""));
        if !is_public(operation) {
            command.push_str(" \\\n  -H \"Authorization: Bearer $CRAFTING_TOKEN\"");
        }
        if let Some((kind, content)) = members(&operation["requestBody"]["content"]).next() {
            command.push_str(&format!(" \\\n  -H 'Content-Type: {kind}'"));
            match kind {
                "application/json" => command.push_str(&format!(" \\\n  -d '{}'", self.example(&content["schema"], 0))),
                _ => command.push_str(" \\\n  --data-binary @FILE"),
            }
        }
        command
    }

    /// A value that a schema would let through, of what it insists on.
    fn example(&self, schema: &Value, depth: usize) -> Value {
        if let Some(example) = schema.get("example").or_else(|| array(&schema["examples"]).next()) {
            return example.clone();
        }
        let schema = self.resolved(schema);
        if let Some(first) = array(&schema["enum"]).next() {
            return first.clone();
        }
        if let Some(example) = schema.get("example").or_else(|| schema.get("default")) {
            return example.clone();
        }
        if depth >= DEPTH {
            return Value::Null;
        }
        if let Some(one) = array(&schema["oneOf"]).chain(array(&schema["anyOf"])).find(|one| one["type"] != "null") {
            return self.example(one, depth + 1);
        }
        let kind = array(&schema["type"]).next().unwrap_or(&schema["type"]);
        match text(kind) {
            "string" => "…".into(),
            "integer" | "number" => 1.into(),
            "boolean" => false.into(),
            "array" => Value::Array(vec![self.example(&schema["items"], depth + 1)]),
            _ => {
                let required: Vec<&str> = array(&schema["required"]).filter_map(Value::as_str).collect();
                let wanted = members(&schema["properties"]).filter(|(name, _)| required.contains(name));
                let filled: Map<String, Value> =
                    wanted.map(|(name, property)| (name.to_owned(), self.example(property, depth + 1))).collect();
                Value::Object(filled)
            }
        }
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str().and_then(|place| place.strip_prefix('#')) {
            Some(pointer) => self.document.pointer(pointer).unwrap_or(schema),
            None => schema,
        }
    }

    fn problems(&mut self) {
        put!(self, "<h2 id=problems>problems</h2>");
        self.prose(
            "What was refused is an `application/problem+json` whose `type` leads here. `code` is the same word as in \
             the command line's JSON; beside it stands the exit status that the command line has for it.",
        );
        put!(self, "<dl>");
        for code in Code::all() {
            let (name, status, exit) = (code.as_str(), code.http_status(), code.exit_status());
            put!(self, "<dt id=\"{name}\"><code>{name}</code><span class=type>{status}, exit {exit}</span></dt>");
            put!(self, "<dd>{}</dd>", escaped(code.meaning()));
        }
        put!(self, "</dl>");
    }

    fn schemas(&mut self) {
        put!(self, "<h2 id=schemas>schemas</h2>");
        for (name, schema) in members(&self.document["components"]["schemas"]) {
            put!(self, "<section id=\"schema-{0}\"><h4>{0}</h4>", escaped(name));
            self.prose(text(&schema["description"]));
            let parts: Vec<&Value> = std::iter::once(schema).chain(array(&schema["allOf"])).collect();
            let plain = !parts.iter().any(|part| part.get("properties").is_some());
            if plain {
                put!(self, "<p>{}</p>", self.type_of(schema));
            }
            put!(self, "<dl>");
            for part in parts {
                let required: Vec<&str> = array(&part["required"]).filter_map(Value::as_str).collect();
                for (member, property) in members(&part["properties"]) {
                    self.member(member, property, required.contains(&member), None);
                    put!(self, "<dd>{}</dd>", inline(text(&property["description"])));
                }
            }
            put!(self, "</dl></section>");
        }
    }

    fn member(&mut self, name: &str, schema: &Value, required: bool, place: Option<&str>) {
        put!(self, "<dt><code>{}</code><span class=type>{}", escaped(name), self.type_of(schema));
        if let Some(place) = place {
            put!(self, ", in the {}", escaped(place));
        }
        put!(self, "</span>{}</dt>", if required { "<span class=must>required</span>" } else { "" });
    }

    fn type_of(&self, schema: &Value) -> String {
        if let Some(name) = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next()) {
            return format!("<a href=\"#schema-{0}\">{0}</a>", escaped(name));
        }
        let choices: Vec<String> = ["oneOf", "anyOf", "allOf"]
            .iter()
            .flat_map(|key| array(&schema[*key]).map(|choice| self.type_of(choice)))
            .collect();
        if !choices.is_empty() {
            return choices.join(" or ");
        }
        let values: Vec<String> =
            array(&schema["enum"]).map(|value| format!("<code>{}</code>", escaped(&value.to_string()))).collect();
        if !values.is_empty() {
            return values.join(" or ");
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        let named = kinds.into_iter().map(|kind| match kind {
            "array" => format!("list of {}", self.type_of(&schema["items"])),
            "object" if schema["additionalProperties"].is_object() => {
                format!("map to {}", self.type_of(&schema["additionalProperties"]))
            }
            kind => escaped(kind),
        });
        let named: Vec<String> = named.collect();
        if named.is_empty() { "anything".to_owned() } else { named.join(" or ") }
    }

    fn prose(&mut self, text: &str) {
        for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
            put!(self, "<p>{}</p>", inline(paragraph));
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, member)| (name.as_str(), member))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// Text with its `code` as such.
fn inline(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = escaped(part);
        html.push_str(&if index % 2 == 1 { format!("<code>{part}</code>") } else { part });
    }
    html
}
