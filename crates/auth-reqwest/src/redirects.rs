//! The redirects that a reqwest client follows without a risk for the token.

use auth_core::{Error, ErrorKind};
use reqwest::{
    Url,
    redirect::{Action, Attempt, Policy},
};

use crate::proof_scope::carries_proof;

/// Returns a redirect policy with which no hop sends the token to another origin.
///
/// reqwest 0.13 drops the `Authorization` header on a hop to another origin, and **sends it again** on
/// the next hop if that stays within the other origin: it compares a hop with the previous one only,
/// and starts each hop with the headers of the first request. If the API redirects to another origin,
/// and that origin redirects to itself, the other origin receives the token. The same holds for cookies
/// and for an `Authorization` header of the caller.
///
/// This policy follows up to 10 redirects, as reqwest's own does, and returns an error for a hop that
/// would send the header again: one within an origin, after a hop to another origin. It also returns an
/// error for each hop of a request that carries a proof ([RFC
/// 9449](https://www.rfc-editor.org/rfc/rfc9449)): reqwest would repeat the proof, which is valid for one
/// URL alone, and there is no middleware below that could make another one. A policy that follows no
/// redirects (`Policy::none`) returns such a response instead.
/// [`client_builder`](crate::client_builder) sets it. Set it for a client of another builder that
/// follows redirects:
///
/// ```
/// use auth_reqwest::redirect_policy;
///
/// let client = reqwest::Client::builder().no_proxy().redirect(redirect_policy());
/// ```
#[must_use]
pub fn redirect_policy() -> Policy {
    Policy::custom(|attempt| {
        if carries_proof() {
            decline_proof(attempt)
        } else if repeats_dropped_headers(&attempt) {
            decline(attempt)
        } else {
            Policy::default().redirect(attempt)
        }
    })
}

fn decline_proof(attempt: Attempt<'_>) -> Action {
    let origin = attempt.url().origin().ascii_serialization();
    attempt.error(Error::new(
        ErrorKind::Redirected,
        format!(
            "redirect to {origin}: expected none for a request with a DPoP proof, got one; it is not \
             followed, because reqwest would repeat the proof, which is valid for the requested URL alone; \
             request the target itself"
        ),
    ))
}

fn decline(attempt: Attempt<'_>) -> Action {
    let origin = attempt.url().origin().ascii_serialization();
    attempt.error(format!(
        "redirect within {origin}: expected none after a redirect from another origin, got one; it is \
         not followed, because reqwest would send the Authorization header of the first request, which \
         it dropped before, to {origin}; request the target itself"
    ))
}

/// Returns whether a hop may have headers that an earlier hop dropped.
fn repeats_dropped_headers(attempt: &Attempt<'_>) -> bool {
    let (next, previous) = (attempt.url(), attempt.previous());
    let is_other = |one: &Url, other: &Url| one.origin() != other.origin();
    let dropped_before = previous.windows(2).any(|urls| is_other(&urls[0], &urls[1]));
    dropped_before && previous.last().is_some_and(|last| !is_other(last, next))
}
