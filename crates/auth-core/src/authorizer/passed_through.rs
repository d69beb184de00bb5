//! A request that passes through, and the redirect that its response may be.

use http::{HeaderMap, header::LOCATION};

use super::{
    authorizer::Authorizer,
    head::{RequestHead, ResponseHead},
    owned_head::OwnedHead,
    passing::{Passing, ResponseCheck},
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
    request: Kept,
}

/// The parts of the request that the check needs.
#[derive(Clone, Debug)]
enum Kept {
    /// It goes to this origin, which is not listed, or is not known to be the destination.
    Target(OwnedTarget),
    /// The tenants of the request and of its hops follow from the head.
    Head(Box<OwnedHead>),
}

impl Authorizer {
    /// Prepares the check of the response to a request for which [`authorize`](Self::authorize) returned
    /// [`PassThrough`](super::Decision::PassThrough) with this `passing`. Does not examine the request
    /// again. Copies no text and does not allocate, unless the target was created
    /// [from parts](Target::from_parts) or the authorizer has tenants.
    ///
    /// `None` if no response to the request needs the check: the request goes to an allowed origin, or
    /// every origin is allowed.
    pub fn passed_through<'a>(
        &self,
        passing: Passing,
        request: impl Into<RequestHead<'a>>,
    ) -> Option<PassedThrough> {
        let request = match passing.0 {
            ResponseCheck::Unneeded => return None,
            ResponseCheck::Unlisted => Kept::Target(request.into().target.into()),
            ResponseCheck::ByTenant => Kept::Head(Box::new(OwnedHead::from(&request.into()))),
        };
        Some(PassedThrough { request })
    }
}

impl PassedThrough {
    /// Checks the response with the `authorizer` that decided about the request. Costs nothing unless
    /// the status of the response is 3xx.
    ///
    /// # Errors
    /// [`ErrorKind::Redirected`] if the response is a redirect to an origin that would receive a
    /// token of this authorizer. A relative `Location` is resolved; of several, each counts; one
    /// whose host cannot be compared, because it is not ASCII, is an error as well. Return the error
    /// instead of the response: the redirect must not be followed.
    pub fn check<'a>(
        &self,
        authorizer: &Authorizer,
        response: impl Into<ResponseHead<'a>>,
    ) -> Result<(), Error> {
        let response = response.into();
        if response.status.is_redirection() {
            return self.check_redirect(authorizer, response.headers);
        }
        Ok(())
    }

    #[cold]
    fn check_redirect(&self, authorizer: &Authorizer, headers: &HeaderMap) -> Result<(), Error> {
        let (head, target) = match &self.request {
            Kept::Target(target) => (None, target.as_target()),
            Kept::Head(head) => {
                let head = head.as_head();
                (Some(head), head.target)
            }
        };
        let locations = headers.get_all(LOCATION).iter();
        for lead in locations.flat_map(|location| leads(location.as_bytes(), target)) {
            // `None` is a host that cannot be compared
            let next = match &lead {
                Lead::To(origin) => Some(Target::from(origin)),
                Lead::Unclear => None,
            };
            if authorizer.hop_gets_token(head.as_ref(), next) {
                return Err(declined(target, &lead));
            }
        }
        Ok(())
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
