//! The sizes of futures, compared with those of `#[tracing::instrument]`.

use tracing_subscriber::prelude::*;

/// Defines the same functions under both attributes.
macro_rules! functions {
    ($($function:item)*) => {
        mod undecorated {
            use super::uses::*;
            $($function)*
        }
        mod instrumented {
            use super::uses::*;
            $(#[tracing::instrument] $function)*
        }
        mod observed {
            use super::uses::*;
            $(#[ctx_layer::with_observability] $function)*
        }
        mod quiet {
            use super::uses::*;
            $(#[ctx_layer::with_observability(log_args = false, log_result = false, log_errors = false)] $function)*
        }
        mod recorded {
            use super::uses::*;
            $(#[ctx_layer::with_observability(attributes_from_args = all)] $function)*
        }
    };
}

mod uses {
    pub(super) use std::{future::Future, pin::Pin};

    pub(super) use ctx_tests::Yield;
}

functions! {
    pub(super) async fn empty() {}

    pub(super) async fn returns(value: u8) -> u8 {
        Yield::default().await;
        value
    }

    pub(super) async fn text(value: String) -> Result<String, std::io::Error> {
        Yield::default().await;
        Ok(value)
    }

    pub(super) async fn references(a: &str, b: &[u8], c: &mut Vec<u8>) -> Option<usize> {
        Yield::default().await;
        c.extend(b);
        Some(a.len())
    }

    pub(super) async fn many(a: u64, b: u64, c: u64, d: u64, e: String, f: Vec<u8>) -> u64 {
        Yield::default().await;
        drop((e, f));
        a + b + c + d
    }

    pub(super) async fn holds_a_buffer(seed: u8) -> u8 {
        let buffer = [seed; 1024];
        Yield::default().await;
        buffer[1]
    }

    pub(super) async fn takes_a_buffer(buffer: [u8; 1024]) -> u8 {
        Yield::default().await;
        buffer[1]
    }

    pub(super) async fn fails(value: u8) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Yield::default().await;
        if value == 0 { Err("zero".into()) } else { Ok(()) }
    }

    pub(super) async fn boxes(value: u8) -> u8 {
        if value == 0 { 0 } else { Box::pin(returns(value - 1)).await }
    }

    pub(super) fn block(value: u64) -> impl Future<Output = u64> {
        async move {
            Yield::default().await;
            value
        }
    }

    pub(super) fn pinned(value: u64) -> Pin<Box<dyn Future<Output = u64>>> {
        Box::pin(async move {
            Yield::default().await;
            value
        })
    }

    pub(super) async fn calls(value: u8) -> u8 {
        returns(value).await + returns(value).await
    }
}

fn size<T>(value: &T) -> usize {
    size_of_val(value)
}

fn boxed_size(value: &std::pin::Pin<Box<dyn Future<Output = u64>>>) -> usize {
    size_of_val(&**value)
}

/// The number of bytes by which a future may be larger than under `#[tracing::instrument]`.
const ALLOWED: usize = 32;

macro_rules! sizes {
    ($($size:ident of $function:ident($($argument:expr),*);)*) => {
        [$((
            stringify!($function),
            $size(&undecorated::$function($($argument),*)),
            $size(&instrumented::$function($($argument),*)),
            $size(&observed::$function($($argument),*)),
            $size(&quiet::$function($($argument),*)),
            $size(&recorded::$function($($argument),*)),
        ),)*]
    };
}

fn table() -> Vec<(&'static str, usize, usize, usize, usize, usize)> {
    sizes! {
        size of empty();
        size of returns(1);
        size of text(String::new());
        size of references("", &[], &mut Vec::new());
        size of many(1, 2, 3, 4, String::new(), Vec::new());
        size of holds_a_buffer(1);
        size of takes_a_buffer([0; 1024]);
        size of fails(1);
        size of boxes(1);
        size of block(1);
        boxed_size of pinned(1);
        size of calls(1);
    }
    .into()
}

#[test]
fn a_future_is_at_most_32_bytes_larger_than_with_instrument() {
    let table = table();
    println!("{:16} {:>11} {:>11} {:>9} {:>9} {:>9}", "", "undecorated", "instrument", "ours", "quiet", "all");
    for (name, plain, instrumented, observed, quiet, recorded) in &table {
        println!("{name:16} {plain:>11} {instrumented:>11} {observed:>9} {quiet:>9} {recorded:>9}");
    }
    for (name, _, instrumented, observed, quiet, recorded) in table {
        for (what, size) in [("by default", observed), ("without logging", quiet), ("with all attributes", recorded)] {
            assert!(size <= instrumented + ALLOWED, "{name} {what}: {size}, and {instrumented} with `instrument`");
        }
    }
}

#[test]
fn the_size_does_not_depend_on_the_subscriber() {
    let without = table();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(ctx_tests::Recorder::default()), || {
        assert_eq!(table(), without);
    });
}
