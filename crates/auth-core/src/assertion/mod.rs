//! Assertions: texts by which a client, or the subject of a token, proves who it is (RFC 7521).

mod context;
mod file;
mod function;
mod jwt;
mod source;
mod text;

pub use context::AssertionContext;
pub use file::AssertionFile;
pub use function::{AssertionFn, assertion_fn};
pub use source::AssertionSource;
pub use text::Assertion;
