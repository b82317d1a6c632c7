//! Every boundary inside a process that context has to cross, with us and, as a control, without: what arrives with us does
//! not arrive bare, so each of these fails when the propagation is taken out.

mod callbacks;
mod carried;
mod channels;
mod closures;
mod combinators;
mod drops;
mod isolated;
mod parents;
mod readers;
mod request;
mod runtimes;
mod snapshots;
mod streams;
mod tasks;
mod threads;
