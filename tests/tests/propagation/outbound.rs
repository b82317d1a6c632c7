//! Outbound context: what may be sent, and to which hosts.

use std::collections::HashMap;

use ctx_layer::{
    Fields,
    field::well_known::*,
    propagation::{self, Boundary, DestinationPolicy, Outbound, Trust, carriers::Environment},
};
use ctx_tests::{ATTEMPT, EMAIL};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};

use crate::shared::{ACCOUNT, PARENT, SSN, TOKEN, extract, headers, injected, schema, sent};

#[test]
fn only_propagated_fields_are_sent() {
    let fields = Fields::new().with(&TENANT_ID, "acme").with(&ROLE, "admin").with(&ATTEMPT, 3i64);
    assert_eq!(sent(fields).as_deref(), Some("tenant_id=acme"));
    assert_eq!(sent(Fields::new().with(&ROLE, "admin")), None);
}

#[test]
fn sensitive_fields_are_sent_only_if_declared_so_and_never_as_variables() {
    let fields = Fields::new()
        .with(&EMAIL, "a@example.org")
        .with(&SSN, "078-05-1120")
        .with(&TOKEN, "t-1")
        .with(&ACCOUNT, "a-1")
        .with(&TENANT_ID, "acme");
    let header = sent(fields.clone()).expect("there is something to send");
    let mut members: Vec<_> = header.split(',').collect();
    members.sort_unstable();
    assert_eq!(members, ["account=a-1", "tenant_id=acme", "token=t-1"]);

    let mut variables = Environment::new();
    let mut command = std::process::Command::new("true");
    fields.in_scope(|| {
        propagation::inject(&mut variables);
        propagation::inject(&mut command);
    });
    assert_eq!(variables.iter().collect::<Vec<_>>(), [("BAGGAGE", "tenant_id=acme")]);
    let set: Vec<_> = command.get_envs().collect();
    assert_eq!(set, [("BAGGAGE".as_ref(), Some("tenant_id=acme".as_ref()))]);
}

#[test]
fn baggage_under_a_registered_key_is_sent_only_if_the_field_is_propagated() {
    propagation::register(&schema());
    let baggage = ["role", "ssn", "email", "attempt", "token", "tenant_id", "other"].map(|key| KeyValue::new(key, "1"));
    let cx = Context::new().with_baggage(baggage);
    assert_eq!(injected(&cx)["baggage"], "other=1,tenant_id=1,token=1");
    let mut variables = Environment::new();
    propagation::inject_context(&cx, &mut variables, Outbound::Everything);
    assert_eq!(variables.get("baggage"), Some("other=1,tenant_id=1"));
}

#[test]
fn external_recipients_get_the_traceparent_only() {
    static CLIENT: Boundary = Boundary::new("outbound");
    let incoming = [("traceparent", PARENT), ("tracestate", "vendor=1"), ("baggage", "tenant_id=acme,other=1")];
    let extracted = extract(&headers(incoming), Trust::internal());
    // As where a proxy copies the headers of the request.
    let mut to_external: HashMap<String, String> =
        incoming.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut to_own = HashMap::new();
    extracted.in_scope(|| {
        CLIENT.inject(&mut to_external, Outbound::TraceParentOnly);
        CLIENT.inject(&mut to_own, Outbound::Everything);
    });
    assert_eq!(to_external, HashMap::from([("traceparent".to_owned(), PARENT.to_owned())]));
    assert_eq!(to_own.len(), 3);
    assert_eq!(to_own["baggage"], "tenant_id=acme,other=1");
}

#[test]
fn headers_of_another_request_in_the_carrier_are_replaced_or_removed() {
    let stale = headers([
        ("Traceparent", "00-11111111111111111111111111111111-1111111111111111-01"),
        ("TRACESTATE", "old=1"),
        ("Baggage", "tenant_id=victim"),
        ("accept", "*/*"),
    ]);
    let mut carrier = stale.clone();
    extract(&headers([("traceparent", PARENT)]), Trust::external()).in_scope(|| propagation::inject(&mut carrier));
    carrier.sort();
    assert_eq!(carrier, headers([("accept", "*/*"), ("traceparent", PARENT)]));

    // A service without a span of its own passes the trace on, but not the baggage, which was not trusted.
    let mut carrier = stale.clone();
    propagation::inject(&mut carrier);
    assert_eq!(carrier, [stale[0].clone(), stale[1].clone(), stale[3].clone()]);
    // External hosts get the traceparent only.
    let mut carrier = stale.clone();
    Boundary::unnamed().inject(&mut carrier, Outbound::TraceParentOnly);
    assert_eq!(carrier, [stale[0].clone(), stale[3].clone()]);
}

