//! What several themes need: an authorization server with an API, sources of tokens, bare sockets,
//! certificates, clients.

pub(crate) mod certificates;
pub(crate) mod clients;
mod deployment;
mod mint;
mod raw_server;
mod soon;
mod strict;

pub(crate) use self::{
    deployment::{Deployment, NOTHING, authorizations},
    mint::Mint,
    raw_server::RawServer,
    soon::soon,
    strict::Strict,
};
