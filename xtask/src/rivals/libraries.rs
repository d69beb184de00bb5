//! The libraries that are compared, and what is to be said about each.

/// A library, or the cache that people write by hand.
#[derive(Debug)]
pub(crate) struct Library {
    /// The id of its functions in the benches.
    pub(crate) name: &'static str,
    /// Its package on crates.io. The version is printed.
    pub(crate) package: Option<&'static str>,
    /// What makes the header of a read.
    pub(crate) header: &'static str,
    /// What it lends or shares without a header, if it does.
    pub(crate) lent: Option<&'static str>,
    /// Why its failing source sees that many requests.
    pub(crate) failing: &'static str,
    /// Why no callers can wait for its first token, if they cannot.
    pub(crate) no_herd: Option<&'static str>,
}

/// The name of our own library in all groups.
pub(crate) const OURS: &str = "auth_core";

pub(crate) const LIBRARIES: [Library; 9] = [
    Library {
        name: OURS,
        package: None,
        header: "kept ready, cloned",
        lent: None,
        failing: "one request, and every waiter receives its outcome",
        no_herd: None,
    },
    Library {
        name: "aliri_tokens",
        package: Some("aliri_tokens"),
        header: "built from the token, under a lock",
        lent: Some("the token, borrowed under a lock that the caller holds"),
        failing: "the constructor waits for the token, so that there is one caller",
        no_herd: Some("the constructor waits for the first token"),
    },
    Library {
        name: "aws_smithy_runtime",
        package: Some("aws-smithy-runtime"),
        header: "built from the token",
        lent: Some("a handle to the token"),
        failing: "each caller in turn",
        no_herd: None,
    },
    Library {
        name: "azure_core",
        package: Some("azure_core"),
        header: "built by its policy, which also returns an empty response",
        lent: None,
        failing: "each caller in turn",
        no_herd: None,
    },
    Library {
        name: "gcp_auth",
        package: Some("gcp_auth"),
        header: "built from the token",
        lent: Some("the token, in an `Arc`"),
        failing: "each caller in turn, each tried five times",
        no_herd: None,
    },
    Library {
        name: "google_cloud_auth",
        package: Some("google-cloud-auth"),
        header: "built from a copy of the token",
        lent: None,
        failing: "one request, and every waiter receives its outcome",
        no_herd: None,
    },
    Library {
        name: "huskarl",
        package: Some("huskarl"),
        header: "built from the token",
        lent: Some("the token, in an `Arc`"),
        failing: "each caller in turn, until the circuit breaker opens at the third denial",
        no_herd: None,
    },
    Library {
        name: "middle",
        package: Some("middle"),
        header: "kept ready, cloned",
        lent: Some("the header, in an `Arc`"),
        failing: "the constructor waits for the token, so that there is one caller; three retries",
        no_herd: Some("the constructor waits for the first token"),
    },
    Library {
        name: "rwlock_by_hand",
        package: None,
        header: "kept in a `RwLock`, cloned",
        lent: None,
        failing: "no token source",
        no_herd: Some("no asynchronous path"),
    },
];

/// A layer or a middleware, and the client without it.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The id of its function in the bench.
    pub(crate) name: &'static str,
    /// The id of the function without it.
    pub(crate) bare: &'static str,
    pub(crate) package: Option<&'static str>,
    pub(crate) label: &'static str,
    pub(crate) is_ours: bool,
    /// The client, and what else is to be known.
    pub(crate) note: &'static str,
}

pub(crate) const LAYERS: [Layer; 7] = [
    Layer {
        name: "auth_tower",
        bare: "tower_bare",
        package: None,
        label: "auth-tower, replay off",
        is_ours: true,
        note: "tower; checks the origin, and classifies the response",
    },
    Layer {
        name: "auth_tower_with_replay",
        bare: "tower_bare",
        package: None,
        label: "auth-tower",
        is_ours: true,
        note: "the same, and records the body for a replay",
    },
    Layer {
        name: "rwlock_by_hand",
        bare: "tower_bare",
        package: None,
        label: "rwlock_by_hand",
        is_ours: false,
        note: "tower; no check of the origin or the response",
    },
    Layer {
        name: "auth_reqwest",
        bare: "reqwest_bare",
        package: None,
        label: "auth-reqwest",
        is_ours: true,
        note: "reqwest-middleware 0.5; checks the origin, classifies the response, clones the request for a replay",
    },
    Layer {
        name: "aliri_reqwest",
        bare: "reqwest_0_12_bare",
        package: Some("aliri_reqwest"),
        label: "aliri_reqwest",
        is_ours: false,
        note: "reqwest-middleware 0.4; checks the scheme, **not the expiry**",
    },
    Layer {
        name: "middle",
        bare: "reqwest_0_12_request",
        package: Some("middle"),
        label: "middle",
        is_ours: false,
        note: "wraps reqwest 0.12; checks neither the origin nor the response",
    },
    Layer {
        name: "azure_core",
        bare: "azure_core_bare",
        package: Some("azure_core"),
        label: "azure_core",
        is_ours: false,
        note: "its own pipeline; checks the scheme, and discards a rejected token",
    },
];

/// A package that a program depends on alone.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) is_ours: bool,
    /// The features of tokio that it uses and does not enable.
    pub(crate) of_tokio: &'static [&'static str],
}

const fn ours(name: &'static str) -> Package {
    Package {
        name,
        is_ours: true,
        of_tokio: &[],
    }
}

const fn theirs(name: &'static str) -> Package {
    Package {
        name,
        is_ours: false,
        of_tokio: &[],
    }
}

/// The package with which the builds of all others are paired.
pub(crate) const PAIRED: &str = "auth-core";

/// The first is [`PAIRED`].
pub(crate) const PACKAGES: [Package; 10] = [
    ours(PAIRED),
    ours("auth-tower"),
    ours("auth-reqwest"),
    Package {
        of_tokio: &["rt", "sync"],
        ..theirs("aliri_tokens")
    },
    theirs("aws-smithy-runtime"),
    theirs("azure_core"),
    theirs("gcp_auth"),
    theirs("google-cloud-auth"),
    theirs("huskarl"),
    theirs("middle"),
];
