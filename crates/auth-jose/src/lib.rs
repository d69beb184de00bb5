#![doc = include_str!("../README.md")]
//!
//! # Items
//!
//! | task | item |
//! |---|---|
//! | authenticate a client by its private key | [`PrivateKeyJwt`] ([`AssertionBuilder`], [`Audience`]) |
//! | authenticate a client by its secret without sending it | [`ClientSecretJwt`] |
//! | make the assertion of the JWT bearer grant | [`JwtAssertion`] |
//! | read a key | [`SigningKey`] ([`Algorithm`], [`Certificates`]) |
//! | read a key from a file that is replaced | [`KeyFile`] ([`KeySource`]) |
//! | bind tokens to a key | [`DpopKey`] |
//! | sign by a service or a device | [`Signer`] ([`PublicJwk`]) |
//! | sign another JWT | [`Jwt`] |

mod algorithm;
mod assertion;
mod base64url;
mod certificate;
mod der;
mod dpop_key;
mod fault;
mod jwk;
mod jwt;
mod key_file;
mod key_pair;
mod key_type;
mod pem;
mod private_key;
mod public_jwk;
mod public_key_pem;
mod random;
mod signature;
mod signer;
mod signing_key;
mod version;

pub use algorithm::Algorithm;
pub use assertion::{
    AssertionBuilder, Audience, ClientSecretJwt, JwtAssertion, KeySource, PrivateKeyJwt,
};
pub use auth_core;
pub use certificate::Certificates;
pub use dpop_key::DpopKey;
pub use jwt::Jwt;
pub use key_file::KeyFile;
pub use public_jwk::PublicJwk;
pub use serde_json;
pub use signer::Signer;
pub use signing_key::SigningKey;
