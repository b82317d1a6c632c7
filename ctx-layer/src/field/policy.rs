//! Where a field may stand, and where it may go.

/// How a field's value is shown in outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Sensitivity {
    /// Shown as it is. The default.
    #[default]
    Public,
    /// Shown as `[redacted]`.
    Masked,
    /// Shown as 32 hexadecimal digits of a salted SHA-256, so that equal values can be told to be equal: with the feature
    /// `hashed`. See `field::set_hash_salt`.
    Hashed,
}

/// What is decided once for a field: on what it stands, how it is shown, whether it may leave the process.
///
/// | setting | default | meaning |
/// |---|---|---|
/// | [`spans`](Self::spans) | yes | stands on spans |
/// | [`events`](Self::events) | yes | stands on events |
/// | [`metrics`](Self::metrics) | no | stands on metric events (cardinality!) |
/// | [`propagated`](Self::propagated) | no | may cross a process boundary |
/// | [`propagated_in_plaintext`](Self::propagated_in_plaintext) | no | may cross it although it is sensitive |
/// | [`baggage_key`](Self::baggage_key) | the field's name | its key in W3C baggage |
/// | [`from_baggage`](Self::from_baggage) | yes | baggage under that key counts as its value |
/// | [`masked`](Self::masked), `hashed` | neither | sensitive: how outputs show it |
/// | [`max_len`](Self::max_len) | 256 bytes | longer texts are cut |
///
/// Every method is `const`, so a policy can stand in a `static`:
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

/// The mark that a cut text ends in.
pub(crate) const CUT_MARK: char = '…';

impl Policy {
    /// The default maximum length of a text, in bytes.
    pub const DEFAULT_MAX_LEN: usize = 256;

    /// The default policy: on spans and events, not on metrics, not propagated, public, at most 256 bytes.
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

    /// Whether the field stands on spans. Defaults to `true`.
    pub const fn spans(mut self, yes: bool) -> Self {
        self.spans = yes;
        self
    }

    /// Whether the field stands on events. Defaults to `true`.
    pub const fn events(mut self, yes: bool) -> Self {
        self.events = yes;
        self
    }

    /// Whether the field stands on metric events, those with a `counter.*`, `monotonic_counter.*`, `histogram.*` or
    /// `gauge.*` field. Defaults to `false`: every value makes a time series of its own.
    pub const fn metrics(mut self, yes: bool) -> Self {
        self.metrics = yes;
        self
    }

    /// Lets the field cross process boundaries as W3C baggage. By default no field does (OTEP 4931: context-scoped
    /// attributes are not propagated).
    pub const fn propagated(mut self) -> Self {
        self.propagated = true;
        self
    }

    /// Lets the field cross process boundaries even if it is [`masked`](Self::masked) or `hashed`: its
    /// value goes out as it is. By default a sensitive field does not leave the process, even if it may
    /// [`propagated`](Self::propagated). It never stands in environment variables.
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

    /// Whether OpenTelemetry baggage under the field's key counts as the field's value. Defaults to `true`.
    ///
    /// Baggage may have come in from outside: say no where the program decides by the value what somebody may do.
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

    /// For [`context_fields!`](crate::context_fields), which says what to do where the feature is off.
    #[doc(hidden)]
    pub const fn __hashed(mut self) -> Self {
        self.sensitivity = Sensitivity::Hashed;
        self
    }

    /// Shows the plain value on events: for the one output that may see what the others must not.
    ///
    /// On spans the field does not stand under this policy, and so stays as the layer over the whole stack has it there:
    /// `fmt` outputs of one format share what was written of a span's fields, and the first to write would reveal the
    /// value to all of them.
    pub const fn reveal(mut self) -> Self {
        self.sensitivity = Sensitivity::Public;
        self.spans = false;
        self
    }

    /// Sets the maximum length of a text in bytes, the mark `…` (3 bytes) of a cut one included. Defaults to
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

    /// Whether the field may cross a process boundary.
    pub(crate) const fn is_propagated(&self) -> bool {
        self.propagated
    }

    /// Whether the field may cross a process boundary although it is sensitive.
    pub(crate) const fn is_propagated_in_plaintext(&self) -> bool {
        self.propagated_in_plaintext
    }

    /// The baggage key, where it is not the field's name.
    pub(crate) const fn own_baggage_key(&self) -> Option<&'static str> {
        self.baggage_key
    }

    /// Whether baggage counts as the field's value.
    pub(crate) const fn is_from_baggage(&self) -> bool {
        self.from_baggage
    }

    /// How outputs show the value.
    pub(crate) const fn sensitivity(&self) -> Sensitivity {
        self.sensitivity
    }

    /// The maximum length of a text, in bytes.
    pub(crate) const fn max_text_len(&self) -> usize {
        self.max_len
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy::new()
    }
}
