//! The server's life: from the port's opening to the last answer.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::router::{App, router};
use crate::error::{Code, Error, Result};
use crate::farm::LocalFarm;

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen.
    pub bind: SocketAddr,
}

/// Answers requests until the process is asked to end. `ready` is told the address once the port is open.
pub async fn serve(farm: LocalFarm, options: &ServeOptions, ready: impl FnOnce(SocketAddr)) -> Result<()> {
    let listener = TcpListener::bind(options.bind).await.map_err(|error| {
        Error::new(Code::Io, format!("cannot listen on {}: {error}", options.bind))
            .hint("something else may listen there; choose another address with --bind")
    })?;
    ready(
        listener
            .local_addr()
            .map_err(|error| Error::new(Code::Io, format!("the address of the port cannot be read: {error}")))?,
    );
    let service = router(App::new(farm)).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await.map_err(|error| Error::new(Code::Io, format!("the server stopped: {error}")))
}
