//! Rejections: one token request and one replay.

mod bodies;
mod failed_refresh;
mod held_responses;
mod many_at_once;
mod redirects;
mod replay_limit;
mod replay_methods;
mod revoked_token;
