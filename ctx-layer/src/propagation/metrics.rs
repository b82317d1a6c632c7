//! The counts of boundaries, as OpenTelemetry metrics.

use opentelemetry::{KeyValue, metrics::Meter};

use super::boundary::{Counts, boundaries};

/// Reports the counts of all boundaries as observable counters of `meter`, with the attributes `boundary` and
/// `outcome`.
///
/// `ctx.propagation.extracted` has the outcomes `continued`, `linked`, `missing` and `invalid`. Alert on the last two
/// where all callers are internal. `ctx.propagation.restarted` counts new traces of callers that had one.
/// `ctx.propagation.injected` has `traced` and `without_trace`, and `ctx.propagation.dropped` has `refused` and
/// `over_limit`.
///
/// The counters start with the process. Call this once for each meter provider.
pub fn observe(meter: &Meter) {
    counter(meter, "ctx.propagation.extracted", "Contexts that were extracted.", |counts| {
        vec![
            ("continued", counts.continued),
            ("linked", counts.linked),
            ("missing", counts.missing),
            ("invalid", counts.invalid),
        ]
    });
    counter(meter, "ctx.propagation.restarted", "New traces started although the caller had one.", |counts| {
        vec![("linked", counts.linked), ("invalid", counts.invalid)]
    });
    counter(meter, "ctx.propagation.injected", "Contexts that were injected.", |counts| {
        vec![("traced", counts.injected), ("without_trace", counts.without_trace)]
    });
    counter(meter, "ctx.propagation.dropped", "Values that were dropped, received or sent.", |counts| {
        vec![("refused", counts.dropped), ("over_limit", counts.over_limit)]
    });
}

fn counter(
    meter: &Meter,
    name: &'static str,
    description: &'static str,
    outcomes: fn(&Counts) -> Vec<(&'static str, u64)>,
) {
    // The provider keeps the callback, not the instrument.
    let _ = meter
        .u64_observable_counter(name)
        .with_description(description)
        .with_callback(move |observer| {
            for boundary in boundaries() {
                for (outcome, value) in outcomes(&boundary.counts()) {
                    let attributes = [KeyValue::new("boundary", boundary.name()), KeyValue::new("outcome", outcome)];
                    observer.observe(value, &attributes);
                }
            }
        })
        .build();
}
