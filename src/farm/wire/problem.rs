//! An error on the wire: [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457), `application/problem+json`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Code, Error};

/// What went wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always false.
    pub ok: bool,
    /// Names the kind of problem: a place in the server's `/docs`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The kind of problem, for programs: the same name as on the command line.
    pub code: String,
    /// What is wrong with which part of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What is wrong with one part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The member of the body, or the parameter.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let code = error.code();
        Self {
            ok: false,
            kind: format!("/docs#{}", code.as_str()),
            title: code.as_str().replace('_', " "),
            status: code.http_status(),
            detail: error.to_string(),
            hint: error.hint_text().map(str::to_owned),
            code: code.as_str().to_owned(),
            errors: Vec::new(),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let code = Code::named(&problem.code).unwrap_or(Code::ServerUnreachable);
        let error = Error::new(code, problem.detail);
        match problem.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
