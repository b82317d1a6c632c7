//! `#[propagate]`.
#![deny(warnings)]

mod captured_at_the_call;
mod combined;
mod external_callers;
mod forms;
mod futures;
mod remote;
mod signatures;
mod stack;
mod tenants;
mod together;
