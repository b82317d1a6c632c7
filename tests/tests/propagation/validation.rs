//! Drives the example service over HTTP, as a harness for W3C Trace Context does.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use crate::grammar;

const TRACE: &str = "12345678901234567890123456789012";
const ID: &str = "1234567890123456";

/// The service in a process of its own, and a server for it to call.
struct Harness {
    service: Child,
    address: String,
    callback: String,
    received: mpsc::Receiver<Vec<(String, String)>>,
}

impl Drop for Harness {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

fn read_message(stream: &mut impl BufRead) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    let mut first = String::new();
    stream.read_line(&mut first).ok().filter(|len| *len > 0)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|len| *len > 0)?;
        let line = line.trim_end_matches(['\r', '\n']);
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned())),
            None => break,
        }
    }
    let len = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; len.and_then(|(_, len)| len.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(headers)
}

impl Harness {
    fn start() -> Self {
        let mut service = Command::new(env!("CARGO_BIN_EXE_trace_context_service"))
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        let mut line = String::new();
        let stdout = service.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().strip_prefix("listening on ").expect("it says where it listens").to_owned();

        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let callback = format!("http://{}/callback", listener.local_addr().expect("it is bound"));
        let (sender, received) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream);
                if let Some(headers) = read_message(&mut reader) {
                    let _ = sender.send(headers);
                    let _ = reader
                        .get_mut()
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]");
                }
            }
        });
        Harness { service, address, callback, received }
    }

    /// Returns the headers of the service's calls, when it is called with these headers.
    fn call(&self, headers: &[(&str, &str)], count: usize) -> Vec<Outgoing> {
        let calls: Vec<_> =
            (0..count).map(|_| serde_json::json!({"url": self.callback, "arguments": [{"any": "thing"}]})).collect();
        let body = serde_json::Value::from(calls).to_string();
        let mut request = format!("POST /test HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{headers:?}: {answer}");
        // It answers after its calls are done, so they have arrived.
        (0..count)
            .map(|_| Outgoing::of(self.received.recv_timeout(Duration::from_secs(60)).expect("it was called back")))
            .collect()
    }

    fn one(&self, headers: &[(&str, &str)]) -> Outgoing {
        self.call(headers, 1).remove(0)
    }
}

struct Outgoing {
    traceparent: String,
    tracestate: Option<String>,
}

impl Outgoing {
    fn of(headers: Vec<(String, String)>) -> Self {
        let all = |name: &str| -> Vec<String> {
            headers
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.clone())
                .collect()
        };
        let (parents, states) = (all("traceparent"), all("tracestate"));
        assert_eq!(parents.len(), 1, "{headers:?}");
        assert!(grammar::is_traceparent(&parents[0]), "{headers:?}");
        assert!(states.len() <= 1 && states.iter().all(|state| grammar::is_tracestate(state)), "{headers:?}");
        assert!(all("baggage").is_empty(), "{headers:?}");
        Outgoing { traceparent: parents[0].clone(), tracestate: states.into_iter().next() }
    }

    fn trace_id(&self) -> &str {
        &self.traceparent[3..35]
    }

    fn parent_id(&self) -> &str {
        &self.traceparent[36..52]
    }

    fn flags(&self) -> &str {
        &self.traceparent[53..]
    }
}

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{ID}-{flags}")
}

fn numbered(range: std::ops::RangeInclusive<usize>) -> String {
    range.map(|n| format!("bar{n:02}={n:02}")).collect::<Vec<_>>().join(",")
}

/// One process runs all cases: starting it takes longer than all of them.
#[test]
fn the_example_service_propagates_trace_context_by_level_2() {
    let harness = Harness::start();
    valid_traceparents_are_continued(&harness);
    others_start_a_new_trace(&harness);
    each_call_has_a_parent_id_of_its_own(&harness);
    flags(&harness);
    tracestates(&harness);
    external_callers_are_not_trusted(&harness);
}

fn valid_traceparents_are_continued(harness: &Harness) {
    let own = parent("01");
    for (name, value) in [
        ("traceparent", own.clone()),
        ("TraceParent", own.clone()),
        ("TrAcEpArEnT", own.clone()),
        ("TRACEPARENT", own.clone()),
        ("traceparent", own.replacen("00", "cc", 1)),
        ("traceparent", own.replacen("00", "cc", 1) + "-what-the-future-will-be-like"),
        ("traceparent", format!(" {own}")),
        ("traceparent", format!("\t{own}")),
        ("traceparent", format!("{own} ")),
        ("traceparent", format!("{own}\t")),
        ("traceparent", format!("\t {own} \t")),
    ] {
        let out = harness.one(&[(name, &value)]);
        assert_eq!(out.trace_id(), TRACE, "{name}: {value:?}");
        assert_ne!(out.parent_id(), ID, "{name}: {value:?}");
    }
}

