//! Settings that are one of several names.

use super::{
    suggest::nearest,
    value::{Refused, SettingValue},
};

macro_rules! choices {
    ($($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            const NAMES: &[&str] = &[$($text),+];

            /// Returns the name in files and variables.
            pub const fn as_str(&self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl SettingValue for $name {
            fn allowed() -> String {
                one_of(Self::NAMES)
            }

            fn from_text(text: &str) -> Result<Self, Refused> {
                match text.trim() {
                    $(text if text.eq_ignore_ascii_case($text) => Ok(Self::$variant),)+
                    text => Err(Refused::suggest(nearest(text, Self::NAMES.iter().copied()))),
                }
            }

            fn to_toml(&self) -> String {
                format!("\"{}\"", self.as_str())
            }
        }
    )+};
}

choices! {
    /// A protocol of OTLP.
    pub enum Protocol {
        /// gRPC, usually at port 4317.
        Grpc = "grpc",
        /// Protocol buffers over HTTP, usually at port 4318.
        HttpProtobuf = "http/protobuf",
        /// JSON over HTTP. Needs the feature `setup-http-json`.
        HttpJson = "http/json",
    }

    /// A compression of what is exported.
    pub enum Compression {
        /// Not compressed.
        None = "none",
        /// gzip. Needs the feature `setup-gzip`.
        Gzip = "gzip",
    }

    /// A place that a signal is exported to.
    pub enum Exporter {
        /// An OTLP endpoint.
        Otlp = "otlp",
        /// Standard output, in a form for people.
        Console = "console",
        /// Nowhere.
        None = "none",
    }

    /// A format of log lines.
    pub enum LogFormat {
        /// Text on a terminal, JSON elsewhere.
        Auto = "auto",
        /// One JSON object per line.
        Json = "json",
        /// JSON with the names of the Elastic Common Schema.
        Ecs = "ecs",
        /// JSON with the names of Datadog.
        Datadog = "datadog",
        /// JSON in OpenTelemetry's data model of logs.
        Opentelemetry = "opentelemetry",
        /// A line for people.
        Text = "text",
        /// No lines.
        None = "none",
    }

    /// A stream that log lines are written to.
    pub enum LogStream {
        /// Standard output.
        Stdout = "stdout",
        /// Standard error.
        Stderr = "stderr",
    }

    /// A sampler, by its name in OpenTelemetry's specification.
    pub enum SamplerName {
        /// Records all traces.
        AlwaysOn = "always_on",
        /// Records none.
        AlwaysOff = "always_off",
        /// Records the part `sampling_rate` of all traces, whatever the caller decided.
        TraceIdRatio = "traceidratio",
        /// Records what the caller records, and all traces that start here.
        ParentBasedAlwaysOn = "parentbased_always_on",
        /// Records what the caller records, and no trace that starts here.
        ParentBasedAlwaysOff = "parentbased_always_off",
        /// Records what the caller records, and the part `sampling_rate` of the traces that start here.
        ParentBasedTraceIdRatio = "parentbased_traceidratio",
    }

    /// A format of headers that carry context.
    pub enum PropagatorName {
        /// W3C Trace Context.
        TraceContext = "tracecontext",
        /// W3C Baggage.
        Baggage = "baggage",
        /// B3 in one header. Needs the feature `setup-b3`.
        B3 = "b3",
        /// B3 in several headers. Needs the feature `setup-b3`.
        B3Multi = "b3multi",
        /// AWS X-Ray. Needs the feature `setup-xray`.
        XRay = "xray",
        /// None: nothing is read or written.
        None = "none",
    }

    /// A temporality of exported metrics.
    pub enum TemporalityName {
        /// Sums since the start.
        Cumulative = "cumulative",
        /// Differences to the last export.
        Delta = "delta",
        /// The one of the two that needs less memory, for each instrument.
        LowMemory = "lowmemory",
    }
}

/// Returns `one of "a", "b" or "c"`.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("one of {} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
