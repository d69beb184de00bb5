//! The log events of a test, as text.

pub(crate) use auth_test_support::log::CapturedLog;
