//! The shared store of the command line.

use std::sync::Arc;

use auth_core::shared_store::SharedTokenStore;
use auth_redis::{RedisStore, SealKeys};

use crate::args::Args;

/// Returns `None` without `--redis`.
pub(crate) fn shared_store(args: &Args) -> anyhow::Result<Option<Arc<dyn SharedTokenStore>>> {
    let Some(url) = &args.redis else {
        return Ok(None);
    };
    let keys = SealKeys::from_files(&args.seal_key_files)?;
    let store = RedisStore::builder(url).seal_keys(keys).build()?;
    Ok(Some(Arc::new(store)))
}
