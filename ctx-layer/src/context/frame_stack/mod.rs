//! The frames of a thread.
//!
//! The OpenTelemetry context has the fields of the frame on top, so code that reads or carries the context has them, and reading
//! them does not need the frames. There are two exceptions, in which the thread's [state](super::thread_state::State) is not
//! `Ready`: frames on which something was recorded since they were pushed, and contexts that OpenTelemetry refused to attach.

mod cover;
mod guarded;
mod hidden;
mod leaving;
mod lost;
mod push;
mod record;
mod recorded;
mod remove;
mod spans;
mod stack;
mod thread_frames;
mod top;

pub(crate) use cover::{has_cover, is_covered};
pub(crate) use guarded::{guarded, take_guarded};
pub(crate) use hidden::{hide, unhidden};
pub(crate) use leaving::{Leaving, Left, is_below_another, leaving};
pub(crate) use lost::note_lost;
pub(crate) use push::push;
pub(crate) use record::{Anchor, Reach, anchor_of, reach, record};
pub(crate) use recorded::{fields_in, settle_recorded};
pub(crate) use remove::remove;
pub(crate) use spans::{current_span, entered_spans, find_span, is_span_around_another, lowest_of};
pub(crate) use stack::is_same_request;
pub(crate) use thread_frames::is_empty;
pub(crate) use top::{is_guard_on_top, pop_bare, push_bare, top, top_if_seen, view_of};