fn others_start_a_new_trace(harness: &Harness) {
    let own = parent("01");
    for headers in [
        vec![],
        vec![("trace-parent", own.clone())],
        vec![("trace.parent", own.clone())],
        vec![("traceparent", own.replace("9012", "9011")), ("traceparent", own.clone())],
        vec![("traceparent", own.clone()), ("traceparent", own.clone())],
        vec![("traceparent", format!("{own}."))],
        vec![("traceparent", format!("{own}-what-the-future-will-be-like"))],
        vec![("traceparent", own.replacen("00", "cc", 1) + ".what-the-future-will-be-like")],
        vec![("traceparent", own.replacen("00", "ff", 1))],
        vec![("traceparent", own.replacen("00", ".0", 1))],
        vec![("traceparent", own.replacen("00", "0.", 1))],
        vec![("traceparent", own.replacen("00", "000", 1))],
        vec![("traceparent", own.replacen("00", "0000", 1))],
        vec![("traceparent", own.replacen("00", "0", 1))],
        vec![("traceparent", format!("00-{}-{ID}-01", "0".repeat(32)))],
        vec![("traceparent", format!("00-.{}-{ID}-01", &TRACE[1..]))],
        vec![("traceparent", format!("00-{}.-{ID}-01", &TRACE[1..]))],
        vec![("traceparent", format!("00-{TRACE}3-{ID}-01"))],
        vec![("traceparent", format!("00-{}-{ID}-01", &TRACE[1..]))],
        vec![("traceparent", format!("00-{TRACE}-{}-01", "0".repeat(16)))],
        vec![("traceparent", format!("00-{TRACE}-.{}-01", &ID[1..]))],
        vec![("traceparent", format!("00-{TRACE}-{}.-01", &ID[1..]))],
        vec![("traceparent", format!("00-{TRACE}-{ID}7-01"))],
        vec![("traceparent", format!("00-{TRACE}-{}-01", &ID[1..]))],
        vec![("traceparent", parent(".0"))],
        vec![("traceparent", parent("0."))],
        vec![("traceparent", parent("001"))],
        vec![("traceparent", parent("1"))],
    ] {
        let with_state: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .chain([("tracestate", "foo=1,bar=2")])
            .collect();
        let out = harness.one(&with_state);
        let sent: String = headers.iter().map(|(_, value)| value.as_str()).collect();
        assert!(!sent.contains(out.trace_id()), "{headers:?}: {}", out.traceparent);
        assert_eq!(out.tracestate, None, "{headers:?}");
        assert_eq!(out.flags(), "03", "{headers:?}: a trace that is started here has a random id");
    }
}

fn each_call_has_a_parent_id_of_its_own(harness: &Harness) {
    for (value, continued) in
        [(parent("01"), true), (format!("00-{}-{ID}-01", "0".repeat(32)), false), (String::new(), false)]
    {
        let headers = [("traceparent", value.as_str())];
        let out = harness.call(if value.is_empty() { &[] } else { &headers }, 3);
        let ids: std::collections::HashSet<_> = out.iter().map(Outgoing::parent_id).collect();
        assert_eq!(ids.len(), 3, "{value}");
        assert!(out.iter().all(|each| each.trace_id() == out[0].trace_id()), "{value}: one request is one trace");
        assert_eq!(out[0].trace_id() == TRACE, continued, "{value}");
    }
}

fn flags(harness: &Harness) {
    // The default sampler follows the caller.
    for (came, goes) in [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03")] {
        assert_eq!(harness.one(&[("traceparent", &parent(came))]).flags(), goes, "{came}");
    }
}

