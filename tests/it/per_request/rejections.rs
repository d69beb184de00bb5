//! A rejection of one token does not affect the other tokens.

use auth_core::TokenRequest;
use auth_test_support::Deployment;

use super::{ALL, last_token, scope};

/// Revokes the token of `revoked`, one of three. Asserts that only this token is replaced.
async fn refreshes_that_one_only(revoked: Option<TokenRequest>) {
    for stack in ALL {
        let deployment = Deployment::start().await;
        let (api, authorizer) = (&deployment.api, deployment.authorizer());
        let others = [None, Some(scope("read")), Some(scope("write"))];
        let others = others.into_iter().filter(|other| *other != revoked);
        let mut before = Vec::new();
        for other in others.clone() {
            assert!(stack.ask(api, &authorizer, other).await);
            before.push(last_token(&deployment));
        }
        assert!(stack.ask(api, &authorizer, revoked.clone()).await);
        let rejected = last_token(&deployment);
        deployment.authorization.revoke(&rejected);

        assert!(stack.ask(api, &authorizer, revoked.clone()).await);
        assert_ne!(last_token(&deployment), rejected);
        assert_eq!(deployment.authorization.token_requests(), 4);
        for (other, token) in others.zip(before) {
            assert!(stack.ask(api, &authorizer, other).await);
            assert_eq!(last_token(&deployment), token, "{stack:?}");
        }
        assert_eq!(deployment.authorization.token_requests(), 4);
    }
}

#[tokio::test]
async fn a_rejection_of_a_picked_token_refreshes_that_one_only() {
    refreshes_that_one_only(Some(scope("read"))).await;
}

#[tokio::test]
async fn a_rejection_of_the_default_token_refreshes_that_one_only() {
    refreshes_that_one_only(None).await;
}

/// A replay without the scope would receive a 403.
#[tokio::test]
async fn the_replay_carries_a_token_of_the_same_scope() {
    for stack in ALL {
        let deployment = Deployment::start().await;
        let (api, authorizer) = (&deployment.api, deployment.authorizer());
        api.require_scope("read");
        assert!(stack.ask(api, &authorizer, Some(scope("read"))).await);
        deployment.authorization.revoke_all();
        assert!(stack.ask(api, &authorizer, Some(scope("read"))).await);
        assert_eq!(api.request_count(), 3, "{stack:?}");
    }
}
