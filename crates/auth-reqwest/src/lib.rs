#![doc = include_str!("../README.md")]
//!
//! # Items
//!
//! | task | item |
//! |---|---|
//! | authorize the requests of a reqwest client | [`AuthMiddleware`] |
//! | send token requests through reqwest | [`ReqwestTransport`] |
//! | use the proxies of the environment, but not for loopback | [`client_builder`] |
//! | pick the token of one request | [`TokenRequest`](auth_core::TokenRequest) in the request's extensions |
//! | follow redirects without a risk for the token | [`client_builder`], [`redirect_policy`] |
//! | bind different tokens to different APIs | [`AuthorizerBuilder::origin_with`](auth_core::AuthorizerBuilder::origin_with) |
//! | handle an error | [`auth_core::Error::find`] |

mod direct;
mod error;
mod middleware;
mod proof_scope;
mod proxy;
mod redirects;
mod transport;
mod url;

pub use auth_core;
pub use middleware::AuthMiddleware;
pub use proxy::client_builder;
pub use redirects::redirect_policy;
pub use transport::ReqwestTransport;
