//! A rejection of one token is none of the others.

use auth_core::TokenRequest;
use auth_test_support::Deployment;

use super::{ALL, last_token, scope};

/// Of three tokens the one for `revoked` is, and is replaced by one for the same.
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

/// Else the replay would be answered with 403: it would lack the scope.
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
