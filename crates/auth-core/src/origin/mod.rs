//! Origins: how they are written and compared, and which of them may receive a token.

mod allowed;
mod fault;
mod host;
mod http_url;
mod parse;
mod scheme;
mod target;
mod value;

pub(crate) use allowed::{Allowed, AllowedOrigins};
pub(crate) use http_url::HttpUrl;
pub use target::Target;
pub(crate) use target::{Destination, OwnedTarget};
pub use value::Origin;

#[cfg(test)]
mod tests;
