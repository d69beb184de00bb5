//! The auto traits of every public type: to lose one breaks a user's build.

use auth_test_support::assert_auto_traits;
use auth_testing::{
    Answer, AuthorizationServer, AuthorizationServerBuilder, BytesCodec,
    ClientAuthenticationMethod, EchoClient, Fault, ManualClock, MetadataPath, ProtectedApi,
    TokioClock,
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
        MetadataPath: "Send Sync Unpin Clone",
        TokioClock: "Send Sync Unpin Clone",
    }
}

#[cfg(feature = "jose")]
#[test]
fn auto_traits_of_the_types_of_assertions() {
    use auth_testing::{AcceptedAudience, AssertionVerifier, VerificationKey};

    assert_auto_traits! {
        AcceptedAudience: "Send Sync Unpin Clone",
        AssertionVerifier: "Send Sync Unpin Clone",
        VerificationKey: "Send Sync Unpin Clone",
    }
}

#[cfg(feature = "tls")]
#[test]
fn auto_traits_of_the_types_of_certificates() {
    use auth_testing::{TestAuthority, TestCertificate};

    assert_auto_traits! {
        TestAuthority: "Send Sync Unpin Clone",
        TestCertificate: "Send Sync Unpin Clone",
    }
}
