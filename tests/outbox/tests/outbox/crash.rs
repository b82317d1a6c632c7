//! A process that is killed between the send and the mark.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    fs::OpenOptions,
    io::Write,
    path::Path,
    process::Command,
    time::Duration,
};

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{
        SendOptions,
        outbox::{Outbox, Relay, StoredMessage},
    },
};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};

use crate::{scenarios::Tables, shared::*};

/// The variable with the folder of the database, set in processes that crash.
const FOLDER: &str = "CTX_OUTBOX_CRASHES_IN";
const LEASE: Duration = Duration::from_millis(300);
const ROWS: usize = 20;

async fn connect(folder: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("outbox.db"))
        .create_if_missing(true)
        .busy_timeout(Duration::from_secs(10));
    SqlitePool::connect_with(options).await.expect("it is created")
}

/// Sends a message to the broker, a file: its id, its headers and the tenant in whose context it was sent.
fn send(folder: &Path, message: &StoredMessage) {
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("sent")).expect("it is opened");
    let headers: Vec<_> = message.headers().collect();
    let tenant = TENANT_ID.get().map(|tenant| tenant.to_string());
    let line = format!("{}\t{headers:?}\t{}\n", message.message_id(), tenant.unwrap_or_default());
    file.write_all(line.as_bytes()).expect("it is written");
    file.sync_all().expect("it is on disk");
}

/// Sends some rows, and dies after the last send, before the row is marked. Does nothing unless the other test starts it.
#[test]
fn relay_that_crashes() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    Stack::new().run(async {
        let outbox = Outbox::with_table("outbox_crash").expect("it is a name");
        let relay = Relay::new(connect(folder).await, outbox).batch(4).lease(LEASE);
        let sent = std::cell::Cell::new(0);
        let publish = |message: StoredMessage| {
            send(folder, &message);
            sent.set(sent.get() + 1);
            if sent.get() == 3 {
                // No destructor runs, as after `kill -9`.
                std::process::abort();
            }
            async { Ok::<_, Infallible>(()) }
        };
        relay.publish_pending(publish).await.expect("the database is there");
    });
}

#[test]
fn after_crashes_each_row_has_left_as_it_was_written() {
    let folder = std::env::temp_dir().join(format!("ctx-outbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("it is created");
    let stack = Stack::new();
    let written: HashMap<String, String> = stack.run(async {
        let tables = Tables::create(connect(&folder).await, "crash").await;
        let mut written = HashMap::new();
        for row in 0..ROWS {
            let tenant = format!("tenant-{row}");
            written.insert(tables.order(&tenant, "an order", &SendOptions::new()).await, tenant);
        }
        written
    });
    let mut crashes = 0;
    loop {
        let process = std::env::current_exe().expect("it runs");
        let output = Command::new(process)
            .args(["--exact", "crash::relay_that_crashes", "--test-threads=1"])
            .env(FOLDER, &folder)
            .env_remove("RUST_BACKTRACE")
            .output()
            .expect("it starts");
        if output.status.success() {
            break;
        }
        crashes += 1;
        assert!(crashes < 20, "{}", String::from_utf8_lossy(&output.stderr));
        std::thread::sleep(LEASE);
    }
    let sent = std::fs::read_to_string(folder.join("sent")).expect("it is there");
    std::fs::remove_dir_all(&folder).expect("it is removed");
    let lines: Vec<Vec<&str>> = sent.lines().map(|line| line.split('\t').collect()).collect();
    let mut headers: HashMap<&str, &str> = HashMap::new();
    for line in &lines {
        let &[id, of_line, tenant] = line.as_slice() else { panic!("{line:?}") };
        assert_eq!(written[id], tenant);
        // Each time with the same headers.
        assert_eq!(*headers.entry(id).or_insert(of_line), of_line);
    }
    let ids: HashSet<&str> = lines.iter().map(|line| line[0]).collect();
    assert_eq!(ids.len(), ROWS);
    assert!(crashes > 3, "{crashes}");
    // A crash costs one duplicate, which has the id of the first.
    assert_eq!(lines.len(), ROWS + crashes);
    println!("{ROWS} rows, {crashes} crashes, {} sends", lines.len());
}
