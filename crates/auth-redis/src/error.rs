//! Errors of Redis operations, in texts that hold no secret.

use std::{error::Error as _, io, sync::Arc};

use auth_core::{Error, ErrorKind};
use redis::{ErrorKind as Kind, RedisError};

type Cause = dyn std::error::Error + Send + Sync;

/// The codes of error replies, and what they mean for this store. The reply's own text is not shown:
/// it may repeat the arguments of the command, which may be secret.
const REPLIES: &[(&str, &str)] = &[
    ("WRONGPASS", WRONG_PASSWORD),
    (
        "NOAUTH",
        "the server requires a password; set it in the URL, or by primary_password() behind Sentinels",
    ),
    ("NOPERM", NO_PERMISSION),
    ("OOM", "the server's memory is full (maxmemory)"),
    (
        "READONLY",
        "the server is a replica and accepts no writes; the store needs the primary",
    ),
    ("WRONGTYPE", "a key holds a value of another type"),
    ("LOADING", "the server is loading its data"),
    ("MASTERDOWN", "the server is a replica without its primary"),
    (
        "NOREPLICAS",
        "the server accepts no writes, because too few replicas are connected",
    ),
    (
        "MISCONF",
        "the server accepts no writes, because it cannot persist its data",
    ),
    ("BUSY", "the server is busy with a script"),
    ("NOPROTO", NO_RESP3),
    ("CLUSTERDOWN", "the Cluster is down"),
    ("TRYAGAIN", "the Cluster is moving keys"),
    (
        "CROSSSLOT",
        "the keys of one command belong to different nodes",
    ),
    (
        "MOVED",
        "the server is a node of a Cluster; build the store with RedisStore::cluster",
    ),
    (
        "ASK",
        "the server is a node of a Cluster; build the store with RedisStore::cluster",
    ),
];

const NO_PERMISSION: &str = "the user's ACL does not allow a command, a key or a channel; the README of auth-redis lists \
                             the rules";

const WRONG_PASSWORD: &str = "the user name or the password is wrong; check those in the URL, and behind Sentinels those set \
                              by primary_username() and primary_password()";

const NO_RESP3: &str = "the server does not support RESP3; expected Redis 6 or newer";

/// The error of an operation at `server`.
pub(crate) fn shared_store(server: &str, error: &RedisError) -> Error {
    let cause = cause(error);
    Error::new(
        ErrorKind::SharedStore,
        format!("Redis at {server}: {cause}"),
    )
}

/// The error of an invalid setting.
pub(crate) fn configuration(subject: &str, error: &RedisError) -> Error {
    // up to the dash, the text is a fixed one of the redis crate; the rest may hold a secret
    let text = error.to_string();
    let cause = text.split(" - ").next().unwrap_or_default();
    Error::configuration(format!("{subject}: {cause}"))
}

/// Whether the connection is to be replaced: a new one may reach a server that can serve the store.
pub(crate) fn needs_new_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_io_error()
        || matches!(code(error), Some("READONLY" | "NOAUTH" | "MASTERDOWN"))
}

/// The redis crate's text for a failed SELECT; the reply has only the code `ERR`.
const NO_DATABASE: &str = "Redis server refused to switch database";

fn cause(error: &RedisError) -> String {
    if error.to_string().starts_with(NO_DATABASE) {
        return "SELECT failed: the server has no database of that number, or the user's ACL does not \
                allow SELECT"
            .to_owned();
    }
    let detail = error.detail().unwrap_or_default();
    let is_unknown_command =
        detail.starts_with("unknown command") || detail.starts_with("Unknown Redis command");
    if error.code() == Some("ERR") && is_unknown_command {
        return "the server does not know a command that the store needs: it is disabled, renamed or \
                newer than the server; the README of auth-redis lists the commands"
            .to_owned();
    }
    // Redis 7.0, for a command within a script
    if error.code() == Some("ERR") && detail.starts_with("The user executing the script can't") {
        return format!("NOPERM: {NO_PERMISSION}");
    }
    if let Some(code) = code(error) {
        let known = REPLIES.iter().find(|(known, _)| *known == code);
        return match known {
            Some((code, meaning)) => format!("{code}: {meaning}"),
            None => format!("the server answered with the error {code}"),
        };
    }
    match error.kind() {
        Kind::Io => io(error),
        Kind::AuthenticationFailed => format!("WRONGPASS: {WRONG_PASSWORD}"),
        Kind::RESP3NotSupported => NO_RESP3.to_owned(),
        Kind::MasterNameNotFoundBySentinel => {
            "no Sentinel knows an available primary of that name".to_owned()
        }
        Kind::ClusterConnectionNotFound => "no node of the Cluster answers".to_owned(),
        kind => format!("{} ({kind:?})", error.category()),
    }
}

fn io(error: &RedisError) -> String {
    // the redis crate wraps the cause in an `Arc`
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<Arc<Cause>>());
    match cause.and_then(|cause| cause.downcast_ref::<io::Error>()) {
        // the text of the operating system or of the TLS library, which names the cause
        Some(error) => error.to_string(),
        None => "the connection failed".to_owned(),
    }
}

/// Returns the code of an error reply. Before Redis 7, an error within a script has the code `ERR`
/// and names its own code in its text.
fn code(error: &RedisError) -> Option<&str> {
    let code = error.code()?;
    let words = error.detail().unwrap_or_default();
    // other texts may repeat the arguments of the command, and so the text of a script
    if code != "ERR" || !words.starts_with("Error running script") {
        return Some(code);
    }
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
    fn an_error_reply_is_shown_by_its_code_and_not_by_its_text() {
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
    fn the_code_of_a_failed_script_is_found_in_the_text_of_redis_6() {
        let text = "Error running script (call to f_0): @user_script:1: -OOM command not allowed";
        let error = RedisError::from((
            Kind::Server(ServerErrorKind::ResponseError),
            "An error was signalled by the server",
            text.to_owned(),
        ));
        assert!(shown(&error).contains(": OOM: the server's memory is full"));
        let text = "value 'of OOM s3cr3t' is no integer";
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

    /// Its text repeats the script, which names codes.
    #[test]
    fn a_command_that_the_server_does_not_know_is_no_other_error() {
        let text =
            "unknown command 'EVAL', with args beginning with: 'if WRONGTYPE' 'READONLY s3cr3t'";
        let error = RedisError::from((
            Kind::Server(ServerErrorKind::ResponseError),
            "An error was signalled by the server",
            text.to_owned(),
        ));
        assert!(!needs_new_connection(&error));
        let shown = shown(&error);
        assert!(
            shown.contains("disabled, renamed") && !shown.contains("s3cr3t"),
            "{shown}"
        );
        assert!(!shown.contains("WRONGTYPE"), "{shown}");
    }

    #[test]
    fn an_error_of_the_operating_system_is_shown() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(shown(&refused.into()).contains("connection refused"));
    }

    #[test]
    fn a_connection_to_a_replica_is_replaced() {
        assert!(needs_new_connection(&reply("READONLY", "")));
        assert!(needs_new_connection(
            &io::Error::from(io::ErrorKind::BrokenPipe).into()
        ));
        assert!(!needs_new_connection(&reply("OOM", "")));
        assert!(!needs_new_connection(&reply("NOPERM", "")));
    }
}
