//! Against third-party servers.