#[test]
fn only_listed_hosts_are_internal() {
    let policy = DestinationPolicy::internal([
        "internal.example",
        "*.svc.cluster.local",
        "localhost",
        "10.0.0.0/8",
        "192.168.7.9",
        "fd00::/8",
        "::1",
    ])
    .expect("they are hosts");
    for url in [
        "http://internal.example",
        "https://orders.internal.example:8443/orders?x=@evil.example#y",
        "https://ORDERS.Internal.EXAMPLE/",
        "http://orders.internal.example./",
        "http://a.b.svc.cluster.local/",
        "http://localhost:3000",
        "http://user:secret@internal.example/",
        "http://10.255.0.1/",
        "http://192.168.7.9:80/",
        "http://[fd12:3456::1]:8080/",
        "http://[::1]/",
        "http://[::ffff:10.1.2.3]/",
        "grpc://internal.example:50051",
        "http://internal.example?x",
        "http://internal.example#x",
    ] {
        assert_eq!(policy.for_url(url), Outbound::Everything, "{url}");
    }
    for url in [
        // A suffix matches only at the boundary of a label.
        "http://evil-internal.example/",
        "http://evilinternal.example/",
        "http://internal.example.evil.com/",
        "http://internal.exampl/",
        "http://example/",
        // The user part does not change the host.
        "http://internal.example@evil.com/",
        "http://internal.example:80@evil.com/",
        "http://a@internal.example@evil.com/",
        "http://a@evil.com@internal.example/",
        "http://evil.com:80@@internal.example/",
        "http://10.0.0.1@evil.com/",
        // URLs that clients read in different ways.
        "http://evil.com\\@internal.example/",
        "http://internal.example\\.evil.com/",
        "http://evil.com /@internal.example",
        "http://evil.com\t.internal.example/",
        "http://evil.com%2f.internal.example/",
        "http://evil.com#@internal.example/",
        "http://evil.com?@internal.example/",
        "http://evil.com/@internal.example/",
        "http://evil.com:80internal.example/",
        "http://[::1]internal.example/",
        "http://[fd00::1/",
        "http://[internal.example]/",
        "http://internal\u{3002}example/",
        "http://internal..example/",
        "http://.internal.example/",
        "http://internal.example../",
        // Unusual forms of addresses.
        "http://11.0.0.1/",
        "http://010.0.0.1/",
        "http://10.1/",
        "http://167772161/",
        "http://0xa.0.0.1/",
        "http://192.168.7.10/",
        "http://[fe00::1]/",
        "http://[::ffff:11.1.2.3]/",
        "http://[::1%25eth0]/",
        // No host at all.
        "internal.example",
        "/internal.example",
        "//internal.example",
        "mailto:a@internal.example",
        "http:internal.example",
        "http:///internal.example",
        "http://",
        "http://:80",
        "http://@",
        "evil/://internal.example",
        "",
    ] {
        assert_eq!(policy.for_url(url), Outbound::TraceParentOnly, "{url}");
    }
    assert_eq!(policy.for_authority("internal.example:443"), Outbound::Everything);
    assert_eq!(policy.for_authority("evil.com"), Outbound::TraceParentOnly);
    assert_eq!(DestinationPolicy::new().for_url("http://localhost/"), Outbound::TraceParentOnly);
}

#[test]
fn networks_of_every_size_are_recognized() {
    for (network, inside, outside) in [
        ("0.0.0.0/0", "255.1.2.3", None),
        ("10.1.2.3/32", "10.1.2.3", Some("10.1.2.2")),
        ("10.1.2.3/31", "10.1.2.2", Some("10.1.2.1")),
        ("::/0", "[ffff::1]", Some("10.0.0.1")),
        ("2001:db8::/33", "[2001:db8:7fff::]", Some("[2001:db8:8000::]")),
        ("2001:db8::1/128", "[2001:DB8::1]", Some("[2001:db8::2]")),
        // IPv4 written as IPv6, at either end.
        ("10.0.0.0/8", "[::ffff:10.1.2.3]", Some("[::ffff:11.1.2.3]")),
        ("::ffff:10.0.0.0/104", "10.1.2.3", Some("11.1.2.3")),
        ("::ffff:10.1.2.3", "[::ffff:10.1.2.3]", Some("10.1.2.4")),
        ("::ffff:0.0.0.0/96", "10.1.2.3", Some("[::fffe:10.1.2.3]")),
        // Nothing else is IPv4: a network that only contains the mapped range has IPv6 addresses.
        ("::ffff:10.0.0.0/95", "[::fffe:0:1]", Some("[::fffd:0:1]")),
    ] {
        let policy = DestinationPolicy::internal([network]).expect(network);
        assert_eq!(policy.for_authority(inside), Outbound::Everything, "{network} {inside}");
        if let Some(outside) = outside {
            assert_eq!(policy.for_authority(outside), Outbound::TraceParentOnly, "{network} {outside}");
        }
    }
    for wrong in [
        "",
        ".",
        "a..b",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0/8",
        "fd00::/129",
        "a/8",
        "a b",
        "a:80",
        "é",
    ] {
        let error = DestinationPolicy::internal(["localhost", wrong]).expect_err(wrong).to_string();
        assert!(error.contains(&format!("{wrong:?} is not a host")), "{error}");
    }
}

#[test]
fn a_policy_is_built_from_a_list_and_a_host_beside_two_users_is_none() {
    let policy = DestinationPolicy::try_from(&["example.org", "10.0.0.0/8"][..]).expect("both are hosts");
    assert_eq!(policy.for_authority("user@api.example.org:443"), Outbound::Everything);
    for authority in ["user@other@api.example.org", "api.example.org:x", "0x7f.1", "10.0.0.256", "example.com"] {
        assert_eq!(policy.for_authority(authority), Outbound::TraceParentOnly, "{authority}");
    }
    assert!(DestinationPolicy::try_from(&["exa mple"][..]).is_err());
}

#[test]
fn a_field_registered_after_the_first_message_goes_with_the_next() {
    use ctx_layer::{ContextField, Policy, Schema};
    static BOUNDARY: Boundary = Boundary::new("registered later");
    let later = ContextField::<String>::declare("registered.later", Policy::new().propagated()).expect("it is a name");
    let arrives = |value: &'static str| {
        let headers = HashMap::from([("baggage".to_owned(), format!("registered.later={value}"))]);
        BOUNDARY.extract(&headers, Trust::internal()).fields().get(later).cloned()
    };
    propagation::register(&schema());
    assert_eq!(arrives("unknown"), None);
    propagation::register(&Schema::builder().field(later).build().expect("it is one field"));
    assert_eq!(arrives("known").as_deref(), Some("known"));
}
