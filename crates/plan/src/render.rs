//! From values to text.
