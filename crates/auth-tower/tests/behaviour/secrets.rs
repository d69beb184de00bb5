//! `Debug` prints no secret.

use auth_core::{Authorizer, TokenCache};
use auth_test_support::{
    hyper_clients::hyper_client,
    secrets::{GOOD, TOKEN, debug_is_clean, grant},
};
use auth_tower::{AuthLayer, TowerTransport};
use tower::Layer;

#[tokio::test]
async fn debug_of_every_public_type_that_holds_a_secret() {
    let tokens = TokenCache::new(grant(GOOD));
    assert_eq!(tokens.token().await.unwrap().secret(), TOKEN);
    let builder = Authorizer::builder(tokens).origin("https://api.example");
    let authorizer = builder.build().unwrap();

    let client = hyper_client();
    let layer = AuthLayer::new(authorizer);
    debug_is_clean(&layer);
    debug_is_clean(&layer.layer(client.clone()));
    debug_is_clean(&TowerTransport::new(client));
}
