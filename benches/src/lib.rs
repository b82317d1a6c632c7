//! What the benchmarks in `benches/` share: the request, the subscribers and the measuring loop.

pub mod measure;
pub mod request;
pub mod stack;
