//! Randomness for IDs, keys and tokens. All of it comes from the generator of the operating system,
//! through this file.

use helpbot_domain::Timestamp;
use helpbot_domain::key::RANDOM_CHARS;
use uuid::{Builder, Uuid};

/// Random bytes of a version 7 UUID: 74 bits are used.
const UUID_RANDOM_BYTES: usize = 10;

/// Returns 32 random bytes.
///
/// # Panics
/// If the operating system cannot provide randomness, because nothing safe can be done then.
#[expect(clippy::disallowed_methods, reason = "this is the place that others take randomness from")]
pub fn bytes() -> [u8; RANDOM_CHARS] {
    let mut bytes = [0; RANDOM_CHARS];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}

/// Returns a version 7 UUID for the time `now`. UUIDs sort by time and cannot be guessed.
pub fn uuid(now: Timestamp) -> Uuid {
    uuid_from(now, uuid_bytes())
}

/// Returns a version 7 UUID that sorts by `place` among those of the same time.
///
/// `place` must be less than 2^18. The number takes the first 18 random bits (RFC 9562, section
/// 6.2, method 1).
pub fn uuid_at(now: Timestamp, place: u32) -> Uuid {
    let mut random = uuid_bytes();
    // The version replaces the upper 4 bits of the first byte, the variant the upper 2 of the third.
    let [_, first, second, third] = (place << 6).to_be_bytes();
    random[0] = first >> 4;
    random[1] = first << 4 | second >> 4;
    random[2] = (second << 4 | third >> 4) >> 2;
    uuid_from(now, random)
}

/// Returns the version 7 UUID of a time and of bytes that the caller chooses.
pub(crate) fn uuid_from(now: Timestamp, random: [u8; UUID_RANDOM_BYTES]) -> Uuid {
    let ms = u64::try_from(now.as_ms()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
}

fn uuid_bytes() -> [u8; UUID_RANDOM_BYTES] {
    let mut random = [0; UUID_RANDOM_BYTES];
    random.copy_from_slice(&bytes()[..UUID_RANDOM_BYTES]);
    random
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
    fn ids_of_one_time_sort_by_their_place() {
        let now = Timestamp::from_ms(5);
        let places = [0, 1, 63, 64, 4_095, 4_096, 50_000, (1 << 18) - 1];

        let ids: Vec<Uuid> = places.iter().map(|place| uuid_at(now, *place)).collect();

        assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
