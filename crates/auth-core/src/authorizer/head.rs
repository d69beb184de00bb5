//! What is looked at of a request and of its response.

use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode};

use url::{Position, Url};

use crate::{challenge, origin::Target};

/// The part of a request that decides.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    pub(super) target: Target<'a>,
    pub(super) headers: &'a HeaderMap,
    pub(super) method: Option<&'a Method>,
    pub(super) extensions: Option<&'a Extensions>,
}

impl<'a> RequestHead<'a> {
    /// A request to `target` with `headers`.
    pub fn new(target: impl Into<Target<'a>>, headers: &'a HeaderMap) -> Self {
        Self {
            target: target.into(),
            headers,
            method: None,
            extensions: None,
        }
    }

    /// Its method, which may decide whether it is sent again.
    #[must_use]
    #[inline]
    pub fn method(mut self, method: &'a Method) -> Self {
        self.method = Some(method);
        self
    }

    /// What it carries beside what is sent: a [`TokenRequest`](crate::TokenRequest) in there picks its token.
    #[must_use]
    #[inline]
    pub fn extensions(mut self, extensions: &'a Extensions) -> Self {
        self.extensions = Some(extensions);
        self
    }

    /// A value of its extensions, if it has one of that type.
    #[must_use]
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&'a T> {
        self.extensions?.get()
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The host it names, as it is written; `None` if its URI is only a path.
    #[must_use]
    pub fn host(&self) -> Option<&'a str> {
        Some(self.target.destination?.host())
    }

    /// Whether it is a gRPC request, by its content type.
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        challenge::is_grpc(self.headers)
    }
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    #[inline]
    fn from(request: &'a Request<B>) -> Self {
        Self::new(request.uri(), request.headers())
            .method(request.method())
            .extensions(request.extensions())
    }
}

/// The part of a response that tells whether its token was refused.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) is_from_elsewhere: bool,
    /// Something else was carried out before: the response is to another request.
    pub(super) was_redirected: bool,
}

impl<'a> ResponseHead<'a> {
    /// A response from where the request was sent.
    #[must_use]
    #[inline]
    pub fn new(status: StatusCode, headers: &'a HeaderMap) -> Self {
        Self {
            status,
            headers,
            is_from_elsewhere: false,
            was_redirected: false,
        }
    }

    /// Says what was asked and what answered, for a client that follows redirects below.
    ///
    /// What another origin says is not about the token. And if another resource of the same origin
    /// refuses the token, the one that was asked may have done its work before it sent us there: the
    /// request is sent again only if its method is safe
    /// ([RFC 9110 §9.2.1](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1)).
    #[must_use]
    pub fn answered(mut self, asked: &Url, by: &Url) -> Self {
        self.is_from_elsewhere = !Target::from(asked).has_origin_of(&Target::from(by));
        self.was_redirected = asked[..Position::AfterQuery] != by[..Position::AfterQuery];
        self
    }
}

impl<'a, B> From<&'a Response<B>> for ResponseHead<'a> {
    #[inline]
    fn from(response: &'a Response<B>) -> Self {
        Self::new(response.status(), response.headers())
    }
}
