//! The decisions that all adapters share, without any I/O: which requests carry a token, which
//! token that is, and whether a response rejects it.

mod attempt;
mod authorizer;
mod bindings;
mod builder;
mod classify;
mod client_credentials_builder;
mod connection;
mod deadline;
mod decision;
mod head;
mod hold;
mod hop_forms;
mod logged_origins;
mod owned_head;
mod passed_through;
mod passing;
mod rejection_statuses;
mod replay_methods;
mod rules;
mod settings;
mod tenants;
mod trailing_status;

pub use attempt::{Attempt, AttemptFuture, Renewal, RenewalFuture, Verdict};
pub use authorizer::Authorizer;
pub use builder::AuthorizerBuilder;
pub use client_credentials_builder::ClientCredentialsAuthorizerBuilder;
pub use deadline::Deadline;
pub use decision::Decision;
pub use head::{Redirect, RequestHead, ResponseHead};
pub use hold::{Hold, ReplacementFuture};
pub use passed_through::PassedThrough;
pub use passing::Passing;
pub use replay_methods::ReplayMethods;
pub use tenants::TenantsBuilder;
pub use trailing_status::TrailingStatus;
