//! What has just happened, in words.

use crate::{load::Outcome, place::Place};

/// Of requests that all succeeded.
pub(crate) fn of(outcomes: &[Outcome], place: &Place) -> String {
    let all = |wanted: fn(&Outcome) -> bool| outcomes.iter().all(wanted);
    let mut text = if all(|outcome| outcome.requests == 1) {
        "Each client obtained an access token and called the API with it. More requests (-n 1000)\n\
         take no more token requests."
            .to_owned()
    } else if all(|outcome| outcome.token_requests == 1) {
        "Every request carried an access token, and each client asked for one only once: those who\n\
         come while it is on its way wait for that one answer, the others find it in memory."
            .to_owned()
    } else {
        "Every request carried an access token. A token is kept until it is about to end, and is\n\
         then replaced in the background."
            .to_owned()
    };
    if let Some((token_requests, refused)) = place.counted() {
        text.push_str(&format!(
            "\nThe servers counted the same: {token_requests} token requests, {refused} requests refused."
        ));
    }
    text
}
