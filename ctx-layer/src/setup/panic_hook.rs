//! The panic hook.

use std::{panic, sync::Once};

/// Logs each panic as an event at ERROR, and then calls the hook that was set before.
///
/// The hook runs before the stack is unwound, so the event has the span and the fields of the code that panicked. It is set
/// once in a process.
pub(crate) fn install(flush: impl Fn() + Send + Sync + 'static) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let payload = info.payload();
            let message = payload.downcast_ref::<&str>().copied();
            let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let message = message.unwrap_or("with a value that is not a string");
            let thread = std::thread::current();
            let thread = thread.name().unwrap_or_default();
            tracing::error!(target: "panic", { code.location = place, thread.name = thread }, "panic: {message}");
            if cfg!(panic = "abort") {
                // Nothing is dropped.
                flush();
            }
            before(info);
        }));
    });
}
