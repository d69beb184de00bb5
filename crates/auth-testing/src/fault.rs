//! Failures of a server.

use std::future::pending;

use http::Response;

use crate::{answer::Answer, loopback::Body};

/// A server's misbehavior in place of a response.
///
/// An [`Answer`] converts into a fault:
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use auth_testing::{Answer, AuthorizationServer, Fault};
/// use http::StatusCode;
///
/// let server = AuthorizationServer::builder().client("client", "secret").start().await?;
/// server.fail_next(2, Answer::status(StatusCode::BAD_GATEWAY));
/// server.fail_next(1, Fault::Disconnect);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Sends this response.
    Answer(Answer),
    /// Closes the connection without a response. Other requests on the same connection fail as well.
    Disconnect,
    /// Sends no response, and keeps the connection open.
    Hang,
}

impl Fault {
    /// Returns the response. `None` closes the connection.
    pub(crate) async fn response(self) -> Option<Response<Body>> {
        match self {
            Self::Answer(answer) => Some(answer.into_response()),
            Self::Disconnect => None,
            Self::Hang => pending().await,
        }
    }
}

impl From<Answer> for Fault {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}
