//! A route that changes the filter.

use std::time::Duration;

use axum::{
    http::{StatusCode, Uri},
    routing::{MethodRouter, get},
};

use super::filter_handle::{FilterError, FilterHandle};

impl FilterHandle {
    /// Returns a route for `axum`: `GET` returns the directives, `PUT` sets those in the body, for `?seconds=600` if it is given.
    ///
    /// It has no authentication: add yours, or serve it where only operators can connect.
    ///
    /// ```
    /// # let mut settings = ctx_layer::setup::Settings::default();
    /// # settings.observability.enabled = false;
    /// # let telemetry = ctx_layer::setup::builder("orders").settings(settings).local().init()?;
    /// let admin = axum::Router::<()>::new().route("/log-filter", telemetry.filter().route());
    /// # drop(admin);
    /// # Ok::<(), ctx_layer::setup::SetupError>(())
    /// ```
    pub fn route<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        let (read, write) = (self.clone(), self.clone());
        get(move || async move { read.current() }).put(move |uri: Uri, directives: String| async move {
            let seconds = uri.query().and_then(|query| query.strip_prefix("seconds="));
            let result = match seconds.map(str::parse) {
                None => write.set(directives.trim()),
                Some(Ok(seconds)) => write.set_for(directives.trim(), Duration::from_secs(seconds)),
                Some(Err(_)) => return (StatusCode::BAD_REQUEST, "`seconds` is no number".to_owned()),
            };
            match result {
                Ok(()) => (StatusCode::OK, write.current()),
                Err(error @ FilterError::Invalid(_)) => (StatusCode::BAD_REQUEST, error.to_string()),
                Err(error @ FilterError::IsGone) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            }
        })
    }
}
