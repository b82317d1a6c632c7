//! One JSON object per line: for collectors.

mod call_site;
mod current;
mod escape;
mod format;
mod layer;
mod layout;
mod line;
mod lost;
mod spans;
mod time;
mod values;

pub use format::{Format, Group, Member};
pub use layer::{JsonLayer, layer};
pub use lost::LostLines;
