//! Builds a store in a primary behind Sentinels.

use std::{fmt, time::Duration};

use auth_core::Error;

use crate::{
    seal_keys::SealKeys,
    server::{Deployment, Primary},
    settings::{Settings, setters},
    store::RedisStore,
};

/// Builds a [`RedisStore`] in a primary behind Sentinels.
///
/// Either [`seal_keys`](Self::seal_keys) or [`danger_plaintext`](Self::danger_plaintext) is required.
/// The user and the password in the URLs are those at the Sentinels; the settings that begin with
/// `primary_` concern the primary.
#[must_use]
pub struct SentinelStoreBuilder {
    primary: Primary,
    urls: Vec<String>,
    settings: Settings,
}

impl RedisStore {
    /// Starts a store in the primary that the Sentinels at `urls` monitor by the name `primary`.
    ///
    /// The URLs are as for [`builder`](Self::builder), with the Sentinels' port (usually 26379) and
    /// without a database. They all have the same user and password. After a failover the store
    /// connects to the new primary.
    ///
    /// ```
    /// use auth_redis::{RedisStore, SealKeys, auth_core::Error};
    ///
    /// # fn example(password: String) -> Result<(), Error> {
    /// let urls = ["redis://sentinel-1.example.com:26379", "redis://sentinel-2.example.com:26379"];
    /// let store = RedisStore::sentinel(urls, "mymaster")
    ///     .primary_username("fleet")
    ///     .primary_password(password)
    ///     .seal_keys(SealKeys::from_files(["/run/secrets/seal-key"])?)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sentinel(
        urls: impl IntoIterator<Item = impl Into<String>>,
        primary: impl Into<String>,
    ) -> SentinelStoreBuilder {
        SentinelStoreBuilder {
            primary: Primary::new(primary.into()),
            urls: urls.into_iter().map(Into::into).collect(),
            settings: Settings::default(),
        }
    }
}

impl SentinelStoreBuilder {
    /// Sets the ACL user at the primary. Default: the user `default`.
    pub fn primary_username(mut self, username: impl Into<String>) -> Self {
        self.primary.username = Some(username.into());
        self
    }

    /// Sets the password at the primary. Default: none.
    pub fn primary_password(mut self, password: impl Into<String>) -> Self {
        self.primary.password = Some(password.into());
        self
    }

    /// Sets the number of the database at the primary. Default: 0.
    pub fn primary_database(mut self, database: u32) -> Self {
        self.primary.database = database;
        self
    }

    /// Sets whether the connection to the primary uses TLS. Default: as the connections to the
    /// Sentinels, so with `rediss://` URLs it does.
    #[cfg(feature = "tls")]
    pub fn primary_tls(mut self, tls: bool) -> Self {
        self.primary.tls = Some(tls);
        self
    }

    setters!();

    /// Builds the store, which connects at its first use.
    ///
    /// # Errors
    /// - If a URL is missing or invalid or names a database, or if the URLs differ in user, password
    ///   or TLS.
    /// - If the name of the primary is empty, or the primary has a user name and no password.
    /// - If TLS is needed and the feature `tls` is off or rustls has no crypto provider.
    /// - If [`root_certificate`](Self::root_certificate) is set and no connection uses TLS, or it
    ///   holds no certificate.
    /// - If neither or both of [`seal_keys`](Self::seal_keys) and
    ///   [`danger_plaintext`](Self::danger_plaintext) are set.
    /// - If the prefix is empty or contains `*?[]\{}` or control characters.
    /// - If the lease is shorter than 1 s or longer than 60 s.
    pub fn build(self) -> Result<RedisStore, Error> {
        let deployment = Deployment::Sentinel(self.primary);
        self.settings.build(deployment, &self.urls)
    }
}

impl fmt::Debug for SentinelStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentinelStoreBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(builder: SentinelStoreBuilder) -> String {
        let error = builder.danger_plaintext(true).build().unwrap_err();
        assert_eq!(error.kind(), auth_core::ErrorKind::Configuration);
        let shown = error.to_string();
        assert!(!shown.contains("s3cr3t"), "{shown}");
        shown
    }

    #[test]
    fn a_sentinel_and_the_name_of_the_primary_are_required() {
        let none: [&str; 0] = [];
        let error_of_none = error(RedisStore::sentinel(none, "primary"));
        assert!(error_of_none.contains("at least one"), "{error_of_none}");
        let nameless = error(RedisStore::sentinel(["redis://one:26379"], ""));
        assert!(
            nameless.contains("name of the primary is empty"),
            "{nameless}"
        );
    }

    #[test]
    fn the_sentinels_have_one_user_and_password_and_no_database() {
        let two =
            |other: &str| RedisStore::sentinel(["redis://:s3cr3t@one:26379", other], "primary");
        let password = error(two("redis://:secret@two:26379"));
        assert!(password.contains("different password"), "{password}");
        let database = error(RedisStore::sentinel(["redis://one:26379/3"], "primary"));
        assert!(database.contains("primary_database()"), "{database}");
    }

    #[test]
    fn a_primary_username_needs_a_password() {
        let store = RedisStore::sentinel(["redis://one:26379"], "primary").primary_username("user");
        let shown = error(store);
        assert!(shown.contains("primary_password()"), "{shown}");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_root_certificate_applies_if_only_the_primary_uses_tls() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = || {
            RedisStore::sentinel(["redis://one:26379"], "primary")
                .root_certificate("no certificate")
        };
        let unused = error(store());
        assert!(unused.contains("no connection uses TLS"), "{unused}");
        let used = error(store().primary_tls(true));
        assert!(used.contains("in PEM"), "{used}");
    }

    #[test]
    fn a_valid_store_is_built_and_shows_no_secret() {
        let builder = RedisStore::sentinel(["redis://:s3cr3t@one:26379"], "primary")
            .primary_username("user")
            .primary_password("s3cr3t")
            .primary_database(3)
            .danger_plaintext(true);
        assert!(!format!("{builder:?}").contains("s3cr3t"), "{builder:?}");
        let shown = format!("{:?}", builder.build().unwrap());
        assert!(
            shown.contains("one:26379") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}
