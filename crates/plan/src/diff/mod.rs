//! Comparing two schemas.
