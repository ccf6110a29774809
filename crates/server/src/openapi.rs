//! The OpenAPI document. Tests hold it against what the endpoints answer.

/// The document, OpenAPI 3.1. Its server is `.`, so that paths resolve from wherever it was read.
pub(crate) fn document_bytes() -> &'static [u8] {
    include_bytes!("openapi.json")
}
