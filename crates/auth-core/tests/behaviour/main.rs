//! Behaviour through the public API.

// clippy.toml allows these in test functions, but not in the functions that they call
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod allocations;
mod answers;
mod authorization_details;
mod auto_traits;
mod bound_origins;
mod cache;
mod captured_log;
mod changing_secrets;
mod client_assertions;
mod client_credentials;
mod client_credentials_authorizer;
mod contradicted_denials;
mod corrected_credentials;
mod credential_characters;
mod debug_texts;
mod decorating_source;
mod discovery;
mod echoed_secrets;
mod effective_request;
mod endless_bodies;
mod error_find;
mod errors;
mod first_keys_denied;
mod grants;
mod keyed;
mod keys_beside_keys;
mod longest_durations;
mod many_keys;
mod many_keys_of_many_processes;
mod new_connection;
mod origins;
mod outside_texts;
mod providers;
mod recording_transport;
mod rejections;
mod request_parameters;
mod revocation;
mod scopes;
mod secret_file_modes;
mod secret_files;
mod secrets;
mod shared_store;
mod tenant_makers;
mod tenants;
mod token_endpoints;
mod token_request_headers;
mod turns_of_keys;
