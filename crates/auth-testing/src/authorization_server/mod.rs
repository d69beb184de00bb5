//! An authorization server for the client credentials grant.

mod builder;
mod client_authentication;
mod control;
mod observe;
mod parameters;
mod server;
mod token_endpoint;
mod token_error;

pub use self::{
    builder::AuthorizationServerBuilder, client_authentication::ClientAuthenticationMethod,
    server::AuthorizationServer,
};
