//! What a store is made with.

use std::{fmt, time::Duration};

use auth_core::Error;

use crate::{
    SealKeys,
    address::Address,
    scripts::LONGEST_LEASE,
    sealing::Sealing,
    server::{Kind, Server, Trust},
    store::RedisStore,
};

/// A lease ends by itself after this time.
const LEASE: Duration = Duration::from_secs(5);
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// Makes a [`RedisStore`]; what is wrong is told by [`build`](Self::build).
///
/// Either [`seal_keys`](Self::seal_keys) or [`plaintext`](Self::plaintext) has to be said.
#[must_use]
pub struct RedisStoreBuilder {
    kind: Kind,
    urls: Vec<String>,
    seal_keys: Option<SealKeys>,
    is_plaintext: bool,
    prefix: String,
    lease: Duration,
    trust: Trust,
}

impl RedisStoreBuilder {
    pub(crate) fn new(kind: Kind, urls: Vec<String>) -> Self {
        Self {
            kind,
            urls,
            seal_keys: None,
            is_plaintext: false,
            prefix: "auth".to_owned(),
            lease: LEASE,
            trust: Trust::default(),
        }
    }

    /// Seals what is stored, so that whoever reads the Redis learns no token and whoever writes it
    /// can put none in.
    pub fn seal_keys(mut self, keys: SealKeys) -> Self {
        self.seal_keys = Some(keys);
        self
    }

    /// Stores tokens as they are: whoever can read the Redis can use them, and whoever can write it
    /// can make this process send theirs.
    pub fn plaintext(mut self) -> Self {
        self.is_plaintext = true;
        self
    }

