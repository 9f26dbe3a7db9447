//! Work on many things at once, on as many threads as the machine runs at a time. Only building an
//! index is long enough for it; an answer takes one thread.

use std::num::NonZero;
use std::thread;

/// From so many things on, some milliseconds of work each thread, threads are worth their start.
pub(crate) const WORTH_A_THREAD: usize = 500;

/// What `map` makes of each thing, in their order.
pub(crate) fn map<'a, T: Sync, U: Send>(things: &'a [T], map: impl Fn(&'a T) -> U + Sync) -> Vec<U> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(things.len() / WORTH_A_THREAD);
    if threads < 2 {
        return things.iter().map(map).collect();
    }
    let map = &map;
    thread::scope(|scope| {
        let shares = things.chunks(things.len().div_ceil(threads));
        let running: Vec<_> =
            shares.map(|share| scope.spawn(move || share.iter().map(map).collect::<Vec<U>>())).collect();
        let done = running.into_iter();
        done.flat_map(|thread| thread.join().expect("a panic on one thread would be one on any")).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_things_however_many_there_are() {
        for count in [0, 1, WORTH_A_THREAD, 4 * WORTH_A_THREAD + 3] {
            let things: Vec<usize> = (0..count).collect();

            assert_eq!(map(&things, |thing| thing * 2), things.iter().map(|thing| thing * 2).collect::<Vec<_>>());
        }
    }
}
