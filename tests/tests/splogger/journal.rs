//! The journal, or what behaves like it.
