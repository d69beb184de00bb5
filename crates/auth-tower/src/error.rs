use auth_core::{BoxError, Error};
use http::Request;

/// Returns the error for a request that is not sent. For a gRPC request (feature `tonic`) it is a
/// [`Status`](tonic::Status) with the error as its source, because tonic's clients report any other
/// error as `Unknown`.
#[cfg(feature = "tonic")]
pub(crate) fn not_sent<B>(error: Error, request: &Request<B>) -> BoxError {
    use std::sync::Arc;

    use auth_core::RequestHead;
    use tonic::{Code, Status};

    if !RequestHead::from(request).is_grpc() {
        return error.into();
    }
    let code = if error.is_transient() {
        Code::Unavailable
    } else {
        Code::Unauthenticated
    };
    let mut status = Status::new(code, error.to_string());
    status.set_source(Arc::new(error));
    status.into()
}

/// Returns the error for a request that is not sent.
#[cfg(not(feature = "tonic"))]
pub(crate) fn not_sent<B>(error: Error, _: &Request<B>) -> BoxError {
    error.into()
}
