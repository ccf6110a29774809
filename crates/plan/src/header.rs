//! What a revision file says of itself in its module comment.

/// One revision file as the build script found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionSource {
    /// The migration name, which is the file's stem.
    pub name: &'static str,
    /// The file's leading `//!` lines without the markers, joined by line feeds.
    pub module_comment: &'static str,
    /// A fingerprint of the normalised source text, `algorithm:hex`.
    pub fingerprint: &'static str,
    /// The file's path relative to its crate's directory, with `/` between the parts.
    pub path: &'static str,
}
