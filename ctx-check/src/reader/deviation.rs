//! Deviations from OTLP's JSON mapping, which some write: they are read, and reported.

/// A deviation from the JSON mapping of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deviation {
    /// An enum as a name, `SPAN_KIND_SERVER`. OTLP: "Values of enum fields MUST be encoded as integer values".
    EnumName,
    /// A key in snake case, `trace_id`. OTLP: "The keys of JSON objects are field names converted to lowerCamelCase".
    SnakeCaseKey,
    /// A byte order mark before the first line. RFC 8259, section 8.1: "Implementations MUST NOT add a byte order mark".
    ByteOrderMark,
    /// An id with capital letters. OTLP takes them; `traceparent` does not.
    CapitalId,
    /// An id in Base64, as Protocol Buffers' own JSON has it. OTLP: "hex-encoded ... base64 encoding is not used".
    Base64Id,
}

impl Deviation {
    /// Returns the name in the reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EnumName => "enum_name",
            Self::SnakeCaseKey => "snake_case_key",
            Self::ByteOrderMark => "byte_order_mark",
            Self::CapitalId => "capital_id",
            Self::Base64Id => "base64_id",
        }
    }

    /// Returns the deviation in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::EnumName => "an enum is written as a name, and OTLP wants its number",
            Self::SnakeCaseKey => "a key is in snake case, and OTLP wants camel case",
            Self::ByteOrderMark => "the file starts with a byte order mark, which JSON forbids",
            Self::Base64Id => "an id is in Base64, and OTLP wants hexadecimal digits",
            Self::CapitalId => "an id has capital letters, which `traceparent` forbids",
        }
    }
}
