//! Starts third-party servers for a test, and stops them at its end.
//!
//! Every fixture is a child process on an ephemeral port of 127.0.0.1. `start` returns when the fixture
//! listens. Dropping the value kills exactly that process. Tests share no fixture. When a test panics, the
//! stderr of its fixtures is printed.
//!
//! ```ignore
//! let provider = OidcProvider::start(&[("AS_TOKEN_TTL", "3")]).await?;
//! let grpc = GrpcServer::python_asking(&provider).await?;
//! let proxy = FaultProxy::start(provider.issuer()).await?;
//! proxy.next(&["reset", "delay:400"]).await?;
//! // … the client under test, at provider.token_endpoint(), provider.api(), grpc.uri() …
//! assert_eq!(provider.stats().await?["token_requests"], 1);
//! ```

mod control;
mod fault_proxy;
mod grpc_server;
mod installation;
mod jose;
mod oidc_provider;
mod process;
mod until;

pub(crate) use self::{
    control::{http_client, http_client_builder},
    fault_proxy::FaultProxy,
    grpc_server::GrpcServer,
    installation::{ca_pem, keys_dir},
    jose::verify,
    oidc_provider::OidcProvider,
    until::until,
};
