//! The tokens that requests with different token requests are sent with.

use auth_core::TokenRequest;
use auth_test_support::Deployment;
use futures_util::future::join_all;

use super::{ALL, last_token, scope};

/// azure#1225: the scope was not part of the key.
#[tokio::test]
async fn each_request_carries_the_token_of_its_scope() {
    for stack in ALL {
        let deployment = Deployment::start().await;
        let (api, authorizer) = (&deployment.api, deployment.authorizer());
        let mut tokens = Vec::new();
        for needed in ["read", "write"] {
            api.require_scope(needed);
            for picked in ["read", "write", "admin"] {
                let taken = stack.ask(api, &authorizer, Some(scope(picked))).await;
                assert_eq!(taken, picked == needed, "{stack:?}: {picked} for {needed}");
                tokens.push(last_token(&deployment));
            }
        }
        assert_eq!(tokens[..3], tokens[3..]);
        assert_eq!(deployment.authorization.token_requests(), 3);
    }
}

#[tokio::test]
async fn a_request_that_picks_none_carries_the_default_token() {
    for stack in ALL {
        let deployment = Deployment::start().await;
        let (api, authorizer) = (&deployment.api, deployment.authorizer());
        assert!(stack.ask(api, &authorizer, None).await);
        let default = authorizer.tokens().unwrap().token().await.unwrap();
        assert_eq!(last_token(&deployment), default.secret());
        assert!(stack.ask(api, &authorizer, Some(scope("read"))).await);
        assert_ne!(last_token(&deployment), default.secret());
        let as_default = TokenRequest::default();
        assert!(stack.ask(api, &authorizer, Some(as_default)).await);
        assert_eq!(last_token(&deployment), default.secret());
        assert_eq!(deployment.authorization.token_requests(), 2);
    }
}

#[tokio::test]
async fn requests_without_a_token_make_one_token_request_for_each_scope() {
    for stack in ALL {
        let deployment = Deployment::start().await;
        let authorizer = deployment.authorizer();
        let scopes = ["read", "write"].into_iter().cycle().take(40);
        let calls = scopes.map(|picked| {
            let picked = Some(scope(picked));
            stack.ask(&deployment.api, &authorizer, picked)
        });
        assert_eq!(join_all(calls).await, [true; 40]);
        assert_eq!(deployment.authorization.token_requests(), 2);
    }
}
