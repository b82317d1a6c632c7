/// Returns headers that an attacker or a broken client sends, each with what is wrong with it.
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::{field::well_known::TENANT_ID, propagation::{self, Trust}, testing::wire};
///
/// for (what, headers) in wire::hostile_headers() {
///     let headers: HashMap<String, String> = headers.into_iter().collect();
///     propagation::extract(&headers, Trust::external()).in_scope(|| {
///         assert_eq!(TENANT_ID.get(), None, "{what}");
///     });
/// }
/// ```
pub fn hostile_headers() -> Vec<(&'static str, Vec<(String, String)>)> {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";
    let traceparent = |value: String| vec![("traceparent".to_owned(), value)];
    let baggage = |value: String| {
        vec![("traceparent".to_owned(), format!("00-{TRACE}-{SPAN}-01")), ("baggage".to_owned(), value)]
    };
    vec![
        ("a trace id of zeros", traceparent(format!("00-{}-{SPAN}-01", "0".repeat(32)))),
        ("a span id of zeros", traceparent(format!("00-{TRACE}-{}-01", "0".repeat(16)))),
        ("the forbidden version", traceparent(format!("ff-{TRACE}-{SPAN}-01"))),
        ("capital hexadecimal digits", traceparent(format!("00-{}-{SPAN}-01", TRACE.to_uppercase()))),
        ("a part too many", traceparent(format!("00-{TRACE}-{SPAN}-01-00"))),
        ("a part too few", traceparent(format!("00-{TRACE}-{SPAN}"))),
        ("text in place of ids", traceparent("00-victim-victim-01".to_owned())),
        ("an endless header", traceparent("0".repeat(100_000))),
        ("another tenant", baggage("tenant_id=victim".to_owned())),
        ("another tenant, twice", baggage("tenant_id=acme,tenant_id=victim".to_owned())),
        ("another tenant with properties", baggage("tenant_id=victim;admin=true".to_owned())),
        ("another tenant, encoded", baggage("tenant%5Fid=%76ictim".to_owned())),
        ("a line break", baggage("tenant_id=acme%0d%0aset-cookie:%20a=b".to_owned())),
        ("a zero byte", baggage("tenant_id=acme%00".to_owned())),
        ("invalid UTF-8", baggage("tenant_id=%ff%fe".to_owned())),
        ("an escape sequence of a terminal", baggage("tenant_id=%1b[31macme".to_owned())),
        ("characters that are not seen", baggage("tenant_id=acme%E2%80%8B".to_owned())),
        ("ten thousand members", baggage(vec!["a=b"; 10_000].join(","))),
        ("an endless value", baggage(format!("tenant_id={}", "a".repeat(100_000)))),
        ("no value", baggage("tenant_id".to_owned())),
        ("only separators", baggage(",;=,;=".repeat(100))),
    ]
}
