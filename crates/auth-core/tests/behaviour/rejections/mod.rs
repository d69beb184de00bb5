//! Rejections: one token request, one replay and the rejection budget. The tests use the authorizer and the
//! cache without an adapter.

mod beside_keys;
mod broken_endpoint_beside_good_ones;
mod budget;
mod exchange;
mod explicit_and_bare;
mod failed_refresh;
mod grpc_requests;
mod held_response;
mod in_memory_api;
mod invalid_token_with_any_4xx;
mod late;
mod log_storm;
mod outage_after_a_revocation;
mod replay;
mod revocation_simulation;
mod revoked_with_its_replacement;
mod same_token_again;
mod test_client;
mod token_cache_reject;
