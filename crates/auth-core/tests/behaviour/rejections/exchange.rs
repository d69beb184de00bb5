//! One exchange with an API that a closure defines: for tests whose API depends on more than the path.

use auth_core::{
    Authorizer,
    adapter::{Attempt, Decision, Verdict},
};
use bytes::Bytes;
use http::{
    HeaderMap, Request, Response, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use http_body_util::Full;

/// Sends a request as an adapter does, and returns the last response. `api` returns the response to
/// a request with this token.
pub(super) async fn exchange(
    authorizer: &Authorizer,
    request: &Request<Full<Bytes>>,
    api: impl AsyncFn(String) -> Response<()>,
) -> Response<()> {
    let first = match authorizer.authorize(request) {
        Decision::Authorize(attempt) => attempt,
        Decision::Wait(attempt) => attempt.await.unwrap(),
        Decision::PassThrough(_) => panic!("expected a token for {}", request.uri()),
    };
    let response = api(token(&first)).await;
    let Verdict::Renew(renewal) = first.classify(&response, true) else {
        return response;
    };
    let Some(second) = renewal.await.attempt() else {
        return response;
    };
    let response = api(token(&second)).await;
    let _ = second.classify(&response, false);
    response
}

/// Returns the token that the attempt sends.
fn token(attempt: &Attempt) -> String {
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    let header = headers[AUTHORIZATION].to_str().unwrap();
    header.trim_start_matches("Bearer ").to_owned()
}

/// Returns a response without challenges.
pub(super) fn bare(status: u16) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Returns a response that states `error="invalid_token"`.
pub(super) fn invalid_token(status: u16) -> Response<()> {
    let mut response = bare(status);
    let challenge = r#"Bearer realm="api", error="invalid_token""#.parse().unwrap();
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}
