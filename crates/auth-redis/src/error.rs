//! What went wrong, in words that hold no secret.

use std::{error::Error as _, io, sync::Arc};

use auth_core::{Error, ErrorKind};
use redis::{ErrorKind as Kind, RedisError};

type Cause = dyn std::error::Error + Send + Sync;

/// Codes of error replies, and what they mean here. A reply's own text is not shown: it may repeat
/// the arguments of the command, and these may be secret.
const REPLIES: &[(&str, &str)] = &[
    ("WRONGPASS", "it refuses the user or the password"),
    ("NOAUTH", "it wants a user and a password"),
    ("NOPERM", "its ACL forbids a command, a key or a channel"),
    ("OOM", "its memory is full (maxmemory)"),
    ("READONLY", "it is a replica, which cannot be written to"),
    ("WRONGTYPE", "another type of value stands under a key"),
    ("LOADING", "it is loading its data"),
    ("MASTERDOWN", "it is a replica that has lost its primary"),
    (
        "NOREPLICAS",
        "too few replicas are there for it to be written to",
    ),
    ("MISCONF", "it cannot persist its data, and refuses writes"),
    ("BUSY", "it is busy with a script"),
    ("NOPROTO", "it does not know RESP3; Redis 6 does"),
    ("CLUSTERDOWN", "the cluster is down"),
    ("TRYAGAIN", "the cluster is moving keys"),
    ("CROSSSLOT", "keys of one command belong to different nodes"),
    ("MOVED", "the key belongs to another node: it is a cluster"),
    ("ASK", "the key is moving to another node: it is a cluster"),
];

/// The error of an operation at the server `place`.
pub(crate) fn shared_store(place: &str, error: &RedisError) -> Error {
    let cause = cause(error);
    Error::new(ErrorKind::SharedStore, format!("Redis at {place}: {cause}"))
}

/// The error of a setting that cannot work.
pub(crate) fn configuration(what: &str, error: &RedisError) -> Error {
    // these are fixed texts of the library; what stands behind them may not be
    let text = error.to_string();
    let cause = text.split(" - ").next().unwrap_or_default();
    Error::configuration(format!("{what}: {cause}"))
}

/// Whether the connection is of no more use: another one may reach a server that can do better.
pub(crate) fn is_of_the_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_io_error()
        || matches!(code(error), Some("READONLY" | "NOAUTH" | "MASTERDOWN"))
}

/// What the client library calls a SELECT that was refused; the reply says only `ERR`.
const NO_DATABASE: &str = "Redis server refused to switch database";

fn cause(error: &RedisError) -> String {
    if error.to_string().starts_with(NO_DATABASE) {
        return "it refuses the database that the URL names: it has none of that number, or the ACL \
                forbids SELECT"
            .to_owned();
    }
    if let Some(code) = code(error) {
        let known = REPLIES.iter().find(|(known, _)| *known == code);
        return match known {
            Some((code, meaning)) => format!("{code}: {meaning}"),
            None => format!("it answered with the error {code}"),
        };
    }
    match error.kind() {
        Kind::Io => io(error),
        Kind::AuthenticationFailed => "WRONGPASS: it refuses the user or the password".to_owned(),
        Kind::RESP3NotSupported => "it does not know RESP3; Redis 6 does".to_owned(),
        Kind::MasterNameNotFoundBySentinel => {
            "no Sentinel knows a primary of that name that answers".to_owned()
        }
        Kind::ClusterConnectionNotFound => "no node of the cluster answers".to_owned(),
        kind => format!("{} ({kind:?})", error.category()),
    }
}

fn io(error: &RedisError) -> String {
    // the cause stands behind a handle
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<Arc<Cause>>());
    match cause.and_then(|cause| cause.downcast_ref::<io::Error>()) {
        // of the operating system, or of the TLS stack: it names the fault
        Some(error) => error.to_string(),
        None => "the connection failed".to_owned(),
    }
}

/// The code of an error reply. Before Redis 7, a script's errors are all `ERR`, and name the code
/// in their text.
fn code(error: &RedisError) -> Option<&str> {
    let code = error.code()?;
    if code != "ERR" {
        return Some(code);
    }
    let words = error.detail().unwrap_or_default();
    let known = words
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find_map(|word| REPLIES.iter().find(|(known, _)| *known == word));
    Some(known.map_or(code, |(known, _)| known))
}

#[cfg(test)]
mod tests {
    use redis::{ServerErrorKind, make_extension_error};

    use super::*;

    fn reply(code: &str, text: &str) -> RedisError {
        make_extension_error(code.to_owned(), Some(text.to_owned()))
    }

    fn shown(error: &RedisError) -> String {
        let error = shared_store("localhost:6379", error);
        assert_eq!(error.kind(), ErrorKind::SharedStore);
        format!("{error}\n{error:?}")
    }

    #[test]
    fn a_reply_is_told_by_its_code_and_not_by_its_text() {
        for (code, _) in REPLIES {
            let shown = shown(&reply(code, "of 's3cr3t'"));
            assert!(shown.starts_with(&format!("Redis at localhost:6379: {code}: ")));
            assert!(!shown.contains("s3cr3t"), "{shown}");
        }
        let shown = shown(&reply("NEWCODE", "of 's3cr3t'"));
        assert!(shown.contains("the error NEWCODE"), "{shown}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }

    #[test]
    fn what_a_script_failed_with_is_found_in_the_text_of_redis_6() {
        let text = "Error running script (call to f_0): @user_script:1: -OOM command not allowed";
        let error = RedisError::from((
            Kind::Server(ServerErrorKind::ResponseError),
            "An error was signalled by the server",
            text.to_owned(),
        ));
        assert!(shown(&error).contains(": OOM: its memory is full"));
        let text = "unknown command 'AUTH', with args beginning with: 's3cr3t'";
        let error = RedisError::from((
            Kind::Server(ServerErrorKind::ResponseError),
            "An error was signalled by the server",
            text.to_owned(),
        ));
        let shown = shown(&error);
        assert!(
            shown.contains("the error ERR") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }

    #[test]
    fn what_the_operating_system_says_is_told() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(shown(&refused.into()).contains("connection refused"));
    }

    #[test]
    fn another_connection_helps_if_this_one_leads_to_a_replica() {
        assert!(is_of_the_connection(&reply("READONLY", "")));
        assert!(is_of_the_connection(
            &io::Error::from(io::ErrorKind::BrokenPipe).into()
        ));
        assert!(!is_of_the_connection(&reply("OOM", "")));
        assert!(!is_of_the_connection(&reply("NOPERM", "")));
    }
}
