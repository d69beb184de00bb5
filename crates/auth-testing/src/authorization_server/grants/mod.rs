//! The grants: which token a request is granted.

mod decide;
#[cfg(feature = "jose")]
mod jwt_bearer;
mod refresh_token;
mod request;
mod token_exchange;

pub(super) use self::request::GrantRequest;
