//! Each likely problem of a set-up is reported once. Each program runs in a process of its own, because warnings are
//! global.

use std::{
    fmt,
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use ctx_layer::{
    ContextLayer, Fields, FutureFieldsExt, Schema, SeparateSpanFields, SubscriberFieldsExt, context::ContextFieldsExt,
    field::well_known::*, fields_once_per_line, propagation, task::Snapshot,
};
use ctx_tests::Exported;
use tracing::{Dispatch, Level, Subscriber, dispatcher, info, info_span, warn};
use tracing_subscriber::{EnvFilter, Layer, filter::LevelFilter, filter::filter_fn, fmt as output, prelude::*, reload};

ctx_layer::context_fields! {
    /// A field in no schema here.
    static WAREHOUSE: String = "warehouse";
    /// Another field in no schema.
    static SHELF: u64 = "shelf";
    /// A field in no schema that is shown nowhere on purpose.
    static INTERNAL: u64 = "internal_number" => spans(false), events(false);
}

/// A type as in another version: a crate with a type of that name.
mod tracing_opentelemetry_elsewhere {
    pub(crate) mod tracing_opentelemetry {
        pub(crate) mod layer {
            use std::marker::PhantomData;

            pub(crate) struct OpenTelemetryLayer<S, T>(PhantomData<fn(S, T)>);

            impl<S, T> OpenTelemetryLayer<S, T> {
                pub(crate) fn new() -> Self {
                    OpenTelemetryLayer(PhantomData)
                }
            }

            impl<S: tracing::Subscriber, T: 'static> tracing_subscriber::Layer<S> for OpenTelemetryLayer<S, T> where S: 'static {}
        }
    }
}
use tracing_opentelemetry_elsewhere::tracing_opentelemetry::layer::OpenTelemetryLayer as OtherVersion;

/// Installs a subscriber that writes a line of text per event to stdout.
macro_rules! text {
    () => {
        output::layer().without_time().with_ansi(false)
    };
}

fn known() -> Schema {
    Schema::well_known()
}

fn small() -> Schema {
    Schema::builder().field(&TENANT_ID).build().unwrap()
}

fn under(subscriber: impl Subscriber + Send + Sync + 'static, f: impl FnOnce()) {
    dispatcher::with_default(&Dispatch::new(subscriber), f);
}

/// Sets every field by every call.
fn set_all_ways() {
    let _one = WAREHOUSE.attach("rotterdam");
    WAREHOUSE.in_scope("lisbon", || info!("in a scope"));
    let _several = Fields::new().with(&WAREHOUSE, "oslo").attach();
    let _span = info_span!("span").entered();
    let _ = WAREHOUSE.record("bergen");
    let _context = opentelemetry::Context::current().with_fields(Fields::new().with(&WAREHOUSE, "turku"));
    drop(async {}.with_field(&WAREHOUSE, "riga"));
    info!("with all");
}

const OVER: &str = "was added over the `ContextSubscriber` that was created at tests/tests/silence.rs:";
const NOT_IN_A_SCHEMA: &str = "a field was set that no schema has";
const NO_LAYER: &str = "no layer of `ctx-layer` is installed";
const OTHER_VERSION: &str = "an OpenTelemetry layer of another version";

type Program = fn();

/// The programs, each with the warnings that it must log exactly once, and no others.
const PROGRAMS: &[(&str, &[&str], Program)] = &[
    ("an output over ours", &[OVER], || {
        let stack = tracing_subscriber::registry().with_context_fields(known()).with(text!());
        under(stack, || TENANT_ID.in_scope("acme", || (0..3).for_each(|_| info!("no tenant here"))));
    }),
    ("an output over ours, globally", &[OVER], || {
        tracing_subscriber::registry().with_context_fields(known()).with(text!()).init();
        TENANT_ID.in_scope("acme", || (0..3).for_each(|_| info!("no tenant here")));
    }),
    ("an output over ours, only spans", &[OVER], || {
        let stack = tracing_subscriber::registry().with_context_fields(known()).with(text!());
        under(stack, || (0..3).for_each(|_| drop(info_span!("span").entered())));
    }),
    ("a filter over ours", &[OVER], || {
        let stack = tracing_subscriber::registry().with(text!()).with_context_fields(known()).with(LevelFilter::INFO);
        under(stack, || info!("it has a tenant, but spans that are off do not"));
    }),
    ("an EnvFilter over ours", &[OVER], || {
        let stack =
            tracing_subscriber::registry().with(text!()).with_context_fields(known()).with(EnvFilter::new("info"));
        under(stack, || info!("as above"));
    }),
    ("a boxed, an optional and a reloadable layer over ours", &[OVER], || {
        let (reloadable, _handle) = reload::Layer::new(text!().boxed());
        let stack = tracing_subscriber::registry()
            .with(text!())
            .with_context_fields(known())
            .with(text!().with_writer(std::io::sink).boxed())
            .with(Some(LevelFilter::INFO))
            .with(reloadable.with_filter(LevelFilter::OFF));
        under(stack, || (0..3).for_each(|_| info!("text")));
    }),
    ("an output with a filter of its own over ours", &[OVER], || {
        // A refused call stays refused, even while the warning is logged.
        let refuses = text!().with_filter(filter_fn(|metadata| *metadata.level() <= Level::WARN));
        let stack = tracing_subscriber::registry()
            .with(text!().with_writer(std::io::sink).with_filter(LevelFilter::INFO))
            .with_context_fields(known())
            .with(refuses);
        under(stack, || {
            info!("refused");
            warn!("taken");
            info!("refused");
        });
    }),
    ("an output over ours, and ours over that", &[], || {
        let stack = tracing_subscriber::registry().with_context_fields(small()).with_context_fields(known());
        under(stack, || info!("text"));
    }),
    ("ours last, with all kinds of layers", &[], || {
        let (reloadable, _handle) = reload::Layer::new(text!().map_fmt_fields(SeparateSpanFields).boxed());
        let stack = tracing_subscriber::registry()
            .with(LevelFilter::INFO)
            .with(fields_once_per_line(text!()))
            .with(ContextLayer::new(text!(), known()).with_filter(EnvFilter::new("info")))
            .with(reloadable)
            .with(vec![text!().boxed()])
            .with(None::<LevelFilter>)
            .with_context_fields(known());
        under(stack, || {
            TENANT_ID.in_scope("acme", || info_span!("span").in_scope(|| info!("text")));
            let _ = INTERNAL.attach(7_u64);
        });
    }),
    ("ours over a finished subscriber", &[], || {
        under(tracing_subscriber::fmt().with_ansi(false).finish().with_context_fields(known()), || info!("text"));
        let shared = Arc::new(tracing_subscriber::registry().with(text!()).with_context_fields(known()));
        under(shared, || info!("text"));
    }),
    ("a field in no schema", &[NOT_IN_A_SCHEMA], || {
        let stack = tracing_subscriber::registry().with(text!()).with_context_fields(known());
        under(stack, || (0..2).for_each(|_| set_all_ways()));
    }),
    ("a field in no schema, attached", &[NOT_IN_A_SCHEMA], || {
        under(tracing_subscriber::registry().with(text!()).with_context_fields(known()), || {
            drop(WAREHOUSE.attach("a"))
        });
    }),
    ("a field in no schema, recorded", &[NOT_IN_A_SCHEMA], || {
        under(tracing_subscriber::registry().with(text!()).with_context_fields(known()), || {
            let _span = info_span!("span").entered();
            assert!(WAREHOUSE.record("rotterdam"));
            assert!(WAREHOUSE.record_on(&tracing::Span::current(), "rotterdam"));
        });
    }),
    ("a field in no schema, for a future", &[NOT_IN_A_SCHEMA], || {
        under(tracing_subscriber::registry().with(text!()).with_context_fields(known()), || {
            drop(async {}.with_field(&WAREHOUSE, "a"));
        });
    }),
    ("a field in no schema, set in a snapshot", &[NOT_IN_A_SCHEMA], || {
        under(tracing_subscriber::registry().with(text!()).with_context_fields(known()), || {
            Snapshot::capture().with_field(&WAREHOUSE, "a").in_scope(|| info!("text"));
        });
    }),
    ("two fields in no schema", &[NOT_IN_A_SCHEMA, NOT_IN_A_SCHEMA], || {
        under(tracing_subscriber::registry().with(text!()).with_context_fields(known()), || {
            for _ in 0..2 {
                let _set = (WAREHOUSE.attach("a"), SHELF.attach(7_u64));
                info!("text");
            }
        });
    }),
    ("a field in no schema, under an output alone", &[NOT_IN_A_SCHEMA], || {
        let output = ContextLayer::new(text!(), known());
        under(tracing_subscriber::registry().with(output), || drop(WAREHOUSE.attach("a")));
    }),
    ("a field in no schema, set before the subscriber is installed", &[NOT_IN_A_SCHEMA], || {
        let _early = WAREHOUSE.attach("a");
        let _again = WAREHOUSE.attach("b");
        tracing_subscriber::registry().with(text!()).with_context_fields(known()).init();
        (0..3).for_each(|_| info!("no warehouse here"));
    }),
    ("fields of the schema, set before the subscriber is installed", &[], || {
        let _early = (TENANT_ID.attach("acme"), WAREHOUSE.attach("a"));
        let schema = Schema::builder().well_known().field(&WAREHOUSE).build().unwrap();
        tracing_subscriber::registry().with(text!()).with_context_fields(schema).init();
        info!("with a tenant");
        let _later = WAREHOUSE.attach("b");
        info!("with a warehouse");
    }),
    ("a field of an output's schema", &[], || {
        let schema = Schema::builder().field(&WAREHOUSE).build().unwrap();
        let output = ContextLayer::new(text!(), schema);
        under(tracing_subscriber::registry().with(output).with_context_fields(known()), set_all_ways);
    }),
    ("a field that is on no line by its policy", &[], || {
        under(tracing_subscriber::registry().with(text!()).with_context_fields(known()), || {
            let _internal = INTERNAL.attach(7_u64);
            info!("text");
        });
    }),
    ("no subscriber", &[], || {
        set_all_ways();
        let _tenant = TENANT_ID.attach("acme");
    }),
    ("no layer", &[NO_LAYER], || {
        tracing_subscriber::registry().with(text!()).init();
        for _ in 0..2 {
            set_all_ways();
            let _tenant = TENANT_ID.attach("acme");
            info!("no tenant here");
        }
        thread::spawn(|| drop(TENANT_ID.attach("acme"))).join().unwrap();
    }),
    ("no layer, but a schema for the wire", &[], || {
        propagation::register(&known());
        tracing_subscriber::registry().with(text!()).init();
        let _tenant = TENANT_ID.attach("acme");
        info!("it is sent, and not shown");
    }),
    ("no layer first, and then one without the field", &[NO_LAYER, NOT_IN_A_SCHEMA], || {
        under(tracing_subscriber::registry().with(text!()), || drop(WAREHOUSE.attach("a")));
        under(tracing_subscriber::registry().with(text!()).with_context_fields(known()), || {
            drop(WAREHOUSE.attach("a"))
        });
    }),
    ("another version", &[OTHER_VERSION], || {
        let other = OtherVersion::<_, ()>::new();
        let stack = tracing_subscriber::registry().with(text!()).with(other).with_context_fields(known());
        under(stack, || (0..3).for_each(|_| info_span!("span").in_scope(|| info!("no trace id here"))));
    }),
    ("another version with a filter, under two of ours", &[OTHER_VERSION], || {
        let other = OtherVersion::<_, ()>::new().with_filter(LevelFilter::INFO);
        let stack = tracing_subscriber::registry().with(other).with(text!());
        under(stack.with_context_fields(small()).with_context_fields(known()), || info!("no trace id here"));
    }),
    ("another version that may be missing", &[], || {
        let other = Some(OtherVersion::<_, ()>::new()).filter(|_| false);
        under(tracing_subscriber::registry().with(other).with(text!()).with_context_fields(known()), || info!("text"));
    }),
    ("the version that is used", &[], || {
        let exported = Exported::new();
        let otel = || tracing_opentelemetry::layer().with_tracer(exported.tracer());
        under(tracing_subscriber::registry().with(otel()).with(text!()).with_context_fields(known()), || info!("text"));
        under(
            tracing_subscriber::registry()
                .with(otel().with_filter(LevelFilter::INFO))
                .with(text!())
                .with_context_fields(known()),
            || {
                info_span!("span").in_scope(|| info!("text"));
            },
        );
        under(
            tracing_subscriber::registry()
                .with(fields_once_per_line(otel()))
                .with(text!())
                .with_context_fields(known()),
            || info!("text"),
        );
        under(tracing_subscriber::registry().with(Some(otel())).with(text!()).with_context_fields(known()), || {
            info!("text")
        });
        let two = tracing_subscriber::registry().with(otel()).with(text!());
        under(two.with_context_fields(small()).with_context_fields(known()), || info!("text"));
        assert_eq!(exported.spans().len(), 1);
    }),
    ("all at once", &[NO_LAYER, NOT_IN_A_SCHEMA, NOT_IN_A_SCHEMA, OVER, OTHER_VERSION], || {
        let _early = SHELF.attach(7_u64);
        under(tracing_subscriber::registry().with(text!()), || drop(TENANT_ID.attach("acme")));
        under(tracing_subscriber::registry().with_context_fields(known()).with(text!()), || info!("text"));
        let other = OtherVersion::<_, ()>::new();
        under(tracing_subscriber::registry().with(other).with(text!()).with_context_fields(known()), || {
            drop(WAREHOUSE.attach("a"));
            info!("text");
        });
    }),
    ("warnings are off", &[], || {
        let stack = tracing_subscriber::registry().with_context_fields(known()).with(text!()).with(LevelFilter::ERROR);
        under(stack, || {
            drop(WAREHOUSE.attach("a"));
            tracing::error!("text");
        });
    }),
    ("the first line comes from a value that is shown", &[OVER], || {
        struct Logs;
        impl fmt::Display for Logs {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                info!("inside");
                f.write_str("shown")
            }
        }
        tracing_subscriber::registry().with_context_fields(known()).with(text!()).init();
        info!(value = %Logs, "outside");
    }),
];

