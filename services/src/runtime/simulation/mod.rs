//! Deterministic simulation of several nodes over one database: a seed decides the order of everything that happens, how long
//! it takes, and what fails. The bus and the positions of subscribers are those of the program; the database, the network
//! and the clocks are [models](model). What holds in every schedule is checked at its end ([`world`]).
//!
//! A failure names its seed. `HELPBOT_SIMULATION_SEED=SEED cargo test -p helpbot-services --lib simulation` repeats it, and
//! `HELPBOT_SIMULATION_SCHEDULES=N` runs more of them.

mod model;
mod nodes;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use model::Planted;
use world::World;

/// Schedules of one run.
const SCHEDULES: u64 = 10_000;
/// Within this number of schedules, a planted fault is found.
const UNTIL_FOUND: u64 = 500;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs a schedule. Returns what did not hold.
fn violation(seed: u64, planted: Planted) -> Option<String> {
    World::new(seed, planted).run().err()
}

#[test]
fn every_schedule_keeps_the_guarantees() {
    if let Some(seed) = setting("HELPBOT_SIMULATION_SEED") {
        assert_eq!(violation(seed, Planted::Nothing), None);
        return;
    }
    let schedules = setting("HELPBOT_SIMULATION_SCHEDULES").unwrap_or(SCHEDULES);
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= schedules {
                return;
            }
            if let Some(violated) = violation(seed, Planted::Nothing) {
                panic!("seed {seed}: {violated}");
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
}

#[test]
fn a_schedule_is_the_same_each_time() {
    for seed in [3, 1_000, u64::MAX] {
        let histories = [(); 2].map(|()| {
            let mut world = World::new(seed, Planted::Nothing);
            assert_eq!(world.run(), Ok(()));
            world.history()
        });
        assert!(histories[0].len() > 100);
        assert_eq!(histories[0], histories[1]);
    }
}

#[test]
fn each_planted_fault_is_found() {
    for planted in Planted::ALL {
        let found = (0..UNTIL_FOUND).find_map(|seed| violation(seed, planted).map(|violated| (seed, violated)));
        let (seed, violated) = found.unwrap_or_else(|| panic!("{planted:?} was not found in {UNTIL_FOUND} schedules"));
        eprintln!("{planted:?}: seed {seed}: {violated}");
    }
}
