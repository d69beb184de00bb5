//! A protected resource.

mod api;
mod control;
mod observe;
mod presented_token;
mod protected_resource;
mod rejection;

pub use self::api::ProtectedApi;
