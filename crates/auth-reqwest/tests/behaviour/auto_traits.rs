//! The auto traits of every public type. Losing one breaks the build of a user.

use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use auth_test_support::assert_auto_traits;

#[test]
fn auto_traits_of_public_types() {
    assert_auto_traits! {
        AuthMiddleware: "Send Sync Unpin Clone",
        ReqwestTransport: "Send Sync Unpin Clone",
    }
}
