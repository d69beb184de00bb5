//! Rejections: one token request and one replay.

mod bodies;
mod connection_permit;
mod dropped_client;
mod failed_refresh;
mod grpc;
mod grpc_trailers;
mod grpc_web;
mod grpc_wire;
mod held_responses;
mod many_at_once;
mod readiness;
mod replay_limit;
mod replay_methods;
mod revoked_token;
mod service_not_ready;
