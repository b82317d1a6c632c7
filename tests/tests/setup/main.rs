//! `setup`: settings from all their places, and what is exported, within this process.

mod collector;
mod config_file;
mod export;
mod loader;
mod losses;
mod outages;
mod properties;
mod shown;
mod start;
mod tls;
