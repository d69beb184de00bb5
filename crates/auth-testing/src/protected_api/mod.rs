//! A protected resource.

mod api;
mod bearer;
mod control;
mod observe;
mod protected_resource;
mod rejection;

pub use self::api::ProtectedApi;
