//! Reading files of any of the formats, as streams, in bounded memory.
//!
//! A file is decompressed, its format is found from its first bytes, and what it contains goes to a [`Sink`], span by span. What cannot
//! be read is a [`Problem`] with its file and line; the rest is read.

mod compression;
mod deviation;
mod document;
mod document_format;
mod input;
mod jaeger;
mod json;
mod limits;
mod log_line;
mod otlp_json;
mod otlp_protobuf;
mod problem;
mod protobuf;
mod sink;
mod stream;
mod timestamp;
mod zipkin;

pub use deviation::Deviation;
pub use input::{Input, inputs};
pub use limits::ReadLimits;
pub use problem::{Place, Problem};
pub use sink::Sink;
pub use stream::{read, read_message};
pub(crate) use timestamp::rfc3339;
