use auth_core::{BoxError, Error};
use http::Request;

/// Returns the error for a request that is not sent. For a gRPC request (feature `tonic`) it is a
/// [`Status`](tonic::Status) with the error as its source, because tonic's clients report any other
/// error as `Unknown`.
///
/// The status is never `Unauthenticated`: a service that passes it on would make its own caller refresh
/// a token that is valid. Its message may travel to that caller as well, so it names neither the token
/// endpoint nor the description of the authorization server.
#[cfg(feature = "tonic")]
pub(crate) fn not_sent<B>(error: Error, request: &Request<B>) -> BoxError {
    use std::sync::Arc;

    use auth_core::RequestHead;
    use tonic::Status;

    if !RequestHead::from(request).is_grpc() {
        return error.into();
    }
    let message = format!(
        "the call was not sent: there is no access token for it ({}); the source of this status, an \
         auth_core::Error, says why",
        error.kind().as_str()
    );
    let mut status = Status::new(code(&error), message);
    status.set_source(Arc::new(error));
    status.into()
}

/// Returns the code of a call that is not sent because of this error.
#[cfg(feature = "tonic")]
fn code(error: &Error) -> tonic::Code {
    match error.is_transient() {
        true => tonic::Code::Unavailable,
        false => tonic::Code::Internal,
    }
}

/// Returns the error for a request that is not sent.
#[cfg(not(feature = "tonic"))]
pub(crate) fn not_sent<B>(error: Error, _: &Request<B>) -> BoxError {
    error.into()
}
