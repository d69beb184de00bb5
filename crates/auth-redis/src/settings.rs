//! The settings that every kind of deployment has, and how a store is built from them.

use std::{fmt, time::Duration};

use auth_core::Error;

use crate::{
    address::Address,
    lease_claim::MAX_LEASE,
    seal_keys::SealKeys,
    server::{Deployment, Server, Trust},
    store::RedisStore,
    token_codec::TokenCodec,
};

const DEFAULT_LEASE: Duration = Duration::from_secs(5);
const MIN_LEASE: Duration = Duration::from_secs(1);

pub(crate) struct Settings {
    pub(crate) seal_keys: Option<SealKeys>,
    pub(crate) is_plaintext: bool,
    pub(crate) prefix: String,
    pub(crate) lease: Duration,
    pub(crate) trust: Trust,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seal_keys: None,
            is_plaintext: false,
            prefix: "auth".to_owned(),
            lease: DEFAULT_LEASE,
            trust: Trust::default(),
        }
    }
}

impl Settings {
    pub(crate) fn build(
        self,
        deployment: Deployment,
        urls: &[String],
    ) -> Result<RedisStore, Error> {
        let codec = codec(self.seal_keys, self.is_plaintext)?;
        check_prefix(&self.prefix)?;
        if self.lease < MIN_LEASE || self.lease > MAX_LEASE {
            return Err(Error::configuration(format!(
                "the lease lasts {:?}; expected at least {MIN_LEASE:?} and at most {MAX_LEASE:?}",
                self.lease
            )));
        }
        let addresses: Vec<Address> = urls
            .iter()
            .map(|url| Address::parse(url))
            .collect::<Result<_, _>>()?;
        let server = Server::new(deployment, addresses, &self.trust)?;
        Ok(RedisStore::new(server, codec, self.prefix, self.lease))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("seal_keys", &self.seal_keys)
            .field("is_plaintext", &self.is_plaintext)
            .field("prefix", &self.prefix)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

fn codec(seal_keys: Option<SealKeys>, is_plaintext: bool) -> Result<TokenCodec, Error> {
    let message = match (seal_keys, is_plaintext) {
        (Some(keys), false) => return Ok(TokenCodec::Sealed(keys)),
        (None, true) => return Ok(TokenCodec::Plaintext),
        (None, false) => {
            "the store has no seal keys; expected seal_keys() or danger_plaintext(true)"
        }
        (Some(_), true) => {
            "the store has seal keys and danger_plaintext(true); expected one of the two"
        }
    };
    Err(Error::configuration(message))
}

/// ACL rules name the prefix in a glob pattern, in which these characters have a meaning. Braces
/// would make a second hash tag.
fn check_prefix(prefix: &str) -> Result<(), Error> {
    if prefix.is_empty() {
        return Err(Error::configuration(
            "the prefix is empty; expected at least one character",
        ));
    }
    let is_special = |c: &char| "*?[]\\{}".contains(*c) || c.is_control();
    match prefix.chars().find(is_special) {
        None => Ok(()),
        Some(special) => Err(Error::configuration(format!(
            "the prefix {prefix:?} contains {special:?}; expected none of *?[]\\{{}} and no control \
             characters"
        ))),
    }
}

/// The setters of [`Settings`], for each builder.
macro_rules! setters {
    () => {
        /// Seals the stored tokens with these keys and proves leases with them. Read access to the
        /// Redis server then reveals no token. Write access can forge neither a token nor a lease, and
        /// can lengthen the life of neither.
        pub fn seal_keys(mut self, keys: SealKeys) -> Self {
            self.settings.seal_keys = Some(keys);
            self
        }

        /// Sets whether tokens are stored in plaintext. Default: `false`.
        ///
        /// In plaintext, read access to the Redis server reveals the tokens. Write access can make
        /// this process send forged ones, and can keep it from requesting any.
        pub fn danger_plaintext(mut self, plaintext: bool) -> Self {
            self.settings.is_plaintext = plaintext;
            self
        }

        /// Sets the prefix of all keys and channels, which a `:` follows. Default: `auth`.
        ///
        /// The rules of the user's ACL name it too: `~auth:*`.
        pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
            self.settings.prefix = prefix.into();
            self
        }

        /// Sets how long a lease lasts without renewal. Default: 5 s; from 1 s to 60 s.
        ///
        /// The lease of a crashed process delays the others by at most this time, once. The holder
        /// renews its lease each third of this time.
        ///
        /// After ¾ of an [attempt](auth_core::RefreshPolicyBuilder::attempt_timeout), 7.5 s by
        /// default, one waiter requests the token under a fallback lease in any case.
        pub fn lease(mut self, lease: Duration) -> Self {
            self.settings.lease = lease;
            self
        }

        /// Sets the certificate authorities for TLS connections, in PEM. Default: the operating
        /// system's.
        #[cfg(feature = "tls")]
        pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
            self.settings.trust.root = Some(pem.into());
            self
        }
    };
}
pub(crate) use setters;
