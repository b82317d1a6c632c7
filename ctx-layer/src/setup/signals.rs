//! The end on signals.

use std::{
    process,
    sync::{Arc, Weak},
    thread,
};

use super::running::Running;

/// The status of a process that ctrl-c ended, by the convention of shells.
const INTERRUPTED: i32 = 130;
/// The status of a process that SIGTERM ended.
#[cfg(unix)]
const TERMINATED: i32 = 143;

/// Ends the process on SIGTERM and ctrl-c, after what is queued was exported.
pub(crate) fn exit_on_signals(running: &Arc<Running>) {
    let weak = Arc::downgrade(running);
    // Now: until it is received, a signal ends the process without an export.
    let signals = running.pipelines.runtime.enter(|| Signals::receive(running));
    running.pipelines.runtime.spawn(async move {
        let status = signals.next().await;
        // Not on this thread: it drives the exports.
        let exit = move || exit(&weak, status);
        if let Err(error) = thread::Builder::new().name("ctx-layer-exit".to_owned()).spawn(exit) {
            tracing::error!(error = %error, "no thread for the end");
            process::exit(status);
        }
    });
}

fn exit(running: &Weak<Running>, status: i32) {
    if let Some(running) = running.upgrade() {
        let result = tracing::dispatcher::with_default(&running.dispatch, || {
            tracing::info!(target: "ctx_layer::setup", status, "exits on a signal");
            running.shutdown()
        });
        if let Err(error) = result {
            tracing::dispatcher::with_default(&running.dispatch, || {
                tracing::warn!(target: "ctx_layer::setup", error = %error, "the end of the exports failed");
            });
        }
    }
    process::exit(status);
}

/// The signals that are received from its creation on.
#[cfg(unix)]
struct Signals {
    terminated: Option<tokio::signal::unix::Signal>,
    interrupted: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn receive(running: &Running) -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let receive = |kind, name: &str| {
            let received = signal(kind);
            if let Err(error) = &received {
                tracing::dispatcher::with_default(&running.dispatch, || {
                    let message = "cannot be received: it ends the process without an export";
                    tracing::warn!(target: "ctx_layer::setup", signal = name, error = %error, "{message}");
                });
            }
            received.ok()
        };
        Signals {
            terminated: receive(SignalKind::terminate(), "SIGTERM"),
            interrupted: receive(SignalKind::interrupt(), "SIGINT"),
        }
    }

    async fn next(mut self) -> i32 {
        async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
            let Some(signal) = signal else { return std::future::pending().await };
            if signal.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
        tokio::select! {
            () = received(&mut self.terminated) => TERMINATED,
            () = received(&mut self.interrupted) => INTERRUPTED,
        }
    }
}

/// Ctrl-c, which is received as soon as the thread of the exports waits for it.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn receive(_: &Running) -> Self {
        Signals
    }

    async fn next(self) -> i32 {
        if tokio::signal::ctrl_c().await.is_err() {
            // Signals cannot be received: they end the process as if this were off.
            std::future::pending::<()>().await;
        }
        INTERRUPTED
    }
}
