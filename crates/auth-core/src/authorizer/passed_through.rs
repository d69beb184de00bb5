//! A request that passes through, and the redirect that its response may be.

use http::{HeaderMap, header::LOCATION};

use super::{
    authorizer::Authorizer,
    head::{RequestHead, ResponseHead},
    owned_head::OwnedHead,
};
use crate::{
    Error, ErrorKind,
    origin::{Lead, OwnedTarget, Target, leads},
};

/// A request that is sent without a token to an unlisted origin, for the check of its response.
///
/// A client that follows redirects outside the adapter, such as tower-http's `FollowRedirect`, makes
/// a new request of each hop. A redirect of an unlisted origin could therefore choose any path of an
/// API, and the hop would carry the token. [`check`](Self::check) returns an error for such a
/// response.
#[derive(Clone, Debug)]
pub struct PassedThrough {
    authorizer: Authorizer,
    target: OwnedTarget,
    /// The head, from which the tenants of the request and of its hops follow.
    head: Option<Box<OwnedHead>>,
}

impl Authorizer {
    /// Describes a request for which [`authorize`](Self::authorize) returned
    /// [`PassThrough`](super::Decision::PassThrough), to [check](PassedThrough::check) its response.
    /// `None` if no response to it needs the check: the request goes to an allowed origin, or every
    /// origin is allowed.
    #[cold]
    pub fn passed_through<'a>(&self, request: impl Into<RequestHead<'a>>) -> Option<PassedThrough> {
        let request = request.into();
        let head = match self.is_unlisted(&request) {
            Some(true) => None,
            Some(false) => return None,
            None => Some(Box::new(OwnedHead::from(&request))),
        };
        Some(PassedThrough {
            authorizer: self.clone(),
            target: request.target.into(),
            head,
        })
    }
}

impl PassedThrough {
    /// Checks the response. Costs nothing unless its status is 3xx.
    ///
    /// # Errors
    /// [`ErrorKind::Redirected`] if the response is a redirect to an origin that would receive a
    /// token of this authorizer. A relative `Location` is resolved; of several, each counts; one
    /// whose host cannot be compared, because it is not ASCII, is an error as well. Return the error
    /// instead of the response: the redirect must not be followed.
    pub fn check<'a>(&self, response: impl Into<ResponseHead<'a>>) -> Result<(), Error> {
        let response = response.into();
        if response.status.is_redirection() {
            return self.check_redirect(response.headers);
        }
        Ok(())
    }

    #[cold]
    fn check_redirect(&self, headers: &HeaderMap) -> Result<(), Error> {
        let target = self.target.as_target();
        let locations = headers.get_all(LOCATION).iter();
        for lead in locations.flat_map(|location| leads(location.as_bytes(), target)) {
            let next = match &lead {
                Lead::To(origin) => Some(Target::from(origin)),
                Lead::Unclear => None,
            };
            if self.gets_token(next) {
                return Err(declined(target, &lead));
            }
        }
        Ok(())
    }

    /// Returns whether the hop to `next` may carry a token. `None` is a host that cannot be compared.
    fn gets_token(&self, next: Option<Target<'_>>) -> bool {
        let request = self.head.as_ref().map(|head| head.as_head());
        self.authorizer.hop_gets_token(request.as_ref(), next)
    }
}

fn declined(from: Target<'_>, to: &Lead) -> Error {
    let from = match from.destination {
        Some(destination) => destination.to_string(),
        None => "a destination that its URI does not name".to_owned(),
    };
    let to = match to {
        Lead::To(origin) => origin.to_string(),
        Lead::Unclear => "a host that is not plain ASCII and may be an allowed origin".to_owned(),
    };
    Error::new(
        ErrorKind::Redirected,
        format!(
            "request to {from}: expected a response or a redirect to another unlisted origin, got \
             a redirect to {to}; it is not followed, because the hop would become a request of \
             this client with its token; request that URL itself, add {from} to the allowed \
             origins if it may choose requests with the token, or follow redirects inside the \
             layer (FollowRedirect inside AuthLayer), where the hop carries no token"
        ),
    )
}
