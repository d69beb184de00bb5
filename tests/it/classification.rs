//! The classification of responses: which of them are a rejection of the token.

use auth_core::{Authorizer, AuthorizerBuilder};
use auth_test_support::{
    Deployment, authorizations, get, hyper_clients::hyper_client, reqwest_clients::reqwest_with,
};
use auth_testing::Answer;
use auth_tower::AuthLayer;
use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use tower::{Layer, ServiceExt};

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

/// Returns whether a response with this status and challenge is a rejection, which causes a token request.
async fn is_rejection(
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
        let rejected = seen == StatusCode::OK;
        assert_eq!(seen.as_u16(), if rejected { 200 } else { status });
        let requests = 1 + usize::from(rejected);
        assert_eq!(deployment.authorization.token_requests(), requests);
        assert_eq!(deployment.api.request_count(), requests);
        verdicts.push(rejected);
    }
    assert_eq!(verdicts[0], verdicts[1], "both stacks classify alike");
    verdicts[0]
}

/// RFC 6750 §3.1.
#[tokio::test]
async fn invalid_token_is_a_rejection() {
    let challenge = r#"Bearer realm="api", error="invalid_token", error_description="expired""#;
    assert!(is_rejection(401, challenge, |terms| terms).await);
    let after_another = r#"Basic realm="api", Bearer error="invalid_token""#;
    assert!(is_rejection(401, after_another, |terms| terms).await);
}

/// Signicat's APIs respond like this.
#[tokio::test]
async fn a_401_without_a_challenge_is_a_rejection() {
    for challenge in ["", "Bearer", r#"Basic realm="api""#] {
        assert!(
            is_rejection(401, challenge, |terms| terms).await,
            "{challenge}"
        );
    }
}

/// RFC 6750 §3.1.
#[tokio::test]
async fn insufficient_scope_and_invalid_request_are_no_rejection() {
    for (status, challenge) in [
        (401, r#"Bearer error="insufficient_scope", scope="admin""#),
        (401, r#"Bearer error="invalid_request""#),
        (403, r#"Bearer error="insufficient_scope""#),
        (400, r#"Bearer error="invalid_request""#),
    ] {
        assert!(
            !is_rejection(status, challenge, |terms| terms).await,
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn other_statuses_are_no_rejection() {
    for status in [400, 403, 404, 407, 419, 429, 500, 503] {
        assert!(!is_rejection(status, "", |terms| terms).await, "{status}");
    }
}

/// One catalog API responds like this.
#[tokio::test]
async fn a_419_is_a_rejection_where_it_is_configured() {
    fn both(builder: AuthorizerBuilder) -> AuthorizerBuilder {
        builder.rejection_statuses([401, 419].map(|s| StatusCode::from_u16(s).unwrap()))
    }
    fn alone(builder: AuthorizerBuilder) -> AuthorizerBuilder {
        builder.rejection_statuses([StatusCode::from_u16(419).unwrap()])
    }
    assert!(is_rejection(419, "", both).await);
    assert!(is_rejection(401, "", both).await);
    assert!(is_rejection(419, "", alone).await);
    assert!(!is_rejection(401, "", alone).await);
}

#[tokio::test]
async fn a_rejected_authorization_header_of_the_caller_is_delivered() {
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
