use futures_util::FutureExt;
use tokio::{
    runtime::Builder,
    time::{Instant, timeout},
};

use auth_core::TokenCache;
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs,
};

#[test]
fn a_runtime_that_is_not_driven_does_not_block_a_flush() {
    let tokens = TokenCache::new(Scripted::always(Answer::Hangs));
    let kept = Builder::new_current_thread().enable_all().build().unwrap();
    kept.block_on(async { assert!(tokens.token().now_or_never().is_none()) });
    assert!(tokens.status().in_flight);
    let paused = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    paused.block_on(async {
        let started = Instant::now();
        timeout(secs(60), tokens.flush()).await.unwrap();
        assert!(started.elapsed() >= secs(29), "{:?}", started.elapsed());
    });
}
