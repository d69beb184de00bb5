//! Controls of the metadata of an authorization server.

use serde_json::Value;

use super::{metadata::MetadataPath, server::AuthorizationServer};
use crate::{fault::Fault, sync::lock};

/// Metadata documents. The server has both of [`MetadataPath`], unless a test changes it. They name the issuer, the
/// token endpoint, the methods of client authentication of the registered clients, and the grant types.
impl AuthorizationServer {
    /// Sets at which paths there is a document. Requests for the other one receive a 404. Default: both.
    ///
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use auth_testing::{AuthorizationServer, MetadataPath};
    ///
    /// let server = AuthorizationServer::builder().client("client", "secret").start().await?;
    /// server.set_metadata_paths([MetadataPath::OpenId]);
    /// assert_eq!(server.metadata_requests(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_metadata_paths(&self, paths: impl IntoIterator<Item = MetadataPath>) {
        *lock(&self.state.metadata.paths) = paths.into_iter().collect();
    }

    /// Sets a member of the documents, also to a value that no correct server would send: another issuer, a token
    /// endpoint that has moved, `mtls_endpoint_aliases`.
    ///
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use auth_testing::{AuthorizationServer, serde_json::json};
    ///
    /// let server = AuthorizationServer::builder().client("client", "secret").start().await?;
    /// let aliases = json!({ "token_endpoint": format!("{}?mtls", server.token_endpoint()) });
    /// server.set_metadata("mtls_endpoint_aliases", aliases);
    /// server.set_metadata("issuer", "https://another.example");
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_metadata(&self, name: impl Into<String>, value: impl Into<Value>) {
        self.change_metadata(name.into(), Some(value.into()));
    }

    /// Removes a member from the documents.
    pub fn remove_metadata(&self, name: impl Into<String>) {
        self.change_metadata(name.into(), None);
    }

    fn change_metadata(&self, name: String, value: Option<Value>) {
        let mut members = lock(&self.state.metadata.members);
        members.retain(|(known, _)| *known != name);
        members.push((name, value));
    }

    /// Makes `fault` the outcome of the next `times` requests for a document, after the faults of earlier calls. A
    /// redirect is an [`Answer`](crate::Answer) with the header `Location`.
    pub fn fail_next_metadata(&self, times: usize, fault: impl Into<Fault>) {
        self.state.metadata.faults.next(times, fault.into());
    }

    /// Makes `fault` the outcome of every request for a document until [`recover`](Self::recover).
    pub fn fail_all_metadata(&self, fault: impl Into<Fault>) {
        self.state.metadata.faults.always(fault.into());
    }

    /// Returns the number of requests for both documents so far, with a document or without one.
    #[must_use]
    pub fn metadata_requests(&self) -> usize {
        self.state.metadata.requests.value()
    }

    /// Waits until at least `min` requests for a document were received since the server started.
    pub async fn until_metadata_requests(&self, min: usize) {
        self.state.metadata.requests.wait_until(min).await;
    }

    /// Moves the token endpoint to another path, with its leading slash. The documents name the new one from now on, and
    /// requests for the old one receive a 404.
    pub fn move_token_endpoint(&self, path: impl Into<String>) {
        *lock(&self.state.endpoint.path) = path.into();
    }
}
