//! Requests the metadata of an authorization server, and keeps it.

use std::{
    fmt, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{
    document::{Metadata, Unread},
    issuer::Issuer,
};
use crate::{
    Error, ErrorKind, HttpTransport, NewConnection,
    attempt_time::AttemptTime,
    events,
    redact::{Echoes, clean, clean_error},
    token_endpoint::{body::read_body, http_request::default_user_agent, retry_after::retry_after},
};

/// How long a document is used before it is requested again.
const LIFETIME: Duration = Duration::from_secs(3600);
/// The maximum time of a request for the documents, and at most half of the attempt's remaining time.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last document is used after a request for it failed, unless the server asks for more.
const PAUSE: Duration = Duration::from_secs(30);
/// The maximum number of methods in a warning.
const MAX_METHODS: usize = 16;
/// How long the callers wait for another one's request, which may be in a runtime that is not driven: a
/// little longer than it may take.
const ABANDONED: Duration = PATIENCE.saturating_add(Duration::from_millis(500));

/// The metadata of one authorization server: requested when it is first needed, and again after an
/// hour or after a failure that a moved endpoint may have caused.
pub(in crate::token_endpoint) struct Discovery {
    issuer: Issuer,
    state: Mutex<State>,
    warned: AtomicBool,
}

type Outcome = Option<Result<Arc<Metadata>, Error>>;

#[derive(Default)]
struct State {
    current: Option<Current>,
    in_flight: Option<InFlight>,
}

#[derive(Clone)]
struct Current {
    metadata: Arc<Metadata>,
    requested_at: Duration,
    /// Whether a token request has failed with it.
    is_doubtful: bool,
    /// When it may be requested again, after a request for it failed.
    next_attempt: Duration,
    /// Whether a failure to request it again was logged.
    has_warned: bool,
}

struct InFlight {
    outcome: watch::Receiver<Outcome>,
    since: Duration,
}

/// The part that a caller takes.
enum Role {
    Use(Arc<Metadata>),
    Request(watch::Sender<Outcome>),
    Wait(watch::Receiver<Outcome>, Duration),
}

impl Discovery {
    pub(in crate::token_endpoint) fn new(issuer: &str, allow_http: bool) -> Result<Self, Error> {
        Ok(Self {
            issuer: Issuer::parse(issuer, allow_http)?,
            state: Mutex::default(),
            warned: AtomicBool::new(false),
        })
    }

    pub(in crate::token_endpoint) fn issuer(&self) -> &str {
        self.issuer.text()
    }

    /// Returns the metadata. One caller at a time requests it, and the others wait for its outcome.
    pub(in crate::token_endpoint) async fn metadata(
        &self,
        transport: &dyn HttpTransport,
        user_agent: Option<&HeaderValue>,
    ) -> Result<Arc<Metadata>, Error> {
        let attempt = AttemptTime::current();
        loop {
            match self.role(attempt.monotonic()) {
                Role::Use(metadata) => return Ok(metadata),
                Role::Request(sender) => {
                    let document = self.document(transport, user_agent, &attempt);
                    return self.request(document, &attempt, &sender).await;
                }
                Role::Wait(mut outcome, until) => {
                    let waited = outcome.wait_for(Option::is_some);
                    let waited = attempt.clock().before(until, waited).await;
                    // otherwise the request was dropped, or its runtime is not driven: this caller sends the
                    // next one
                    if let Some(Ok(Some(outcome))) = waited.as_ref().map(|waited| waited.as_deref())
                    {
                        return outcome.clone();
                    }
                }
            }
        }
    }

    /// Records that a request to an endpoint of the metadata failed. If the endpoint may have moved, the
    /// metadata is requested again at the next token request.
    pub(in crate::token_endpoint) fn doubt_after(&self, error: &Error) {
        let is_of_client = match error.error_code() {
            Some(code) => code == "invalid_client",
            None => error.status() == Some(StatusCode::UNAUTHORIZED),
        };
        let may_have_moved = match error.kind() {
            ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Redirected => true,
            ErrorKind::Denied => is_of_client,
            _ => matches!(
                error.status(),
                Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE)
            ),
        };
        if may_have_moved {
            self.doubt();
        }
    }

    /// Records that an endpoint of the metadata may have moved: the metadata is requested again at the
    /// next token request.
    pub(in crate::token_endpoint) fn doubt(&self) {
        if let Some(current) = &mut self.lock().current {
            current.is_doubtful = true;
        }
    }

    /// Warns once if the server does not name `method` among those that it supports.
    pub(in crate::token_endpoint) fn check_method(&self, metadata: &Metadata, methods: &[&str]) {
        let is_known = metadata
            .authentication_methods()
            .any(|supported| methods.contains(&supported));
        if !is_known && !methods.is_empty() && !self.warned.swap(true, Relaxed) {
            let supported: Vec<_> = metadata
                .authentication_methods()
                .take(MAX_METHODS)
                .collect();
            let supported = clean(&supported.join(" "), &Echoes::default());
            events::method_not_supported(self.issuer(), methods[0], &supported);
        }
    }

    fn role(&self, now: Duration) -> Role {
        let mut state = self.lock();
        if let Some(current) = &state.current {
            let ends_at = current.requested_at.saturating_add(LIFETIME);
            let is_good = !current.is_doubtful && now < ends_at;
            if is_good || now < current.next_attempt {
                return Role::Use(Arc::clone(&current.metadata));
            }
        }
        if let Some(InFlight { outcome, since }) = &state.in_flight {
            let until = since.saturating_add(ABANDONED);
            if outcome.has_changed().is_ok() && now < until {
                return Role::Wait(outcome.clone(), until);
            }
        }
        let (sender, outcome) = watch::channel(None);
        let since = now;
        state.in_flight = Some(InFlight { outcome, since });
        Role::Request(sender)
    }

    async fn request(
        &self,
        document: impl Future<Output = Result<Metadata, Unread>>,
        attempt: &AttemptTime,
        sender: &watch::Sender<Outcome>,
    ) -> Result<Arc<Metadata>, Error> {
        let requested_at = attempt.monotonic();
        let requested = attempt.within(PATIENCE, document).await;
        let requested = requested.unwrap_or_else(|| Err(self.late().into()));
        let mut state = self.lock();
        let mut first_failure = None;
        let outcome = match (requested, &mut state.current) {
            (Ok(metadata), current) => {
                let metadata = Arc::new(metadata);
                *current = Some(Current {
                    metadata: Arc::clone(&metadata),
                    requested_at,
                    is_doubtful: false,
                    next_attempt: Duration::ZERO,
                    has_warned: false,
                });
                Ok(metadata)
            }
            // an outage of the document is no outage of the token endpoint
            (Err(Unread::Failed(error)), Some(current)) => {
                let pause = error.server_retry_after().unwrap_or_default();
                let pause = pause.clamp(PAUSE, LIFETIME);
                current.next_attempt = attempt.monotonic().saturating_add(pause);
                if !mem::replace(&mut current.has_warned, true) {
                    first_failure = Some((error, pause));
                }
                Ok(Arc::clone(&current.metadata))
            }
            (Err(Unread::Failed(error) | Unread::OtherIssuer(error)), _) => Err(error),
        };
        state.in_flight = None;
        drop(state);
        if let Some((error, pause)) = first_failure {
            events::metadata_refresh_failed(self.issuer(), &error, pause);
        }
        sender.send_replace(Some(outcome.clone()));
        outcome
    }

    /// Requests the document of RFC 8414, and that of OpenID Connect if there is none, or if the first
    /// one has taken half of the time.
    async fn document(
        &self,
        transport: &dyn HttpTransport,
        user_agent: Option<&HeaderValue>,
        attempt: &AttemptTime,
    ) -> Result<Metadata, Unread> {
        let [oauth, oidc] = self.issuer.documents();
        let patience = PATIENCE.min(attempt.left(attempt.monotonic()) / 2);
        let first = self.get(transport, user_agent, oauth);
        let Some(first) = attempt.within(patience / 2, first).await else {
            return match self.get(transport, user_agent, oidc).await {
                Err(Unread::Failed(_)) => Err(self.late().into()),
                second => second,
            };
        };
        let is_missing = |status: StatusCode| {
            status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS
        };
        match first {
            Err(Unread::Failed(error)) if error.status().is_some_and(is_missing) => {
                self.get(transport, user_agent, oidc).await
            }
            first => first,
        }
    }

    async fn get(
        &self,
        transport: &dyn HttpTransport,
        user_agent: Option<&HeaderValue>,
        url: &Uri,
    ) -> Result<Metadata, Unread> {
        let place = format!("metadata document {url}");
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = url.clone();
        request.extensions_mut().insert(NewConnection);
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        if let Some(user_agent) = user_agent {
            headers.insert(header::USER_AGENT, user_agent.clone());
        }
        let response = transport.send(request).await;
        let response = response.map_err(|error| clean_error(error, &[]).at(&place))?;
        let (head, body) = response.into_parts();
        if head.status.is_redirection() {
            let what = "expected the document, got a redirect, which is not followed; set the issuer that \
                        serves it, or the token endpoint itself";
            let error = Error::new(ErrorKind::Redirected, what);
            return Err(error.with_status(head.status).at(&place).into());
        }
        if !head.status.is_success() {
            let what = format!(
                "expected the document, got the status {}",
                head.status.as_u16()
            );
            let error = Error::new(ErrorKind::Unavailable, what);
            let error = error.with_status(head.status).at(&place);
            let wait = retry_after(&head.headers, AttemptTime::current().wall());
            return Err(Unread::Failed(match wait {
                Some(wait) => error.with_server_retry_after(wait),
                None => error,
            }));
        }
        let mut received = Zeroizing::default();
        read_body(body, &mut received, &place, &[]).await?;
        Metadata::read(&received, &self.issuer).map_err(|unread| unread.at(&place))
    }

    fn late(&self) -> Error {
        Error::new(
            ErrorKind::Timeout,
            format!(
                "issuer {}: expected its metadata document within 5 s, and half of the attempt, got none",
                self.issuer()
            ),
        )
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Metadata {
    /// Requests the metadata of the authorization server `issuer`, an `https` URL (`http` is allowed on
    /// loopback) without query and fragment. The document of RFC 8414 comes first, and that of OpenID
    /// Connect Discovery if there is none. [`TokenEndpoint::discover`](crate::TokenEndpoint::discover)
    /// does this by itself.
    ///
    /// # Errors
    /// If the issuer is malformed, if there is no document within 5 s, if it is larger than 1 MiB, or if
    /// it is that of another issuer (RFC 8414 §3.3).
    ///
    /// ```
    /// # use auth_core::{Error, HttpTransport, Metadata};
    /// # async fn example(transport: impl HttpTransport) -> Result<(), Error> {
    /// let metadata = Metadata::discover("https://as.example.com", &transport).await?;
    /// println!("{}", metadata.token_endpoint());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn discover(issuer: &str, transport: &dyn HttpTransport) -> Result<Arc<Self>, Error> {
        let user_agent = default_user_agent(transport);
        let discovery = Discovery::new(issuer, false)?;
        discovery.metadata(transport, user_agent.as_ref()).await
    }
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovery")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}
