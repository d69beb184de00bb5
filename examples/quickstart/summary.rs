//! Explains the outcomes.

use crate::{load::Outcome, servers::Servers, table::counted};

/// Explains outcomes in which all requests succeeded.
pub(crate) fn summary(outcomes: &[Outcome], servers: &Servers) -> String {
    let all = |condition: fn(&Outcome) -> bool| outcomes.iter().all(condition);
    let mut text = if all(|outcome| outcome.requests == 1) {
        "Each client requested an access token, and called the API with it. With -n 1000 each client\n\
         sends 1,000 requests, and makes no further token request while its token is fresh."
            .to_owned()
    } else if all(|outcome| outcome.token_requests == 1) {
        "Every request carried an access token, and each client made one token request. The first\n\
         requests waited for it and shared its outcome. The others found the token in the cache."
            .to_owned()
    } else {
        "Every request carried an access token. The cache keeps a token until it is stale, and\n\
         then refreshes it in the background."
            .to_owned()
    };
    if let Some((token_requests, rejections)) = servers.counts() {
        text += &format!(
            "\nThe authorization server received {}, and the API rejected {}.",
            counted(token_requests, "token request"),
            counted(rejections, "request")
        );
    }
    text
}
