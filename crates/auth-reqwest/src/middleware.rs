//! The middleware.

use std::borrow::Cow;

use async_trait::async_trait;
use auth_core::{
    Authorizer,
    adapter::{Decision, RequestHead, ResponseHead, Verdict},
};
use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next};

use crate::{
    error::not_sent,
    url::{redirect, target},
};

/// Puts an access token on the requests of a reqwest client.
///
/// A request is sent unchanged if it already has an `Authorization` header, goes to an unlisted
/// origin, or has a `Host` header that names another authority than its URL. A `Host` header among
/// the client's default headers is added below every middleware, and is not seen. reqwest follows
/// redirects below every middleware, and drops the token when a redirect leads to another origin.
///
/// If the API rejects the token, another token is requested and the request is replayed once with
/// it, unless its body is a stream. A response from another origin, after a redirect, does not
/// reject the token.
///
/// A [`TokenRequest`](auth_core::TokenRequest) in the request's extensions (`with_extension`) picks
/// the request's token. Without one, the request carries the token that is
/// [bound](auth_core::AuthorizerBuilder::origin_with) to its origin, if there is one.
///
/// A request whose token cannot be obtained is not sent. The caller receives [`Error::Middleware`],
/// in which [`auth_core::Error::find`] finds the reason, also through other middlewares such as
/// reqwest-retry.
///
/// ```
/// use auth_reqwest::{AuthMiddleware, auth_core::{self, Authorizer}};
/// use reqwest_middleware::ClientBuilder;
///
/// # async fn example(authorizer: Authorizer) -> reqwest_middleware::Result<()> {
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(AuthMiddleware::new(authorizer))
///     .build();
/// if let Err(error) = client.get("https://api.example.com/").send().await {
///     match auth_core::Error::find(&error) {
///         Some(no_token) => println!("{:?}: {no_token}", no_token.kind()),
///         None => println!("{error}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuthMiddleware {
    authorizer: Authorizer,
}

impl AuthMiddleware {
    /// Creates a middleware that authorizes requests by their URLs.
    #[must_use]
    pub fn new(authorizer: Authorizer) -> Self {
        Self { authorizer }
    }
}

#[async_trait]
impl Middleware for AuthMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        let head = RequestHead::new(target(request.url()), request.headers())
            .with_method(request.method())
            .with_extensions(extensions);
        let attempt = match self.authorizer.authorize(head) {
            Decision::PassThrough => return next.run(request, extensions).await,
            Decision::Authorize(attempt) => attempt,
            Decision::Wait(attempt) => attempt.await.map_err(not_sent)?,
        };
        let replay = attempt.may_replay().then(|| request.try_clone()).flatten();
        let requested = replay.as_ref().map_or_else(
            || Cow::Owned(request.url().clone()),
            |replay| Cow::Borrowed(replay.url()),
        );
        attempt.apply(request.headers_mut());
        let response = next.clone().run(request, extensions).await?;

        let verdict = attempt.classify(response_head(&response, &requested), replay.is_some());
        let (Verdict::Renew(renewal), Some(mut replay)) = (verdict, replay) else {
            return Ok(response);
        };
        let Some(attempt) = renewal.await.attempt() else {
            return Ok(response);
        };
        drop(response);
        let requested = replay.url().clone();
        attempt.apply(replay.headers_mut());
        let response = next.run(replay, extensions).await?;
        // the caller receives the response; the cache records whether the new token was accepted
        let _ = attempt.classify(response_head(&response, &requested), false);
        Ok(response)
    }
}

/// Describes a response, which may be from another URL: reqwest follows redirects below the
/// middleware.
fn response_head<'a>(response: &'a Response, requested: &Url) -> ResponseHead<'a> {
    ResponseHead::new(response.status(), response.headers())
        .with_redirect(redirect(requested, response.url()))
}
