//! Assertions: signed JWTs that prove a client, or a subject, at the token endpoint (RFC 7521, RFC 7523).

mod audience;
mod builder;
mod claims;
mod client_secret_jwt;
mod jwt_assertion;
mod key_source;
mod private_key_jwt;
mod signed;

pub use audience::Audience;
pub use builder::AssertionBuilder;
pub use client_secret_jwt::ClientSecretJwt;
pub use jwt_assertion::JwtAssertion;
pub use key_source::KeySource;
pub use private_key_jwt::PrivateKeyJwt;
