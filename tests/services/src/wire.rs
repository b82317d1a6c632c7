//! The bytes that a client sends, compared with those of the documentation.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ctx_layer::{
    field::well_known::TENANT_ID,
    propagation::{self, CarrierMut, Trust},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

use crate::{Result, telemetry};

/// A proxy in front of a server, which records what the client sends.
#[derive(Debug)]
pub struct Recorder {
    /// The port of the proxy.
    pub port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// Starts a proxy of one connection.
    pub async fn start(server: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (port, sent) = (listener.local_addr()?.port(), Arc::new(Mutex::new(Vec::new())));
        let recorded = sent.clone();
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await?;
            let mut upstream = TcpStream::connect(("127.0.0.1", server)).await?;
            let (mut from_client, mut to_client) = client.split();
            let (mut from_server, mut to_server) = upstream.split();
            let forward = async {
                let mut buffer = [0; 4096];
                loop {
                    let len = from_client.read(&mut buffer).await?;
                    let bytes = buffer.get(..len).unwrap_or_default();
                    recorded.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
                    to_server.write_all(bytes).await?;
                    if len == 0 {
                        return std::io::Result::Ok(());
                    }
                }
            };
            tokio::try_join!(forward, copy(&mut from_server, &mut to_client)).map(drop)
        });
        Ok(Recorder { port, sent })
    }

    /// Checks that each line of a page's block was sent: `<!-- wire: <name> -->`, in which `\xNN`, `\r` and `\n` are bytes.
    pub async fn check(&self, page: &str, name: &str) -> Result {
        for line in block(page, name)?.lines() {
            let bytes = unescaped(line)?;
            let is_sent = || self.sent().windows(bytes.len()).any(|window| window == bytes);
            // The client may still be sending.
            for _ in 0..100 {
                if is_sent() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert!(is_sent(), "{line} is not in {}", String::from_utf8_lossy(&self.sent()));
        }
        Ok(())
    }

    fn sent(&self) -> MutexGuard<'_, Vec<u8>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the lines of a page's block, which is after `<!-- wire: <name> -->`.
pub fn block<'page>(page: &'page str, name: &str) -> Result<&'page str> {
    let rest = page.split_once(&format!("<!-- wire: {name} -->\n```")).ok_or("the page has the block")?.1;
    let (_, rest) = rest.split_once('\n').ok_or("the block has lines")?;
    let block = rest.split_once("\n```").ok_or("the block has an end")?.0;
    if block.is_empty() { Err(format!("the block {name} is empty").into()) } else { Ok(block) }
}

fn unescaped(line: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = line;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (byte, len) = match escape.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b'x', _, _, ..] => (u8::from_str_radix(escape.get(1..3).ok_or("two digits")?, 16)?, 3),
            _ => return Err(format!("{line} has another escape").into()),
        };
        bytes.push(byte);
        rest = escape.get(len..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// Writes the context of the documentation: a parent, and the tenant `acme`.
pub fn write_documented(carrier: &mut impl CarrierMut) {
    telemetry::install();
    let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    propagation::extract(&parent, Trust::external())
        .in_scope(|| TENANT_ID.in_scope("acme", || propagation::inject(carrier)));
}
