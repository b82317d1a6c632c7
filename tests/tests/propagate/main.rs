//! `#[propagate]`.
#![deny(warnings)]

mod captured_at_the_call;
mod combined;
mod forms;
mod futures;
mod remote;
mod signatures;
mod stack;
mod external_callers;
mod tenants;
mod together;
