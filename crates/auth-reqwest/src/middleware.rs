use async_trait::async_trait;
use auth_core::{Authorizer, Decision, RequestHead};
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next};

/// Puts an access token on the requests of a reqwest client.
///
/// A request that already has an `Authorization` header, or that goes to an origin the
/// [`Authorizer`] does not name, passes as it is. Bodies pass as they are, streams too. reqwest
/// follows redirects below every middleware, and drops the token when one leads to another host.
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
        let head = RequestHead::new(request.url(), request.headers());
        let authorization = match self.authorizer.authorize(head) {
            Decision::PassThrough => None,
            Decision::Authorize(authorization) => Some(authorization),
            Decision::Wait(authorization) => Some(authorization.await.map_err(Error::middleware)?),
        };
        if let Some(authorization) = authorization {
            authorization.apply(request.headers_mut());
        }
        next.run(request, extensions).await
    }
}
