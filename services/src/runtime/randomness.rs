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

/// The same, sorted by `place` among those of one moment, for up to 2^18 of them that are made
/// together (RFC 9562, 6.2, method 1).
pub fn uuid_at(now: Timestamp, place: u32) -> Uuid {
    let [_, first, second, third] = (place << 6).to_be_bytes();
    let mut id = *uuid(now).as_bytes();
    id[6] = 0x70 | first >> 4;
    id[7] = first << 4 | second >> 4;
    id[8] = 0x80 | (second << 4 | third >> 4) >> 2;
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

    #[test]
    fn ids_made_together_sort_by_their_place() {
        let now = Timestamp::from_ms(5);
        let places = [0, 1, 63, 64, 4_095, 4_096, 50_000, (1 << 18) - 1];

        let ids: Vec<Uuid> = places.iter().map(|place| uuid_at(now, *place)).collect();

        assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
