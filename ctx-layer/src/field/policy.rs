//! The policy of a field: where it appears, how it is shown, and whether it propagates.

/// How a field's value is shown in outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Sensitivity {
    /// Shown unchanged. The default.
    #[default]
    Public,
    /// Shown as `[redacted]`.
    Masked,
    /// Shown as 32 hexadecimal digits of a salted SHA-256, so that equal values can be recognized. Needs the feature
    /// `hashed`. See `field::set_hash_salt`.
    Hashed,
}

/// The settings of a field: where it appears, how it is shown, whether it leaves the process.
///
/// | setting | default | meaning |
/// |---|---|---|
/// | [`spans`](Self::spans) | yes | appears on spans |
/// | [`events`](Self::events) | yes | appears on events |
/// | [`metrics`](Self::metrics) | no | appears on metric events (cardinality!) |
/// | [`propagated`](Self::propagated) | no | may leave the process |
/// | [`propagated_in_plaintext`](Self::propagated_in_plaintext) | no | may leave it although it is sensitive |
/// | [`baggage_key`](Self::baggage_key) | the field's name | its key in W3C baggage |
/// | [`from_baggage`](Self::from_baggage) | yes | baggage under that key is its value |
/// | [`masked`](Self::masked), `hashed` | neither | sensitive: how outputs show it |
/// | [`max_len`](Self::max_len) | 256 bytes | longer strings are cut |
///
/// Every method is `const`, so a policy can be a constant:
///
/// ```
/// use ctx_layer::field::Policy;
/// const POLICY: Policy = Policy::new().propagated().max_len(64);
/// # let _ = POLICY;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    spans: bool,
    events: bool,
    metrics: bool,
    propagated: bool,
    propagated_in_plaintext: bool,
    baggage_key: Option<&'static str>,
    from_baggage: bool,
    sensitivity: Sensitivity,
    max_len: usize,
}

/// The mark at the end of a cut string.
pub(crate) const CUT_MARK: char = '…';

impl Policy {
    /// The default maximum length of a string, in bytes.
    pub const DEFAULT_MAX_LEN: usize = 256;

    /// Creates the default policy: on spans and events, not on metrics, not propagated, not sensitive, at most 256
    /// bytes.
    pub const fn new() -> Self {
        Policy {
            spans: true,
            events: true,
            metrics: false,
            propagated: false,
            propagated_in_plaintext: false,
            baggage_key: None,
            from_baggage: true,
            sensitivity: Sensitivity::Public,
            max_len: Self::DEFAULT_MAX_LEN,
        }
    }

    /// Sets whether the field appears on spans. Defaults to `true`.
    pub const fn spans(mut self, yes: bool) -> Self {
        self.spans = yes;
        self
    }

    /// Sets whether the field appears on events. Defaults to `true`.
    pub const fn events(mut self, yes: bool) -> Self {
        self.events = yes;
        self
    }

    /// Sets whether the field appears on metric events, which have a `counter.*`, `monotonic_counter.*`, `histogram.*`
    /// or `gauge.*` field. Defaults to `false`: every value creates another time series.
    pub const fn metrics(mut self, yes: bool) -> Self {
        self.metrics = yes;
        self
    }

    /// Propagates the field to other processes as W3C baggage. By default no field propagates (OTEP 4931:
    /// context-scoped attributes are not propagated).
    pub const fn propagated(mut self) -> Self {
        self.propagated = true;
        self
    }

    /// Propagates the field in plain text even if it is [`masked`](Self::masked) or `hashed`. By default a sensitive
    /// field does not leave the process, even if it is [`propagated`](Self::propagated). It is never written to
    /// environment variables.
    pub const fn propagated_in_plaintext(mut self) -> Self {
        self.propagated = true;
        self.propagated_in_plaintext = true;
        self
    }

    /// Sets the field's key in W3C baggage. Defaults to the field's name.
    pub const fn baggage_key(mut self, key: &'static str) -> Self {
        self.baggage_key = Some(key);
        self
    }

    /// Sets whether OpenTelemetry baggage under the field's key is the field's value. Defaults to `true`.
    ///
    /// Baggage may come from outside. Set `false` if the program makes access decisions by the value.
    pub const fn from_baggage(mut self, yes: bool) -> Self {
        self.from_baggage = yes;
        self
    }

    /// Marks the field as sensitive: outputs show `[redacted]`.
    pub const fn masked(mut self) -> Self {
        self.sensitivity = Sensitivity::Masked;
        self
    }

    /// Marks the field as sensitive: outputs show a salted hash. Needs the feature `hashed`.
    #[cfg(feature = "hashed")]
    pub const fn hashed(self) -> Self {
        self.__hashed()
    }

    /// Called by [`context_fields!`](crate::context_fields), which reports a disabled feature.
    #[doc(hidden)]
    pub const fn __hashed(mut self) -> Self {
        self.sensitivity = Sensitivity::Hashed;
        self
    }

    /// Shows the plain value on events, for the one output that may show it.
    ///
    /// On spans this policy does not show the field, so the policy of the layer over the whole stack applies there:
    /// `fmt` outputs of one format share the formatted fields of a span, and would all show the plain value.
    pub const fn reveal(mut self) -> Self {
        self.sensitivity = Sensitivity::Public;
        self.spans = false;
        self
    }

    /// Sets the maximum length of a string in bytes, including the mark `…` (3 bytes) of a cut one. Defaults to
    /// [`DEFAULT_MAX_LEN`](Self::DEFAULT_MAX_LEN). Values below 4 count as 4: a character and the mark.
    pub const fn max_len(mut self, bytes: usize) -> Self {
        self.max_len = if bytes < 4 { 4 } else { bytes };
        self
    }

    /// Returns `true` if the field appears on spans.
    pub(crate) const fn on_spans(&self) -> bool {
        self.spans
    }

    /// Returns `true` if the field appears on events.
    pub(crate) const fn on_events(&self) -> bool {
        self.events
    }

    /// Returns `true` if the field appears on metric events.
    pub(crate) const fn on_metrics(&self) -> bool {
        self.metrics
    }

    /// Returns `true` if the field may cross a process boundary.
    pub(crate) const fn is_propagated(&self) -> bool {
        self.propagated
    }

    /// Returns `true` if the field may cross a process boundary although it is sensitive.
    pub(crate) const fn is_propagated_in_plaintext(&self) -> bool {
        self.propagated_in_plaintext
    }

    /// Returns the baggage key, if it is not the field's name.
    pub(crate) const fn own_baggage_key(&self) -> Option<&'static str> {
        self.baggage_key
    }

    /// Returns `true` if baggage is the field's value.
    pub(crate) const fn is_from_baggage(&self) -> bool {
        self.from_baggage
    }

    /// Returns how outputs show the value.
    pub(crate) const fn sensitivity(&self) -> Sensitivity {
        self.sensitivity
    }

    /// Returns the maximum length of a string, in bytes.
    pub(crate) const fn max_text_len(&self) -> usize {
        self.max_len
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy::new()
    }
}
