//! Systems of several services, each with exporters of its own, that `ctx-check` judges: whole, they are healthy; with one
//! propagation taken out, exactly that edge and that cause is found.

mod mails;
mod peers;
mod profiles;
mod shop;
mod system;
