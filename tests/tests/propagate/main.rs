//! `#[propagate]`.
#![deny(warnings)]

mod captured_at_the_call;
mod combined;
mod forms;
mod futures;
mod remote;
mod signatures;
mod stack;
mod strangers;
mod tenants;
mod together;