fn tracestates(harness: &Harness) {
    let all_of_key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let all_of_value: String = (' '..='~').filter(|c| *c != ',' && *c != '=').collect();
    let tenant = |tenant, vendor| format!("{}@{}=1", "t".repeat(tenant), "v".repeat(vendor));
    let (long, vendor) = ("z".repeat(256), tenant(241, 14));
    let too_long = format!("{}=1", "z".repeat(257));
    for (lines, expected) in [
        (vec!["foo=1,bar=2".to_owned()], Some("foo=1,bar=2".to_owned())),
        (vec![String::new()], None),
        (vec!["foo=1".to_owned(), String::new()], Some("foo=1".to_owned())),
        (vec![String::new(), "foo=1".to_owned()], Some("foo=1".to_owned())),
        (
            vec!["foo=1,bar=2".to_owned(), "rojo=1,congo=2".to_owned(), "baz=3".to_owned()],
            Some("foo=1,bar=2,rojo=1,congo=2,baz=3".to_owned()),
        ),
        (vec!["foo=1,foo=1".to_owned()], Some("foo=1".to_owned())),
        (vec!["foo=1,foo=2".to_owned()], Some("foo=1".to_owned())),
        (vec!["foo=1".to_owned(), "foo=1".to_owned()], Some("foo=1".to_owned())),
        (vec!["foo=1".to_owned(), "foo=2".to_owned()], Some("foo=1".to_owned())),
        (vec![format!("{all_of_key}={all_of_value}")], Some(format!("{all_of_key}={all_of_value}"))),
        (
            vec![format!("{all_of_key}@a-z0-9_-*/={all_of_value}")],
            Some(format!("{all_of_key}@a-z0-9_-*/={all_of_value}")),
        ),
        (vec!["foo=1 \t , \t bar=2, \t baz=3".to_owned()], Some("foo=1,bar=2,baz=3".to_owned())),
        (vec!["foo=1\t \t,\t \tbar=2,\t \tbaz=3".to_owned()], Some("foo=1,bar=2,baz=3".to_owned())),
        (vec![" foo=1".to_owned()], Some("foo=1".to_owned())),
        (vec!["\tfoo=1".to_owned()], Some("foo=1".to_owned())),
        (vec!["foo=1 ".to_owned()], Some("foo=1".to_owned())),
        (vec!["foo=1\t".to_owned()], Some("foo=1".to_owned())),
        (vec!["\t foo=1 \t".to_owned()], Some("foo=1".to_owned())),
        (vec!["foo =1".to_owned()], None),
        (vec!["FOO=1".to_owned()], None),
        (vec!["foo.bar=1".to_owned()], None),
        (vec!["@foo=1,bar=2".to_owned()], None),
        (vec!["foo=bar=baz".to_owned()], None),
        (vec!["foo=,bar=3".to_owned()], None),
        (vec![numbered(1..=10), numbered(11..=20), numbered(21..=32)], Some(numbered(1..=32))),
        (vec![numbered(1..=10), numbered(11..=20), numbered(21..=33)], None),
        (vec!["foo=1".to_owned(), format!("{long}=1")], Some(format!("foo=1,{long}=1"))),
        (vec!["foo=1".to_owned(), vendor.clone()], Some(format!("foo=1,{vendor}"))),
        (vec!["foo=1".to_owned(), too_long], None),
        // Level 2: `@` is an ordinary character, and only the whole key has a limit.
        (vec!["foo@=1,bar=2".to_owned()], Some("foo@=1,bar=2".to_owned())),
        (vec!["foo@@bar=1,bar=2".to_owned()], Some("foo@@bar=1,bar=2".to_owned())),
        (vec!["foo@bar@baz=1,bar=2".to_owned()], Some("foo@bar@baz=1,bar=2".to_owned())),
        (vec!["foo=1".to_owned(), tenant(242, 1)], Some(format!("foo=1,{}", tenant(242, 1)))),
        (vec!["foo=1".to_owned(), tenant(1, 15)], Some(format!("foo=1,{}", tenant(1, 15)))),
        (vec!["foo=1".to_owned(), tenant(242, 13)], Some(format!("foo=1,{}", tenant(242, 13)))),
        (vec!["foo=1".to_owned(), tenant(242, 14)], None),
    ] {
        for flags in ["00", "01"] {
            let parent = parent(flags);
            let headers: Vec<_> = [("traceparent", parent.as_str())]
                .into_iter()
                .chain(
                    lines
                        .iter()
                        .zip(["TraceState", "tracestate", "TRACESTATE"])
                        .map(|(line, name)| (name, line.as_str())),
                )
                .collect();
            let out = harness.one(&headers);
            assert_eq!(out.trace_id(), TRACE, "{lines:?}");
            assert_eq!(out.tracestate, expected, "{lines:?}");
        }
    }
    for name in ["trace-state", "trace.state"] {
        assert_eq!(harness.one(&[("traceparent", &parent("00")), (name, "foo=1")]).tracestate, None);
    }
}

fn external_callers_are_not_trusted(harness: &Harness) {
    // Every call checks that no baggage is sent.
    harness.one(&[("traceparent", &parent("01")), ("baggage", "tenant_id=victim,other=1")]);
}
