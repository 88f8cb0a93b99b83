//! The `Idempotency-Key` of a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use super::problem::Refusal;
use crate::error::Error;
use crate::model::IdempotencyKey;

const HEADER: &str = "Idempotency-Key";

/// The key under which a request may be repeated, if it has one.
pub(crate) struct Repeatable(pub(crate) Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for Repeatable {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => return Ok(Self(None)),
            (Some(value), None) => value.to_str().unwrap_or_default().parse(),
            (Some(_), Some(_)) => Err(Error::invalid("there are several idempotency keys").hint("give one")),
        };
        key.map(|key| Self(Some(key))).map_err(|error| {
            let message = error.to_string();
            Refusal::from(error).field(HEADER, message)
        })
    }
}

impl IntoParams for Repeatable {
    fn into_params(_place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(200));
        let parameter = ParameterBuilder::new()
            .name(HEADER)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("Any text of the client's own; a request that is sent again has the same."))
            .schema(Some(schema.pattern(Some("^[!-~]+$"))));
        vec![parameter.build()]
    }
}
