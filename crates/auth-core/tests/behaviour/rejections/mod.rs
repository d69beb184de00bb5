//! What the authorizer and the cache do when an API rejects a token: one more token request, one replay,
//! and a budget. No adapter takes part.

mod budget;
mod failed_refresh;
mod in_memory_api;
mod late;
mod replay;
mod test_client;
mod token_cache_reject;
