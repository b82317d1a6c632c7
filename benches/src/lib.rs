//! Shared code of the benchmarks in `benches/`: the request, the subscribers and the measuring loop.

pub mod measure;
pub mod request;
pub mod stack;
