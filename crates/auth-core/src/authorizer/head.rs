//! The parts of a request and of a response that an [`Authorizer`](super::Authorizer) reads.

use std::borrow::Cow;

use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode};

use crate::{
    challenge,
    origin::{Origin, Target},
};

/// The parts of a request that decide whether it carries a token, and which one.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    pub(super) target: Target<'a>,
    pub(super) headers: &'a HeaderMap,
    pub(super) method: Option<&'a Method>,
    pub(super) extensions: Option<&'a Extensions>,
}

impl<'a> RequestHead<'a> {
    /// Describes a request to `target` with `headers`.
    pub fn new(target: impl Into<Target<'a>>, headers: &'a HeaderMap) -> Self {
        Self {
            target: target.into(),
            headers,
            method: None,
            extensions: None,
        }
    }

    /// Sets the method, which may decide whether the request is replayed.
    #[must_use]
    #[inline]
    pub fn with_method(mut self, method: &'a Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Sets the extensions. A [`TokenRequest`](crate::TokenRequest) in them picks the request's
    /// token.
    #[must_use]
    #[inline]
    pub fn with_extensions(mut self, extensions: &'a Extensions) -> Self {
        self.extensions = Some(extensions);
        self
    }

    /// Returns the method, if it was set.
    #[must_use]
    pub fn method(&self) -> Option<&'a Method> {
        self.method
    }

    /// Returns the extensions, if they were set.
    #[must_use]
    pub fn extensions(&self) -> Option<&'a Extensions> {
        self.extensions
    }

    /// Returns the extension of type `T`, if the request has one.
    #[must_use]
    #[inline]
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&'a T> {
        self.extensions?.get()
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// Returns the host that the request's URI names, normalized: in lower case, without a final dot
    /// after several labels, an IPv6 address in brackets and as in RFC 5952. All spellings of a host
    /// are therefore equal, and a tenant cannot depend on how a client writes the hop of a redirect.
    /// Allocates only if the URI has another spelling.
    ///
    /// A malformed host, which no allowed origin has, is returned as written. `None` if the URI is only a
    /// path.
    ///
    /// ```
    /// # use auth_core::RequestHead;
    /// # use http::{HeaderMap, Uri};
    /// let (uri, headers) = (Uri::from_static("https://API.example.com./orders"), HeaderMap::new());
    /// let head = RequestHead::new(&uri, &headers);
    /// assert_eq!(head.host().as_deref(), Some("api.example.com"));
    /// ```
    #[must_use]
    pub fn host(&self) -> Option<Cow<'a, str>> {
        Some(self.target.destination?.normalized_host())
    }

    /// Returns the origin that the request's URI names, normalized. Two APIs on different ports of
    /// one host have different origins. Allocates.
    ///
    /// `None` if the URI is only a path, its scheme is neither `http` nor `https`, or its host or
    /// port is malformed.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.target.destination?.origin()
    }

    /// Returns whether this is a gRPC request, by its content type.
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        challenge::is_grpc(self.headers)
    }
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    #[inline]
    fn from(request: &'a Request<B>) -> Self {
        Self::new(request.uri(), request.headers())
            .with_method(request.method())
            .with_extensions(request.extensions())
    }
}

/// Whether a client followed redirects before it returned a response, and where they led.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Redirect {
    /// The response is from the URL that was requested. A fragment makes no difference.
    #[default]
    None,
    /// The response is from another URL of the same origin.
    WithinOrigin,
    /// The response is from another origin.
    ToAnotherOrigin,
}

/// The parts of a response that decide whether it rejects the token of its request.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) redirect: Redirect,
}

impl<'a> ResponseHead<'a> {
    /// Describes a response from the URL that was requested.
    #[must_use]
    #[inline]
    pub fn new(status: StatusCode, headers: &'a HeaderMap) -> Self {
        Self {
            status,
            headers,
            redirect: Redirect::None,
        }
    }

    /// Sets where redirects led, for a client that follows them below the middleware.
    ///
    /// A response from another origin is not about the token. If another URL of the same origin
    /// rejects the token, the requested resource may have carried the request out before it
    /// redirected: the request is replayed only if its method is safe
    /// ([RFC 9110 §9.2.1](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1)).
    #[must_use]
    #[inline]
    pub fn with_redirect(mut self, redirect: Redirect) -> Self {
        self.redirect = redirect;
        self
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// Returns where redirects led. Default: [`Redirect::None`].
    #[must_use]
    pub fn redirect(&self) -> Redirect {
        self.redirect
    }
}

impl<'a, B> From<&'a Response<B>> for ResponseHead<'a> {
    #[inline]
    fn from(response: &'a Response<B>) -> Self {
        Self::new(response.status(), response.headers())
    }
}
