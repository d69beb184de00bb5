//! Token requests that are bound to origins, on each stack.

use auth_core::{ErrorKind, TokenRequest};
use auth_test_support::Deployment;

use crate::per_request::{ALL, last_token};

const ORDERS: &str = "https://orders.example";

fn plain(scope: &str) -> TokenRequest {
    TokenRequest::builder().scope(scope).build().unwrap()
}

#[tokio::test]
async fn each_api_gets_the_token_that_is_bound_to_its_origin() {
    for stack in ALL {
        let deployment = Deployment::start().await;
        let other = deployment.unlisted_api().await;
        let authorizer = deployment
            .builder()
            .origin_with(deployment.api.url(), plain("orders"))
            .origin_with(other.url(), plain("billing"))
            .build()
            .unwrap();
        deployment.api.require_scope("orders");
        other.require_scope("billing");
        for api in [&deployment.api, &other, &deployment.api] {
            assert!(stack.ask(api, &authorizer, None).await, "{stack:?}");
        }
        assert_eq!(deployment.authorization.token_requests(), 2);
        let orders = last_token(&deployment);
        deployment.api.require_scope("admin");
        let picked = Some(plain("admin"));
        assert!(stack.ask(&deployment.api, &authorizer, picked).await);
        assert_ne!(last_token(&deployment), orders);
    }
}

#[tokio::test]
async fn a_token_that_is_bound_elsewhere_is_not_requested() {
    for stack in ALL {
        let deployment = Deployment::start().await;
        let authorizer = deployment
            .builder()
            .origin(deployment.api.url())
            .origin_with(ORDERS, plain("orders"))
            .build()
            .unwrap();
        let picked = Some(plain("orders"));
        let error = stack.declined(&deployment.api, &authorizer, picked).await;
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(ORDERS), "{error}");
        assert_eq!(deployment.api.request_count(), 0);
        assert_eq!(deployment.authorization.token_requests(), 0);
    }
}
