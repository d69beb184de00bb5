//! Where the server is, and who we are to it.

use std::fmt;

use auth_core::Error;
#[cfg(feature = "tls")]
use redis::ConnectionAddr;
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion, io::tcp::socket2};

use crate::error;

const SCHEMES: &str = "redis://, rediss://, unix:// or redis+unix://";
/// A connection that nobody answers on is found out after about twice this time, in seconds.
const KEEPALIVE: std::time::Duration = std::time::Duration::from_secs(30);

/// A URL that holds what it should. What it shows is the host and the port, or the path.
#[derive(Clone)]
pub(crate) struct Address(ConnectionInfo);

impl Address {
    /// What `url` says; an error never shows it, for it may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        let Some(scheme) = scheme.filter(|scheme| is_scheme(scheme)) else {
            return Err(Error::configuration(format!(
                "the URL of a Redis server starts with {SCHEMES}; one came without any scheme"
            )));
        };
        match scheme {
            "redis" | "valkey" | "unix" | "redis+unix" | "valkey+unix" => {}
            "rediss" | "valkeys" if cfg!(feature = "tls") => {}
            "rediss" | "valkeys" => {
                return Err(Error::configuration(format!(
                    "{scheme}:// needs the feature `tls` of auth-redis; it is off"
                )));
            }
            _ => {
                let scheme: String = scheme.chars().take(20).collect();
                return Err(Error::configuration(format!(
                    "the URL of a Redis server starts with {SCHEMES}; one came with {scheme:?}"
                )));
            }
        }
        // the start of a password would stand where the host should; and `#insecure` is not had here
        if url.contains('#') {
            let message = "the URL of a Redis server has nothing after a #; one came that has (in a password \
                           a # is written %23, and TLS is never without verified certificates)";
            return Err(Error::configuration(message));
        }
        let info = redis::parse_redis_url(url)
            .ok_or_else(|| Error::configuration(NO_URL))?
            .into_connection_info()
            .map_err(|error| {
                error::configuration("what came is not the URL of a Redis server", &error)
            })?;
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

    #[cfg(any(feature = "cluster", feature = "sentinel", test))]
    pub(crate) fn info(&self) -> &ConnectionInfo {
        &self.0
    }

    pub(crate) fn into_info(self) -> ConnectionInfo {
        self.0
    }

    #[cfg(feature = "tls")]
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.0.addr(), ConnectionAddr::TcpTls { .. })
    }
}

/// As RFC 3986 §3.1 has it. What stands before `://` may be something else, and secret.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

const NO_URL: &str = "the URL of a Redis server looks like redis://user:password@host:6379/0; what came \
                      is not a URL";

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused_without_showing_the_password() {
        for (url, why) in [
            ("", "without any scheme"),
            ("localhost", "without any scheme"),
            ("user:s3cr3t@localhost:6379", "without any scheme"),
            ("user:s3cr3t://x@localhost", "without any scheme"),
            ("http://user:s3cr3t@localhost", "\"http\""),
            (
                "redis+sentinel://user:s3cr3t@localhost",
                "\"redis+sentinel\"",
            ),
            ("redis://user:s3cr3t@", "is not"),
            ("redis://user:s3cr3t@localhost:port", "is not"),
            ("redis://user:s3cr3t@local host", "is not"),
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
    fn tls_takes_the_feature() {
        let error = Address::parse("rediss://:s3cr3t@localhost").unwrap_err();
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }

    #[test]
    fn it_shows_where_and_not_who() {
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
    fn it_knows_the_user_the_password_and_the_database() {
        for url in [
            "redis://user:p%40ss@localhost/3",
            "unix:///run/redis.sock?user=user&pass=p%40ss&db=3",
        ] {
            let address = Address::parse(url).unwrap();
            let redis = address.info().redis_settings();
            let who = (redis.username(), redis.password(), redis.db());
            assert_eq!(who, (Some("user"), Some("p@ss"), 3));
        }
    }
}
