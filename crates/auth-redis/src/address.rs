//! The URL of a server: its address, and the user, password and database there.

use std::{fmt, time::Duration};

use auth_core::Error;
#[cfg(any(feature = "cluster", feature = "sentinel", feature = "tls"))]
use redis::ConnectionAddr;
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion, io::tcp::socket2};

use crate::error;

const SCHEMES: &str = "redis://, rediss://, unix:// or redis+unix://";
/// TCP keepalive discovers a dead connection after about twice this time.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A valid URL. Its `Debug` shows the host and the port, or the path.
#[derive(Clone)]
pub(crate) struct Address(ConnectionInfo);

impl Address {
    /// Parses `url`. An error never shows the URL, which may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        let Some(scheme) = scheme.filter(|scheme| is_scheme(scheme)) else {
            return Err(Error::configuration(format!(
                "the Redis URL has no scheme; expected one that starts with {SCHEMES}"
            )));
        };
        match scheme {
            "redis" | "valkey" | "unix" | "redis+unix" | "valkey+unix" => {}
            "rediss" | "valkeys" if cfg!(feature = "tls") => {}
            "rediss" | "valkeys" => {
                return Err(Error::configuration(format!(
                    "the Redis URL starts with {scheme}://, which needs the feature `tls` of \
                     auth-redis; enable it"
                )));
            }
            _ => {
                let scheme: String = scheme.chars().take(20).collect();
                return Err(Error::configuration(format!(
                    "the Redis URL has the scheme {scheme:?}; expected one that starts with {SCHEMES}"
                )));
            }
        }
        // the part of a password before a # would pass for the host; `#insecure` is not supported
        if url.contains('#') {
            let message = "the Redis URL contains a #; in a user name or a password, a # is written %23 \
                           (#insecure is not supported: certificates are always verified)";
            return Err(Error::configuration(message));
        }
        let info = redis::parse_redis_url(url)
            .ok_or_else(|| Error::configuration(NO_URL))?
            .into_connection_info()
            .map_err(|error| error::configuration("the Redis URL is invalid", &error))?;
        let redis = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3)
            .set_skip_set_lib_name();
        let keepalive = socket2::TcpKeepalive::new()
            .with_time(KEEPALIVE)
            .with_interval(KEEPALIVE / 3);
        let tcp = info.tcp_settings().clone().set_keepalive(keepalive);
        Ok(Self(info.set_redis_settings(redis).set_tcp_settings(tcp)))
    }

    /// Checks that all `addresses` name the same user, password and database, and that all or none
    /// use TLS. `servers` says what they are.
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) fn check_same_access(servers: &str, addresses: &[Self]) -> Result<(), Error> {
        let [Self(first), rest @ ..] = addresses else {
            return Ok(());
        };
        for (at, Self(other)) in rest.iter().enumerate() {
            let (redis, other_redis) = (first.redis_settings(), other.redis_settings());
            let difference = if redis.username() != other_redis.username() {
                "user name"
            } else if redis.password() != other_redis.password() {
                "password"
            } else if redis.db() != other_redis.db() {
                "database"
            } else if is_tls(first) != is_tls(other) {
                "TLS mode"
            } else {
                continue;
            };
            return Err(Error::configuration(format!(
                "URL number {} of the {servers} has a different {difference} than number 1; expected \
                 the same user name, password, database and TLS mode in all URLs",
                at + 2
            )));
        }
        Ok(())
    }

    #[cfg(any(feature = "cluster", feature = "sentinel", test))]
    pub(crate) fn info(&self) -> &ConnectionInfo {
        &self.0
    }

    pub(crate) fn into_info(self) -> ConnectionInfo {
        self.0
    }

    #[cfg(feature = "tls")]
    pub(crate) fn is_tls(&self) -> bool {
        is_tls(&self.0)
    }
}

#[cfg(any(feature = "cluster", feature = "sentinel", feature = "tls"))]
fn is_tls(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}

/// Whether this is a scheme by RFC 3986 §3.1. Other text before `://` may be secret.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

const NO_URL: &str = "the Redis URL cannot be parsed; expected redis://user:password@host:6379/0, where all \
                      but the host may be absent";

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_url_is_an_error_that_shows_no_password() {
        for (url, why) in [
            ("", "has no scheme"),
            ("localhost", "has no scheme"),
            ("user:s3cr3t@localhost:6379", "has no scheme"),
            ("user:s3cr3t://x@localhost", "has no scheme"),
            ("http://user:s3cr3t@localhost", "\"http\""),
            (
                "redis+sentinel://user:s3cr3t@localhost",
                "\"redis+sentinel\"",
            ),
            ("redis://user:s3cr3t@", "cannot be parsed"),
            ("redis://user:s3cr3t@localhost:port", "cannot be parsed"),
            ("redis://user:s3cr3t@local host", "cannot be parsed"),
            ("redis://user:s3cr3t@localhost/first", "database number"),
            ("redis://user:s3cr3t@0.0.0.0", "wildcard"),
            ("unix:///tmp/redis.sock?db=s3cr3t", "database number"),
            ("redis://user:s3cr3t@localhost#insecure", "written %23"),
            ("redis://user:12#s3cr3t@localhost", "written %23"),
        ] {
            let error = Address::parse(url).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(why), "{url}: {shown}");
            assert!(!shown.contains("s3cr3t"), "{shown}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn a_tls_url_needs_the_feature_tls() {
        let error = Address::parse("rediss://:s3cr3t@localhost").unwrap_err();
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }

    #[test]
    fn debug_output_shows_the_address_without_user_and_password() {
        for (url, shown) in [
            ("redis://user:s3cr3t@localhost/3", "localhost:6379"),
            ("valkey://:s3cr3t@10.0.0.1:7000", "10.0.0.1:7000"),
            ("redis://[::1]:7000", "::1:7000"),
            (
                "unix:///run/redis.sock?user=me&pass=s3cr3t",
                "/run/redis.sock",
            ),
            (
                "redis+unix:///run/redis.sock?pass=s3cr3t",
                "/run/redis.sock",
            ),
        ] {
            assert_eq!(format!("{:?}", Address::parse(url).unwrap()), shown);
        }
    }

    #[test]
    fn the_url_names_the_user_the_password_and_the_database() {
        for url in [
            "redis://user:p%40ss@localhost/3",
            "unix:///run/redis.sock?user=user&pass=p%40ss&db=3",
        ] {
            let address = Address::parse(url).unwrap();
            let redis = address.info().redis_settings();
            let access = (redis.username(), redis.password(), redis.db());
            assert_eq!(access, (Some("user"), Some("p@ss"), 3));
        }
    }
}
