//! Runs work on many items on all threads of the machine. Only building an index takes long enough
//! to need it. An answer uses one thread.

use std::num::NonZero;
use std::thread;

/// Number of items from which threads are worth starting. They take some milliseconds each.
pub(crate) const WORTH_A_THREAD: usize = 500;

/// Applies `map` to each item, and returns the results in order.
pub(crate) fn map<'a, T: Sync, U: Send>(items: &'a [T], map: impl Fn(&'a T) -> U + Sync) -> Vec<U> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(items.len() / WORTH_A_THREAD);
    if threads < 2 {
        return items.iter().map(map).collect();
    }
    let map = &map;
    thread::scope(|scope| {
        let shares = items.chunks(items.len().div_ceil(threads));
        let running: Vec<_> =
            shares.map(|share| scope.spawn(move || share.iter().map(map).collect::<Vec<U>>())).collect();
        let done = running.into_iter();
        done.flat_map(|thread| thread.join().expect("a panic in a worker thread is passed on")).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_items_however_many_there_are() {
        for count in [0, 1, WORTH_A_THREAD, 4 * WORTH_A_THREAD + 3] {
            let items: Vec<usize> = (0..count).collect();

            assert_eq!(map(&items, |thing| thing * 2), items.iter().map(|thing| thing * 2).collect::<Vec<_>>());
        }
    }
}
