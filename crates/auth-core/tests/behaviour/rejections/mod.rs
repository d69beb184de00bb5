//! Rejections: one token request, one replay and the rejection budget. The tests use the authorizer and the
//! cache without an adapter.

mod budget;
mod failed_refresh;
mod in_memory_api;
mod late;
mod replay;
mod test_client;
mod token_cache_reject;