#[test]
#[ignore = "started by the other test, in a process of its own"]
fn child() {
    let wanted = std::env::var("PROGRAM").unwrap();
    PROGRAMS.iter().find(|(name, ..)| *name == wanted).unwrap().2();
}

#[test]
fn each_problem_is_reported_once_and_only_where_there_is_one() {
    for (name, expected, _) in PROGRAMS {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=2"])
            .env("PROGRAM", name)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8(child.stdout).unwrap();
        let errors = String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "{name}: {printed}{errors}");
        let warnings: Vec<_> = printed.lines().filter(|line| line.contains("ctx_layer: ")).collect();
        assert!(warnings.iter().all(|line| line.trim_start().starts_with("WARN")), "{name}: {printed}");
        let mut found: Vec<_> = warnings
            .iter()
            .flat_map(|line| {
                [OVER, NOT_IN_A_SCHEMA, NO_LAYER, OTHER_VERSION].into_iter().filter(|it| line.contains(it))
            })
            .collect();
        let mut expected = expected.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        // A program with several outputs has a warning in each.
        if name.starts_with("a boxed") {
            found.dedup();
        }
        assert_eq!(found, expected, "{name}: {printed}{errors}");
        assert!(!printed.contains("refused"), "{name}: {printed}");
        assert_eq!(name.starts_with("an output with a filter"), printed.contains("taken"), "{name}: {printed}");
    }
}

#[test]
fn a_warning_names_the_field_and_the_remedy() {
    let warning = |program: &str| {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=2"])
            .env("PROGRAM", program)
            .output()
            .unwrap();
        let printed = String::from_utf8(child.stdout).unwrap();
        printed.lines().find(|line| line.contains("ctx_layer: ")).map(ToOwned::to_owned).unwrap_or(printed)
    };
    let line = warning("a field in no schema, attached");
    assert!(line.contains("field=\"warehouse\"") && line.contains("Schema::builder().field(&FIELD)"), "{line}");
    let line = warning("no layer");
    assert!(line.contains("field=\"warehouse\"") && line.contains("Call `with_context_fields(schema)`"), "{line}");
    let line = warning("an output over ours");
    assert!(line.contains("Call `with_context_fields` last"), "{line}");
    let line = warning("another version");
    assert!(line.contains("`cargo tree -i tracing-opentelemetry`"), "{line}");
}
