//! Room for values.

/// Binds `$name` to a slice of `$len` values: on the stack up to `$max`, beyond that on the heap.
///
/// A macro, because a function would have to return the array, and copying what was just written is slow.
macro_rules! room {
    ($name:ident: [$type:ty; $max:ident] = $len:expr, $make:expr) => {
        let len = $len;
        let mut on_stack: [$type; $max];
        let mut on_heap: Vec<$type>;
        let $name: &mut [$type] = if len <= $max {
            on_stack = std::array::from_fn($make);
            &mut on_stack[..len]
        } else {
            on_heap = (0..len).map($make).collect();
            &mut on_heap
        };
    };
}
pub(super) use room;