    /// What the names of all keys and channels start with, before a `:`. Default: `auth`. An ACL
    /// rule names it, too: `~auth:*`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long others wait for a process that died while it requested a token. Default: 5 s; at
    /// least 1 s, at most 60 s. A process that lives renews its lease each third of this time.
    ///
    /// After three quarters of an [attempt](auth_core::RefreshPolicyBuilder::attempt_timeout), 7.5 s
    /// by default, one of those who wait requests the token in any case.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The certificate authorities to trust, in PEM, in place of the operating system's: for
    /// `rediss://` URLs. Default: the operating system's.
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust.root = Some(pem.into());
        self
    }

    /// The ACL user and the password at the primary that the Sentinels name. Default: neither. Those
    /// in the URLs are for the Sentinels. Of no use for other kinds of servers.
    #[cfg(feature = "sentinel")]
    pub fn master_credentials(
        mut self,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        if let Kind::Sentinel(master) = &mut self.kind {
            master.user = Some(user.into());
            master.password = Some(password.into());
        }
        self
    }

    /// The password of the default user at the primary that the Sentinels name. Default: none. That
    /// in the URLs is for the Sentinels. Of no use for other kinds of servers.
    #[cfg(feature = "sentinel")]
    pub fn master_password(mut self, password: impl Into<String>) -> Self {
        if let Kind::Sentinel(master) = &mut self.kind {
            master.user = None;
            master.password = Some(password.into());
        }
        self
    }

    /// Builds the store. It connects when it is used for the first time.
    ///
    /// # Errors
    /// If a URL cannot be one of a Redis server, or is a TLS URL without the feature `tls` or
    /// without a crypto provider of rustls; if there are neither seal keys nor
    /// [`plaintext`](Self::plaintext), or both; if the prefix is empty or has characters in it that
    /// mean something to Redis; if the lease is shorter than 1 s or longer than 60 s; if the
    /// Sentinels' primary has no name.
    pub fn build(self) -> Result<RedisStore, Error> {
        let sealing = match (self.seal_keys, self.is_plaintext) {
            (Some(keys), false) => Sealing::Sealed(keys),
            (None, true) => Sealing::Plain,
            (None, false) => {
                let message = "tokens are sealed, by seal_keys(), or stored as they are, by \
                               plaintext(); neither was asked for";
                return Err(Error::configuration(message));
            }
            (Some(_), true) => {
                let message = "tokens are sealed or stored in plaintext; both were asked for";
                return Err(Error::configuration(message));
            }
        };
        #[cfg(feature = "sentinel")]
        if let Kind::Sentinel(master) = &self.kind
            && master.name.is_empty()
        {
            let message =
                "the name that Sentinels know the primary by is needed; an empty one came";
            return Err(Error::configuration(message));
        }
        check_prefix(&self.prefix)?;
        if self.lease < SHORTEST_LEASE || self.lease > LONGEST_LEASE {
            return Err(Error::configuration(format!(
                "a lease takes at least {SHORTEST_LEASE:?} and at most {LONGEST_LEASE:?}; {:?} came",
                self.lease
            )));
        }
        let addresses: Vec<Address> = self
            .urls
            .iter()
            .map(|url| Address::parse(url))
            .collect::<Result<_, _>>()?;
        let server = Server::new(self.kind, addresses, &self.trust)?;
        Ok(RedisStore::new(server, sealing, self.prefix, self.lease))
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("seal_keys", &self.seal_keys)
            .field("plaintext", &self.is_plaintext)
            .field("prefix", &self.prefix)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// Operators write ACL rules as patterns: a prefix that is one itself would say something else
/// there. Braces would make a hash tag of their own.
fn check_prefix(prefix: &str) -> Result<(), Error> {
    if prefix.is_empty() {
        return Err(Error::configuration(
            "a prefix has at least one character; an empty one came",
        ));
    }
    let wrong = |c: &char| "*?[]\\{}".contains(*c) || c.is_control();
    match prefix.chars().find(wrong) {
        None => Ok(()),
        Some(wrong) => Err(Error::configuration(format!(
            "a prefix has none of *?[]\\{{}} and no control characters; {prefix:?} has {wrong:?}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(build: impl FnOnce(RedisStoreBuilder) -> RedisStoreBuilder, expected: &str) {
        let builder = build(RedisStore::builder("redis://user:s3cr3t@localhost").plaintext());
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), auth_core::ErrorKind::Configuration);
        let shown = error.to_string();
        assert!(shown.contains(expected), "{shown}");
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let keys = || SealKeys::new([[1; 32]]).unwrap();
        refused(|b| b.seal_keys(keys()), "both were asked for");
        refused(|b| b.prefix(""), "at least one character");
        for wrong in [
            "a*", "?", "[a", "a]", "a\\", "{a", "a}", "a\n", "\0", "a\u{7f}",
        ] {
            refused(|b| b.prefix(wrong), "a prefix has none of");
        }
        refused(
            |b| b.lease(Duration::from_millis(999)),
            "at least 1s and at most 60s; 999ms came",
        );
        refused(
            |b| b.lease(Duration::ZERO),
            "at least 1s and at most 60s; 0ns came",
        );
        refused(
            |b| b.lease(Duration::from_secs(61)),
            "at least 1s and at most 60s; 61s came",
        );
    }

    #[test]
    fn it_has_to_be_said_that_tokens_are_stored_as_they_are() {
        let builder = RedisStore::builder("redis://user:s3cr3t@localhost");
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains("neither was asked for"), "{error}");
    }

    #[test]
    fn what_can_work_is_built_and_shows_no_secret() {
        let keys = SealKeys::new([[1; 32], [2; 32]]).unwrap();
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
        let error = RedisStore::cluster(none).plaintext().build().unwrap_err();
        assert!(error.to_string().contains("at least one URL"), "{error}");
        let urls = ["redis://:s3cr3t@one", "redis://:secret@two"];
        let error = RedisStore::cluster(urls).plaintext().build().unwrap_err();
        assert!(error.to_string().contains("different password"), "{error}");
        let nodes = RedisStore::cluster(["redis://:s3cr3t@one", "redis://:s3cr3t@two"]);
        let shown = format!("{:?}", nodes.plaintext().build().unwrap());
        assert!(
            shown.contains("one:6379, two:6379") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }

    #[cfg(feature = "sentinel")]
    #[test]
    fn sentinels_need_one_of_them() {
        let none: [&str; 0] = [];
        let error = RedisStore::sentinel(none, "primary").plaintext().build();
        let error = error.unwrap_err().to_string();
        assert!(error.contains("at least one URL"), "{error}");
        let nameless = RedisStore::sentinel(["redis://one:26379"], "").plaintext();
        let error = nameless.build().unwrap_err().to_string();
        assert!(error.contains("an empty one came"), "{error}");
        let store = RedisStore::sentinel(["redis://:s3cr3t@one:26379"], "primary")
            .master_credentials("user", "s3cr3t")
            .plaintext();
        assert!(!format!("{store:?}").contains("s3cr3t"), "{store:?}");
        let shown = format!("{:?}", store.build().unwrap());
        assert!(
            shown.contains("one:26379") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}
