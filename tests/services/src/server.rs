//! The servers of the tests.

use std::{env, path::PathBuf, process::Command};

use crate::Result;

/// Returns the port of a server, which its script tells.
pub fn port(default: u16) -> u16 {
    env::var("CTX_SERVICE_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(default)
}

/// Stops a server as a crash does, and starts it again with its data. CTX_SERVICE_NAME names another one in its place.
pub fn restart(name: &str) -> Result {
    let name = env::var("CTX_SERVICE_NAME").unwrap_or_else(|_| name.to_owned());
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("servers").join(format!("{name}.sh"));
    let status = Command::new("bash").arg(script).arg("restart").arg(env::var("CTX_SERVICES")?).status()?;
    if status.success() { Ok(()) } else { Err(format!("{name} did not restart: {status}").into()) }
}
