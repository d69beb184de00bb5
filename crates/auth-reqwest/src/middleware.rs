//! The middleware.

use std::{future::Future, mem, pin::Pin, time::Duration};

use auth_core::{
    Authorizer,
    adapter::{
        Attempt, AttemptFuture, Deadline, Decision, Hold, Redirect, RenewalFuture, RequestHead,
        ResponseHead, Verdict,
    },
};
use http::Extensions;
use reqwest::{Method, Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next};

use crate::{
    error::{deadline_passed, not_sent, proof_repeated},
    proof_scope::with_proof,
    url::{redirect, target},
};

/// Puts an access token on the requests of a reqwest client.
///
/// A request is sent unchanged if it already has an `Authorization` header, goes to an unlisted
/// origin, or has a `Host` header that names another authority than its URL. A `Host` header among
/// the client's default headers is added below every middleware, and is not seen. reqwest follows
/// redirects below every middleware, and drops the token when a redirect leads to another origin. Build
/// the client with [`client_builder`](crate::client_builder) or with
/// [`redirect_policy`](crate::redirect_policy): with reqwest's own policy, a second hop within the other
/// origin carries the token again.
///
/// Where the token is bound to a key ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)), a request with a
/// `DPoP` header of its own is sent unchanged as well, and all others carry a proof. A proof is valid for
/// one URL alone, and reqwest would repeat it when it follows a redirect: with `client_builder` or
/// `redirect_policy` such a redirect is an error. With another policy that follows it, the caller receives
/// an error instead of the response.
///
/// If the API rejects the token, another token is requested and the request is replayed once with
/// it, unless its body is a stream. The response to a request that is not replayed is held until the other
/// token has arrived, for one second or half of the request's own timeout at most, so that the next request
/// carries it. If the API demands a nonce in the proof, the request is repeated with it, twice at most, by
/// the same rule. A response from another origin, after a redirect, does not reject the token.
///
/// A [`TokenRequest`](auth_core::TokenRequest) in the request's extensions (`with_extension`) picks
/// the request's token. Without one, the request carries the token that is
/// [bound](auth_core::AuthorizerBuilder::origin_with) to its origin, if there is one.
///
/// The request's own timeout ([`Request::timeout`]) bounds the whole call: waiting for a token, the
/// request, waiting for a replacement and the replay. When it ends while the middleware waits, the
/// caller receives an [`auth_core::Error`] of [`Timeout`](auth_core::ErrorKind::Timeout). The timeouts
/// of the client ([`ClientBuilder::timeout`](reqwest::ClientBuilder::timeout)) bound each sending
/// alone.
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

/// The future of a response.
type ResponseFuture<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

impl Middleware for AuthMiddleware {
    // Written out: the future of `async_trait` holds each argument twice, and a request is large.
    // Common allocators are slower from 1 KiB on.
    fn handle<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        mut request: Request,
        extensions: &'life1 mut Extensions,
        next: Next<'life2>,
    ) -> ResponseFuture<'async_trait>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let decision = self.decide(&request, extensions);
            // a request that waits, a response that is held, and a replay have what is left of the
            // request's timeout
            let timeout = request.timeout().copied();
            let mut deadline = None;
            let attempt = match decision {
                Decision::PassThrough(_) => return next.run(request, extensions).await,
                Decision::Authorize(attempt) => attempt,
                Decision::Wait(attempt) => {
                    deadline = self.deadline(timeout);
                    // boxed, so that the future of a request that finds its token stays small
                    let awaited = Box::pin(awaited(attempt, deadline.as_deref_mut(), &mut request));
                    awaited.await?
                }
            };
            let (sent, can_replay) = take(&mut request, &attempt);
            if deadline.is_none() {
                deadline = self.deadline(timeout);
            }
            let response = match attempt.has_proof() {
                false => next.clone().run(sent, extensions).await?,
                // boxed, like the wait for a token
                true => Box::pin(sent_with_proof(sent, extensions, next.clone())).await?,
            };
            let answered = Answered {
                request,
                response,
                deadline,
            };
            match answered.classify(attempt, can_replay, extensions, next) {
                Ok(response) => Ok(response),
                Err(later) => later.await,
            }
        })
    }
}

impl AuthMiddleware {
    fn decide(&self, request: &Request, extensions: &Extensions) -> Decision {
        let head = RequestHead::new(target(request.url()), request.headers())
            .with_method(request.method())
            .with_extensions(extensions);
        self.authorizer.authorize(head)
    }

    /// Returns the deadline `timeout` from now.
    fn deadline(&self, timeout: Option<Duration>) -> Option<Box<Deadline>> {
        timeout.map(|timeout| Box::new(self.authorizer.deadline(timeout)))
    }
}

/// Takes a request to send it with its token, and leaves its replay in its place, so that there is room
/// for one request only. Returns whether the replay is possible. If not, only the URL is left.
fn take(request: &mut Request, attempt: &Attempt) -> (Request, bool) {
    let replay = attempt.may_replay().then(|| request.try_clone()).flatten();
    let can_replay = replay.is_some();
    let kept = replay.unwrap_or_else(|| Request::new(Method::GET, request.url().clone()));
    let mut sent = mem::replace(request, kept);
    attempt.apply(sent.headers_mut());
    (sent, can_replay)
}

