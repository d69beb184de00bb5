//! The redirects that a reqwest client follows without a risk for the token.

use reqwest::{
    Url,
    redirect::{Action, Attempt, Policy},
};

/// Returns a redirect policy with which no hop sends the token to another origin.
///
/// reqwest 0.13 drops the `Authorization` header on a hop to another origin, and **sends it again** on
/// the next hop if that stays within the other origin: it compares a hop with the previous one only,
/// and starts each hop with the headers of the first request. If the API redirects to another origin,
/// and that origin redirects to itself, the other origin receives the token. The same holds for cookies
/// and for an `Authorization` header of the caller.
///
/// This policy follows up to 10 redirects, as reqwest's own does, and returns an error for a hop that
/// would send the header again: one within an origin, after a hop to another origin.
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
    Policy::custom(|attempt| match repeats_dropped_headers(&attempt) {
        true => decline(attempt),
        false => Policy::default().redirect(attempt),
    })
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
