//! `Debug` prints no secret.

use auth_core::{Authorizer, TokenCache};
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use auth_test_support::{
    reqwest_clients::reqwest_builder,
    secrets::{GOOD, TOKEN, debug_is_clean, grant},
};

#[tokio::test]
async fn debug_of_every_public_type_that_holds_a_secret() {
    let tokens = TokenCache::new(grant(GOOD));
    assert_eq!(tokens.token().await.unwrap().secret(), TOKEN);
    let builder = Authorizer::builder(tokens).origin("https://api.example");
    let authorizer = builder.build().unwrap();

    debug_is_clean(&AuthMiddleware::new(authorizer));
    debug_is_clean(&ReqwestTransport::new(reqwest_builder()).unwrap());
}