/// A request without its token, and the response to it.
struct Answered {
    request: Request,
    response: Response,
    deadline: Option<Box<Deadline>>,
}

impl Answered {
    /// Returns the response, or the future of it or of the replay. The futures are boxed, like the wait
    /// for a token.
    fn classify<'a>(
        self,
        attempt: Attempt,
        can_replay: bool,
        extensions: &'a mut Extensions,
        next: Next<'a>,
    ) -> Result<Response, ResponseFuture<'a>> {
        let head = response_head(&self.response, self.request.url());
        match attempt.classify(head, can_replay) {
            Verdict::Renew(renewal) => Err(Box::pin(self.replayed(renewal, extensions, next))),
            Verdict::DeliverAfter(hold) => Err(Box::pin(self.held(hold))),
            Verdict::Deliver | Verdict::DeliverAndWatch(_) => Ok(self.response),
        }
    }

    /// Returns the response when another token has arrived.
    async fn held(self, hold: Hold) -> Result<Response, Error> {
        hold.until_replaced(self.deadline.as_deref()).await;
        Ok(self.response)
    }

    /// Replays the request with another token or another proof, as long as the verdicts say so. Returns
    /// the last response if there is none.
    async fn replayed(
        self,
        mut renewal: RenewalFuture,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        let Self {
            mut request,
            mut response,
            mut deadline,
        } = self;
        loop {
            let renewed = bound(deadline.as_deref_mut(), renewal, WAITED_FOR_REPLACEMENT).await?;
            let Some(attempt) = renewed.attempt() else {
                return Ok(response);
            };
            drop(response);
            set_remaining(&mut request, deadline.as_deref(), WAITED_FOR_REPLACEMENT)?;
            let (sent, can_replay) = take(&mut request, &attempt);
            response = match attempt.has_proof() {
                false => next.clone().run(sent, extensions).await?,
                true => sent_with_proof(sent, extensions, next.clone()).await?,
            };
            let head = response_head(&response, request.url());
            match attempt.classify(head, can_replay) {
                Verdict::Renew(again) => renewal = again,
                Verdict::DeliverAfter(hold) => {
                    hold.until_replaced(deadline.as_deref()).await;
                    return Ok(response);
                }
                Verdict::Deliver | Verdict::DeliverAndWatch(_) => return Ok(response),
            }
        }
    }
}

/// Sends a request with a proof. The client must not follow a redirect: it would repeat the proof.
async fn sent_with_proof(
    request: Request,
    extensions: &mut Extensions,
    next: Next<'_>,
) -> Result<Response, Error> {
    let requested = request.url().clone();
    let response = with_proof(next.run(request, extensions)).await?;
    match redirect(&requested, response.url()) {
        Redirect::None => Ok(response),
        _ => Err(proof_repeated(response.url())),
    }
}

/// Waits for the token of a request, and sets what is left of the request's timeout.
async fn awaited(
    attempt: AttemptFuture,
    mut deadline: Option<&mut Deadline>,
    request: &mut Request,
) -> Result<Attempt, Error> {
    let attempt = bound(deadline.as_deref_mut(), attempt, WAITED_FOR_TOKEN).await?;
    let attempt = attempt.map_err(not_sent)?;
    set_remaining(request, deadline.as_deref(), WAITED_FOR_TOKEN)?;
    Ok(attempt)
}

const WAITED_FOR_TOKEN: &str = "while the request waited for a token; the request was not sent";
const WAITED_FOR_REPLACEMENT: &str = "while the request waited for another token, after the API rejected \
                                      the first one; the request was not replayed";

/// Awaits `future` until the caller's deadline, if there is one.
async fn bound<F: Future>(
    deadline: Option<&mut Deadline>,
    future: F,
    moment: &str,
) -> Result<F::Output, Error> {
    match deadline {
        None => Ok(future.await),
        Some(deadline) => deadline.bound(future).await.ok_or_else(|| passed(moment)),
    }
}

/// Sets the timeout of a request that is sent late.
fn set_remaining(
    request: &mut Request,
    deadline: Option<&Deadline>,
    moment: &str,
) -> Result<(), Error> {
    if let Some(deadline) = deadline {
        let remaining = deadline.remaining().ok_or_else(|| passed(moment))?;
        *request.timeout_mut() = Some(remaining);
    }
    Ok(())
}

fn passed(moment: &str) -> Error {
    deadline_passed(Deadline::error("reqwest::Request::timeout", moment))
}

/// Describes a response, which may be from another URL: reqwest follows redirects below the
/// middleware.
fn response_head<'a>(response: &'a Response, requested: &Url) -> ResponseHead<'a> {
    ResponseHead::new(response.status(), response.headers())
        .with_redirect(redirect(requested, response.url()))
}
