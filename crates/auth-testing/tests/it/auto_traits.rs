//! The auto traits of every public type: to lose one breaks a user's build.

use auth_test_support::assert_auto_traits;
use auth_testing::{
    Answer, AuthorizationServer, AuthorizationServerBuilder, BytesCodec,
    ClientAuthenticationMethod, EchoClient, Fault, ManualClock, ProtectedApi, TokioClock,
};
use tonic::transport::Channel;

#[test]
fn auto_traits_of_public_types() {
    assert_auto_traits! {
        Answer: "Send Sync Unpin Clone",
        AuthorizationServer: "Send Sync Unpin Clone",
        AuthorizationServerBuilder: "Send Sync Unpin Clone",
        BytesCodec: "Send Sync Unpin Clone",
        ClientAuthenticationMethod: "Send Sync Unpin Clone",
        EchoClient<Channel>: "Send Sync Unpin Clone",
        Fault: "Send Sync Unpin Clone",
        ManualClock: "Send Sync Unpin Clone",
        ProtectedApi: "Send Sync Unpin Clone",
        TokioClock: "Send Sync Unpin Clone",
    }
}
