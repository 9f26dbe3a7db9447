//! Randomness: ids, keys, tokens. All of it comes from the system's generator, through here.

use helpbot_domain::Timestamp;
use helpbot_domain::key::RANDOM_CHARS;
use uuid::Uuid;

/// 32 bytes from the system's generator.
///
/// # Panics
/// When the system has none to give; nothing safe could be done then.
#[expect(clippy::disallowed_methods, reason = "this is the place that others take randomness from")]
pub fn bytes() -> [u8; RANDOM_CHARS] {
    let mut bytes = [0; RANDOM_CHARS];
    getrandom::fill(&mut bytes).expect("the system's random generator works");
    bytes
}

/// A version 7 UUID of the moment `now`: sorts by time, unguessable within it.
pub fn uuid(now: Timestamp) -> Uuid {
    let random = bytes();
    let mut id = [0; 16];
    let ms = u64::try_from(now.as_ms()).unwrap_or(0).to_be_bytes();
    id[..6].copy_from_slice(&ms[2..]);
    id[6..].copy_from_slice(&random[..10]);
    id[6] = (id[6] & 0x0f) | 0x70;
    id[8] = (id[8] & 0x3f) | 0x80;
    Uuid::from_bytes(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_never_repeat() {
        let early = uuid(Timestamp::from_ms(1_000));
        let late = uuid(Timestamp::from_ms(1_001));

        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
        assert_ne!(uuid(Timestamp::from_ms(5)), uuid(Timestamp::from_ms(5)));
    }
}
