//! Every boundary inside a process that context has to cross, with this crate and, as a control, without it. Bare work
//! must arrive without context, so each test fails when the propagation is removed.

mod callbacks;
mod carried;
mod channels;
mod closures;
mod combinators;
mod drops;
mod isolated;
mod own_stack;
mod parents;
mod readers;
mod request;
mod runtimes;
mod snapshots;
mod streams;
mod tasks;
mod threads;
