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
    running.pipelines.runtime.spawn(async move {
        let status = signal().await;
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

#[cfg(unix)]
async fn signal() -> i32 {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return interrupted().await };
    tokio::select! {
        _ = terminated.recv() => TERMINATED,
        status = interrupted() => status,
    }
}

#[cfg(not(unix))]
async fn signal() -> i32 {
    interrupted().await
}

async fn interrupted() -> i32 {
    if tokio::signal::ctrl_c().await.is_err() {
        // Signals cannot be received: they end the process as if this were off.
        std::future::pending::<()>().await;
    }
    INTERRUPTED
}
