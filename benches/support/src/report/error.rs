//! The error of the report.

/// A sentence for the person who runs the benches.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
