//! The command: arguments, standard input, exit status.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use crate::scenario::{SERVER, Scenario};

fn file(system: &Scenario) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("there is room");
    file.write_all(system.lines().join("\n").as_bytes()).expect("there is room");
    file
}

fn system(is_broken: bool) -> Scenario {
    let mut system = Scenario::default();
    for number in 0..2 {
        let web = system.add(None, "web", "GET /", SERVER);
        let (_, orders) = system.reach(web, "orders");
        if is_broken && number == 0 {
            system.tear_off(orders);
        }
    }
    system
}

fn run(arguments: &[&str], input: Option<&str>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ctx-check"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.unwrap_or_default().to_owned();
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    writer.join().expect("it does not panic");
    let text = |bytes| String::from_utf8(bytes).expect("it is UTF-8");
    (status.code().expect("it exits"), text(stdout), text(stderr))
}

#[test]
fn the_exit_status_tells_whether_the_gates_hold() {
    let (healthy, broken) = (file(&system(false)), file(&system(true)));
    let path = |file: &tempfile::NamedTempFile| file.path().display().to_string();
    let (healthy, broken) = (path(&healthy), path(&broken));
    for (arguments, status) in [
        (vec![&*healthy], 0),
        (vec![&*broken], 0),
        (vec![&*broken, "--max-broken", "0"], 1),
        (vec![&*broken, "--max-broken", "60%"], 0),
        (vec![&*broken, "--fail-on", "error"], 1),
        (
            vec![
                &*healthy,
                "--fail-on",
                "note",
                "--no-mixed",
                "tenant_id",
                "--max-orphans",
                "0.1%",
                "--no-problems",
                "--no-sensitive",
            ],
            0,
        ),
        (vec![&*healthy, "--require", "tenant_id"], 1),
        (vec![&*healthy, "--require", "http.response.status_code", "--max-missing", "70%"], 0),
        (vec!["/nowhere/at/all"], 2),
        (vec![&*healthy, "--max-broken", "x"], 2),
        (vec![&*healthy, "--settings", "/nowhere"], 2),
        (vec![&*healthy, "--from", "noon"], 2),
        (vec![&*healthy, "--baseline", &*healthy], 2),
        (vec![], 2),
    ] {
        let (found, _, errors) = run(&arguments, None);
        assert_eq!(found, status, "{arguments:?}: {errors}");
    }
}

#[test]
fn standard_input_is_read_and_every_form_is_written() {
    let input = system(true).lines().join("\n");
    for (format, expected) in [
        ("table", "broken"),
        ("json", "\"kind\": \"broken_edge\""),
        ("sarif", "\"ruleId\": \"ctx/broken-edge\""),
        ("junit", "<testsuites"),
        ("markdown", "## Context propagation: 1 findings"),
        ("html", "<!doctype html>"),
    ] {
        let (status, output, errors) = run(&["-", "--format", format], Some(&input));
        assert!(status == 0 && output.contains(expected), "{format}: {output} {errors}");
    }
    let folder = tempfile::tempdir().expect("there is room");
    let page: PathBuf = folder.path().join("page.html");
    let report: PathBuf = folder.path().join("report.json");
    let (page_name, report_name) = (page.display().to_string(), report.display().to_string());
    let (status, output, _) = run(&["-", "--format", "json", "-o", &report_name, "--html", &page_name], Some(&input));
    assert_eq!((status, &*output), (0, ""));
    assert!(std::fs::read_to_string(&page).is_ok_and(|page| page.contains("orders")));
    // And compared with.
    let (status, output, _) = run(&["-", "--baseline", &report_name, "--no-worse"], Some(&input));
    assert_eq!(status, 0, "{output}");
    let (status, output, errors) = run(
        &["-", "--baseline", &report_name, "--no-worse", "--require", "tenant_id", "--max-missing", "100%"],
        Some(&input),
    );
    assert!(status == 1 && errors.contains("--no-worse") && output.contains("new "), "{output} {errors}");
}

#[test]
fn what_cannot_be_read_is_named_with_file_and_line() {
    let input = format!("{}\nnonsense\n", system(false).lines().join("\n"));
    let (status, output, errors) = run(&["-", "--no-problems"], Some(&input));
    assert_eq!(status, 1);
    assert!(output.contains("standard input:7:1: found a line that is not JSON"), "{output}");
    assert!(errors.contains("--no-problems"), "{errors}");
    let (status, _, errors) = run(&["-"], Some(""));
    assert!(status == 0 && errors.contains("no spans"), "{errors}");
}

/// Sends what `curl` would send, and returns the answer.
fn post(address: &str, path: &str, kind: &str, extra: &str, body: &[u8]) -> String {
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\n{extra}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    stream.write_all(body).expect("it reads");
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_is_sent_while_it_listens_is_judged() {
    use std::io::{BufRead, BufReader};

    let mut child = Command::new(env!("CARGO_BIN_EXE_ctx-check"))
        .args(["--listen", "127.0.0.1:0", "--listen-for", "5m", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().expect("it is piped")).read_line(&mut line).expect("it says where it listens");
    let address = line
        .split_whitespace()
        .find(|word| word.starts_with("127."))
        .expect("it is there")
        .trim_end_matches(',')
        .to_owned();
    let lines = system(true).lines();
    let (first, rest) = lines.split_first().expect("there are some");
    let answer = post(&address, "/v1/traces", "application/json", "", first.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("{}"), "{answer}");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(rest[0].as_bytes()).expect("it is memory");
    let packed = encoder.finish().expect("it is memory");
    let answer = post(&address, "/v1/traces", "application/json", "content-encoding: gzip\r\n", &packed);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for line in &rest[1..] {
        post(&address, "/v1/traces", "application/json", "", line.as_bytes());
    }
    assert!(
        post(&address, "/v1/traces", "application/json", "content-encoding: gzip\r\n", b"x")
            .starts_with("HTTP/1.1 400")
    );
    assert!(post(&address, "/other", "application/json", "", b"{}").starts_with("HTTP/1.1 404"));
    // Ctrl-c ends it before the time is over, and what came is judged.
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!((report["summary"]["spans"].as_u64(), &report["findings"][0]["kind"]), (Some(6), &"broken_edge".into()));
}
