use std::borrow::Cow;

use async_trait::async_trait;
use auth_core::{Authorizer, Decision, RequestHead, ResponseHead, Verdict};
use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next};

/// Puts an access token on the requests of a reqwest client.
///
/// A request that already has an `Authorization` header, or that goes to an origin the
/// [`Authorizer`] does not name, passes as it is. reqwest follows redirects below every middleware,
/// and drops the token when one leads to another host.
///
/// If the API refuses the token, another is requested, and the request is sent once more with it,
/// unless its body is a stream. What another host says after a redirect is not about the token.
///
/// A [`TokenRequest`](auth_core::TokenRequest) among the request's extensions (`with_extension`)
/// picks its token.
///
/// Without a token a request is not sent: the caller gets [`Error::Middleware`], which can be
/// downcast to [`auth_core::Error`].
///
/// ```
/// use auth_reqwest::{AuthMiddleware, auth_core::{self, Authorizer}};
/// use reqwest_middleware::ClientBuilder;
///
/// # async fn example(tokens: Authorizer) -> reqwest_middleware::Result<()> {
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(AuthMiddleware::new(tokens))
///     .build();
/// match client.get("https://api.example.com/").send().await {
///     Err(reqwest_middleware::Error::Middleware(e)) => {
///         let why: Option<&auth_core::Error> = e.downcast_ref();
///     }
///     other => drop(other?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuthMiddleware {
    authorizer: Authorizer,
}

impl AuthMiddleware {
    /// A middleware that authorizes by the URL of each request.
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
        let head = RequestHead::new(request.url(), request.headers())
            .method(request.method())
            .extensions(extensions);
        let attempt = match self.authorizer.authorize(head) {
            Decision::PassThrough => return next.run(request, extensions).await,
            Decision::Authorize(attempt) => attempt,
            Decision::Wait(attempt) => attempt.await.map_err(Error::middleware)?,
        };
        let again = attempt.may_replay().then(|| request.try_clone()).flatten();
        let asked = again.as_ref().map_or_else(
            || Cow::Owned(request.url().clone()),
            |again| Cow::Borrowed(again.url()),
        );
        attempt.apply(request.headers_mut());
        let response = next.clone().run(request, extensions).await?;

        let verdict = attempt.judge(answer(&response, &asked), again.is_some());
        let (Verdict::Renew(renewal), Some(mut again)) = (verdict, again) else {
            return Ok(response);
        };
        let Some(attempt) = renewal.await.attempt() else {
            return Ok(response);
        };
        drop(response);
        let asked = again.url().clone();
        attempt.apply(again.headers_mut());
        let response = next.run(again, extensions).await?;
        // it is sent no third time, but what the second token comes to matters to others
        let _ = attempt.judge(answer(&response, &asked), false);
        Ok(response)
    }
}

/// reqwest follows redirects below: who answered need not be who was asked.
fn answer<'a>(response: &'a Response, asked: &Url) -> ResponseHead<'a> {
    ResponseHead::new(response.status(), response.headers()).answered(asked, response.url())
}
