//! Which answers refuse the token.

use auth_core::{Authorizer, AuthorizerBuilder};
use auth_testing::Answer;
use auth_tower::AuthLayer;
use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use tower::{Layer, ServiceExt};

use super::reqwest_with;
use crate::support::{
    Deployment, authorizations,
    clients::{get, hyper_client},
};

#[derive(Clone, Copy, Debug)]
enum Stack {
    Hyper,
    Reqwest,
}

impl Stack {
    async fn get(self, authorizer: &Authorizer, url: String) -> StatusCode {
        match self {
            Self::Hyper => {
                let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
                client.oneshot(get(url)).await.unwrap().status()
            }
            Self::Reqwest => {
                let request = reqwest_with(authorizer.clone()).get(url);
                request.send().await.unwrap().status()
            }
        }
    }
}

const BOTH: [Stack; 2] = [Stack::Hyper, Stack::Reqwest];

fn answer(status: u16, challenge: &'static str) -> Answer {
    let answer = Answer::status(StatusCode::from_u16(status).unwrap());
    match challenge {
        "" => answer,
        _ => answer.with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge)),
    }
}

/// The API answers so once. A refusal is not seen by the caller, and costs a token request.
async fn is_refusal(
    status: u16,
    challenge: &'static str,
    terms: fn(AuthorizerBuilder) -> AuthorizerBuilder,
) -> bool {
    let mut verdicts = Vec::new();
    for stack in BOTH {
        let deployment = Deployment::start().await;
        let builder = terms(deployment.builder().origin(deployment.api.url()));
        let authorizer = builder.build().unwrap();
        deployment.api.fail_next(1, answer(status, challenge));
        let url = deployment.api.url();
        let seen = stack.get(&authorizer, url).await;
        let refused = seen == StatusCode::OK;
        assert_eq!(seen.as_u16(), if refused { 200 } else { status });
        let requests = 1 + usize::from(refused);
        assert_eq!(deployment.authorization.token_requests(), requests);
        assert_eq!(deployment.api.request_count(), requests);
        verdicts.push(refused);
    }
    assert_eq!(verdicts[0], verdicts[1], "both stacks agree");
    verdicts[0]
}

#[tokio::test]
async fn rfc6750_3_1_invalid_token_is_a_refusal() {
    let challenge = r#"Bearer realm="api", error="invalid_token", error_description="expired""#;
    assert!(is_refusal(401, challenge, |terms| terms).await);
    let after_another = r#"Basic realm="api", Bearer error="invalid_token""#;
    assert!(is_refusal(401, after_another, |terms| terms).await);
}

#[tokio::test]
async fn signicat_a_401_without_a_challenge_is_a_refusal() {
    for challenge in ["", "Bearer", r#"Basic realm="api""#] {
        assert!(
            is_refusal(401, challenge, |terms| terms).await,
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn rfc6750_3_1_insufficient_scope_and_invalid_request_are_none() {
    for (status, challenge) in [
        (401, r#"Bearer error="insufficient_scope", scope="admin""#),
        (401, r#"Bearer error="invalid_request""#),
        (403, r#"Bearer error="insufficient_scope""#),
        (400, r#"Bearer error="invalid_request""#),
    ] {
        assert!(
            !is_refusal(status, challenge, |terms| terms).await,
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn other_errors_are_none() {
    for status in [400, 403, 404, 407, 419, 429, 500, 503] {
        assert!(!is_refusal(status, "", |terms| terms).await, "{status}");
    }
}

/// One catalog API answers so.
#[tokio::test]
async fn a_419_is_a_refusal_where_it_is_said_to_be_one() {
    fn both(builder: AuthorizerBuilder) -> AuthorizerBuilder {
        builder.refusal_statuses([401, 419].map(|s| StatusCode::from_u16(s).unwrap()))
    }
    fn alone(builder: AuthorizerBuilder) -> AuthorizerBuilder {
        builder.refusal_statuses([StatusCode::from_u16(419).unwrap()])
    }
    assert!(is_refusal(419, "", both).await);
    assert!(is_refusal(401, "", both).await);
    assert!(is_refusal(419, "", alone).await);
    assert!(!is_refusal(401, "", alone).await);
}

#[tokio::test]
async fn a_callers_own_authorization_is_the_callers_to_renew() {
    const OWN: &str = "Bearer the-callers";
    let deployment = Deployment::start().await;
    let authorizer = deployment.authorizer();
    authorizer.tokens().unwrap().token().await.unwrap();
    let url = deployment.api.url();

    let mut request = get(&url);
    let own = HeaderValue::from_static(OWN);
    request.headers_mut().insert(AUTHORIZATION, own);
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);

    let request = reqwest_with(authorizer)
        .get(&url)
        .header(AUTHORIZATION, OWN);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);

    assert_eq!(deployment.authorization.token_requests(), 1);
    assert_eq!(authorizations(&deployment.api), [[OWN], [OWN]]);
}
