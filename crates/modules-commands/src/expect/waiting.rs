//! Waits beside a program that runs.

use std::pin::Pin;
use std::time::Duration;

use rustle_process::{Finished, ProcessError};

/// A program that runs.
pub(super) type Running<'a> =
    Pin<&'a mut (dyn Future<Output = Result<Finished, ProcessError>> + Send)>;

/// How a wait ended.
pub(super) enum Waited<T> {
    /// As it should.
    Came(T),
    /// The program ended meanwhile, or could not be started.
    Ended(Box<Result<Finished, ProcessError>>),
    /// The program kept silent for too long.
    TimedOut,
}

/// Waits for something, while the program runs; for ever where there is no `patience`.
pub(super) async fn wait<T>(
    running: Running<'_>,
    wanted: impl Future<Output = T>,
    patience: Option<Duration>,
) -> Waited<T> {
    let silence = async {
        match patience {
            Some(patience) => tokio::time::sleep(patience).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        came = wanted => Waited::Came(came),
        finished = running => Waited::Ended(Box::new(finished)),
        () = silence => Waited::TimedOut,
    }
}
