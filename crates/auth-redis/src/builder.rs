//! Builds a store in one server or in a Cluster.

use std::{fmt, time::Duration};

use auth_core::Error;

use crate::{
    seal_keys::SealKeys,
    server::Deployment,
    settings::{Settings, setters},
    store::RedisStore,
};

/// Builds a [`RedisStore`] in one server or in a Cluster.
///
/// Either [`seal_keys`](Self::seal_keys) or [`danger_plaintext`](Self::danger_plaintext) is required.
#[must_use]
pub struct RedisStoreBuilder {
    deployment: Deployment,
    urls: Vec<String>,
    settings: Settings,
}

impl RedisStore {
    /// Starts a store in one server: `redis://user:password@host:6379/0`, `rediss://` for TLS (feature
    /// `tls`), or `unix:///path/of/socket?user=..&pass=..&db=0`.
    ///
    /// Only the host, or the path, is required. Default port: 6379; default database: 0. The user and
    /// the password are percent-encoded. The schemes `redis+unix://`, `valkey://`, `valkeys://` and
    /// `valkey+unix://` are accepted too. [`build`](RedisStoreBuilder::build) checks the URL.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder {
            deployment: Deployment::OneServer,
            urls: vec![url.into()],
            settings: Settings::default(),
        }
    }

    /// Starts a store in a Cluster. `urls` are those of some of its nodes, as for
    /// [`builder`](Self::builder), all with the same user, password and database.
    #[cfg(feature = "cluster")]
    pub fn cluster(urls: impl IntoIterator<Item = impl Into<String>>) -> RedisStoreBuilder {
        RedisStoreBuilder {
            deployment: Deployment::Cluster,
            urls: urls.into_iter().map(Into::into).collect(),
            settings: Settings::default(),
        }
    }
}

impl RedisStoreBuilder {
    setters!();

    /// Builds the store, which connects at its first use.
    ///
    /// # Errors
    /// - If a URL is missing or invalid, or the URLs of a Cluster's nodes differ in user, password,
    ///   database or TLS.
    /// - If a URL needs TLS and the feature `tls` is off or rustls has no crypto provider.
    /// - If [`root_certificate`](Self::root_certificate) is set and no URL uses TLS, or it holds no
    ///   certificate.
    /// - If neither or both of [`seal_keys`](Self::seal_keys) and
    ///   [`danger_plaintext`](Self::danger_plaintext) are set.
    /// - If the prefix is empty or contains `*?[]\{}` or control characters.
    /// - If the lease is shorter than 1 s or longer than 60 s.
    pub fn build(self) -> Result<RedisStore, Error> {
        self.settings.build(self.deployment, &self.urls)
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_error(set: impl FnOnce(RedisStoreBuilder) -> RedisStoreBuilder, expected: &str) {
        let builder = RedisStore::builder("redis://user:s3cr3t@localhost").danger_plaintext(true);
        let error = set(builder).build().unwrap_err();
        assert_eq!(error.kind(), auth_core::ErrorKind::Configuration);
        let shown = error.to_string();
        assert!(shown.contains(expected), "{shown}");
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
    }

    #[test]
    fn invalid_settings_are_errors() {
        let keys = || SealKeys::new([*b"a seal key for tests, 32 bytes.."]).unwrap();
        assert_error(
            |b| b.seal_keys(keys()),
            "has seal keys and danger_plaintext(true)",
        );
        assert_error(|b| b.prefix(""), "at least one character");
        for prefix in [
            "a*", "?", "[a", "a]", "a\\", "{a", "a}", "a\n", "\0", "a\u{7f}",
        ] {
            assert_error(|b| b.prefix(prefix), "expected none of *?[]\\{}");
        }
        for (lease, shown) in [
            (Duration::from_millis(999), "999ms"),
            (Duration::ZERO, "0ns"),
            (Duration::from_secs(61), "61s"),
        ] {
            let expected = format!("the lease lasts {shown}; expected at least 1s and at most 60s");
            assert_error(|b| b.lease(lease), &expected);
        }
    }

    #[test]
    fn seal_keys_or_plaintext_is_required() {
        let builder = || RedisStore::builder("redis://user:s3cr3t@localhost");
        for builder in [builder(), builder().danger_plaintext(false)] {
            let error = builder.build().unwrap_err().to_string();
            assert!(error.contains("has no seal keys"), "{error}");
        }
    }

    #[test]
    fn a_valid_store_is_built_and_shows_no_secret() {
        let keys = SealKeys::new([
            *b"a seal key for tests, 32 bytes..",
            *b"another seal key, also 32 bytes.",
        ])
        .unwrap();
        let builder = RedisStore::builder("redis://user:s3cr3t@localhost")
            .seal_keys(keys)
            .prefix("fleet-7:auth")
            .lease(Duration::from_secs(1));
        let shown = format!("{builder:?}");
        assert!(
            !shown.contains("s3cr3t") && !shown.contains("user"),
            "{shown}"
        );
        let store = builder.build().unwrap();
        let shown = format!("{store:?}");
        assert!(shown.contains("localhost:6379"), "{shown}");
        assert!(
            !shown.contains("s3cr3t") && !shown.contains("user"),
            "{shown}"
        );
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn a_cluster_needs_a_node() {
        let none: [&str; 0] = [];
        let cluster = RedisStore::cluster(none).danger_plaintext(true);
        let error = cluster.build().unwrap_err();
        assert!(error.to_string().contains("at least one"), "{error}");
    }

    #[cfg(all(feature = "cluster", feature = "tls"))]
    #[test]
    fn the_nodes_of_a_cluster_all_use_tls_or_none_does() {
        let urls = ["redis://one", "rediss://two"];
        let error = RedisStore::cluster(urls).danger_plaintext(true).build();
        let error = error.unwrap_err().to_string();
        assert!(error.contains("different TLS mode"), "{error}");
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn the_nodes_of_a_cluster_have_one_user_password_and_database() {
        for (other, difference) in [
            ("redis://:secret@two", "different password"),
            ("redis://user:s3cr3t@two", "different user name"),
            ("redis://:s3cr3t@two/1", "different database"),
        ] {
            let urls = ["redis://:s3cr3t@one", other];
            let error = RedisStore::cluster(urls).danger_plaintext(true).build();
            let error = error.unwrap_err().to_string();
            assert!(error.contains(difference), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
        let nodes = RedisStore::cluster(["redis://:s3cr3t@one", "redis://:s3cr3t@two"]);
        let shown = format!("{:?}", nodes.danger_plaintext(true).build().unwrap());
        assert!(
            shown.contains("one:6379, two:6379") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}
