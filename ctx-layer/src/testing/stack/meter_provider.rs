use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    metrics::{
        AsyncInstrument, AsyncInstrumentBuilder, Counter, Gauge, Histogram, HistogramBuilder, InstrumentBuilder,
        InstrumentProvider, Meter, MeterProvider, ObservableCounter, ObservableGauge, ObservableUpDownCounter,
        SyncInstrument, UpDownCounter,
    },
};

use crate::testing::{
    captured::{Measurement, Value},
    isolation::{Store, owner},
};

/// Captures each measurement for the test to which it belongs.
#[derive(Debug)]
pub(super) struct CapturingMeterProvider;

impl MeterProvider for CapturingMeterProvider {
    fn meter_with_scope(&self, _: InstrumentationScope) -> Meter {
        Meter::new(Arc::new(CapturingInstruments))
    }
}

struct CapturingInstruments;

/// An instrument's description.
#[derive(Clone)]
struct Instrument {
    name: String,
    unit: String,
}

impl Instrument {
    fn measurement(&self, value: Value, attributes: &[KeyValue]) -> Measurement {
        let attributes = attributes.iter().map(|known| (known.key.to_string(), known.value.clone().into())).collect();
        Measurement { instrument: self.name.clone(), unit: self.unit.clone(), value, attributes }
    }
}

impl<T: Into<Value>> SyncInstrument<T> for Instrument {
    fn measure(&self, value: T, attributes: &[KeyValue]) {
        if let Some(owner) = owner(None) {
            owner.add_measurement(self.measurement(value.into(), attributes));
        }
    }
}

/// A function that reads an observable instrument for a capture.
type Observe = Box<dyn Fn(&Store) + Send + Sync>;

static OBSERVABLE: Mutex<Vec<Arc<Observe>>> = Mutex::new(Vec::new());

/// Reads all observable instruments of the process for a capture.
pub(in crate::testing) fn observe(store: &Store) {
    // Cloned, because a callback is foreign code, and may create instruments.
    let all = OBSERVABLE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    all.iter().for_each(|observe| observe(store));
}

struct Observer<'a> {
    instrument: &'a Instrument,
    store: &'a Store,
}

impl<T: Into<Value>> AsyncInstrument<T> for Observer<'_> {
    fn observe(&self, value: T, attributes: &[KeyValue]) {
        self.store.add_measurement(self.instrument.measurement(value.into(), attributes));
    }
}

impl fmt::Debug for CapturingInstruments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CapturingInstruments")
    }
}

macro_rules! instruments {
    ($($function:ident: $builder:ident => $instrument:ident<$number:ty>;)*) => {$(
        fn $function(&self, builder: $builder<'_, $instrument<$number>>) -> $instrument<$number> {
            let unit = builder.unit.unwrap_or_default().into_owned();
            $instrument::new(Arc::new(Instrument { name: builder.name.into_owned(), unit }))
        }
    )*};
}

macro_rules! observable_instruments {
    ($($function:ident => $instrument:ident<$number:ty>;)*) => {$(
        fn $function(
            &self,
            builder: AsyncInstrumentBuilder<'_, $instrument<$number>, $number>,
        ) -> $instrument<$number> {
            let unit = builder.unit.unwrap_or_default().into_owned();
            let (instrument, callbacks) = (Instrument { name: builder.name.into_owned(), unit }, builder.callbacks);
            let observe: Observe = Box::new(move |store| {
                let observer = Observer { instrument: &instrument, store };
                callbacks.iter().for_each(|callback| callback(&observer));
            });
            OBSERVABLE.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(observe));
            $instrument::new()
        }
    )*};
}

impl InstrumentProvider for CapturingInstruments {
    instruments! {
        u64_counter: InstrumentBuilder => Counter<u64>;
        f64_counter: InstrumentBuilder => Counter<f64>;
        i64_up_down_counter: InstrumentBuilder => UpDownCounter<i64>;
        f64_up_down_counter: InstrumentBuilder => UpDownCounter<f64>;
        u64_gauge: InstrumentBuilder => Gauge<u64>;
        i64_gauge: InstrumentBuilder => Gauge<i64>;
        f64_gauge: InstrumentBuilder => Gauge<f64>;
        u64_histogram: HistogramBuilder => Histogram<u64>;
        f64_histogram: HistogramBuilder => Histogram<f64>;
    }

    observable_instruments! {
        u64_observable_counter => ObservableCounter<u64>;
        f64_observable_counter => ObservableCounter<f64>;
        i64_observable_up_down_counter => ObservableUpDownCounter<i64>;
        f64_observable_up_down_counter => ObservableUpDownCounter<f64>;
        u64_observable_gauge => ObservableGauge<u64>;
        i64_observable_gauge => ObservableGauge<i64>;
        f64_observable_gauge => ObservableGauge<f64>;
    }
}
