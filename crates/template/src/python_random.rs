//! Python's `random.Random`: the Mersenne Twister MT19937, seeded as Python seeds it, so that one seed gives one choice everywhere.

use sha2::{Digest, Sha512};

const LENGTH: usize = 624;
const MIDDLE: usize = 397;

/// Draws the numbers that Python's `random.Random(seed)` draws.
#[derive(Clone)]
pub struct PythonRandom {
    state: Vec<u32>,
    index: usize,
}

impl std::fmt::Debug for PythonRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PythonRandom").finish_non_exhaustive()
    }
}

impl PythonRandom {
    /// Seeded with text: its bytes and their SHA-512, read as one large number.
    #[must_use]
    pub fn from_text(seed: &str) -> Self {
        let mut bytes = seed.as_bytes().to_vec();
        bytes.extend(Sha512::digest(seed.as_bytes()));
        let words: Vec<u32> = bytes
            .rchunks(4)
            .map(|chunk| {
                chunk
                    .iter()
                    .fold(0, |word, byte| word << 8 | u32::from(*byte))
            })
            .collect();
        let length = words
            .iter()
            .rposition(|word| *word != 0)
            .map_or(1, |last| last + 1);
        Self::from_words(&words[..length])
    }

    /// Seeded with a whole number; its sign does not matter.
    #[must_use]
    pub fn from_number(seed: i64) -> Self {
        let seed = seed.unsigned_abs();
        let (low, high) = (low_word(seed), low_word(seed >> 32));
        let length = if high == 0 { 1 } else { 2 };
        Self::from_words(&[low, high][..length])
    }

    /// Seeded by chance.
    #[must_use]
    pub fn from_entropy() -> Self {
        Self::from_words(&rand::random::<[u32; 8]>())
    }

    fn from_words(key: &[u32]) -> Self {
        let mut state = vec![19_650_218_u32; LENGTH];
        for index in 1..LENGTH {
            state[index] = mixed(state[index - 1])
                .wrapping_mul(1_812_433_253)
                .wrapping_add(low_word(index as u64));
        }
        let mut index = 1;
        for step in 0..LENGTH.max(key.len()) {
            let place = step % key.len();
            state[index] = (state[index] ^ mixed(state[index - 1]).wrapping_mul(1_664_525))
                .wrapping_add(key[place])
                .wrapping_add(low_word(place as u64));
            index = next_place(&mut state, index);
        }
        for _ in 1..LENGTH {
            state[index] = (state[index] ^ mixed(state[index - 1]).wrapping_mul(1_566_083_941))
                .wrapping_sub(low_word(index as u64));
            index = next_place(&mut state, index);
        }
        state[0] = 1 << 31;
        Self {
            state,
            index: LENGTH,
        }
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        let bits = u64::BITS - limit.leading_zeros();
        loop {
            let drawn = self.bits(bits);
            if drawn < limit.max(1) {
                return drawn;
            }
        }
    }

    /// One of several.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        let place = self.below(items.len() as u64);
        items.get(usize::try_from(place).unwrap_or_default())
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let place = self.below(last as u64 + 1);
            items.swap(last, usize::try_from(place).unwrap_or_default());
        }
    }

    fn bits(&mut self, bits: u32) -> u64 {
        if bits <= u32::BITS {
            return u64::from(self.word()) >> (u32::BITS - bits.max(1));
        }
        let low = u64::from(self.word());
        low | (u64::from(self.word()) >> (u64::BITS - bits)) << 32
    }

    fn word(&mut self) -> u32 {
        if self.index == LENGTH {
            self.turn();
        }
        let mut word = self.state[self.index];
        self.index += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    fn turn(&mut self) {
        for index in 0..LENGTH {
            let next = self.state[(index + 1) % LENGTH];
            let joined = self.state[index] & 0x8000_0000 | next & 0x7fff_ffff;
            let odd = if next & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[index] = self.state[(index + MIDDLE) % LENGTH] ^ joined >> 1 ^ odd;
        }
        self.index = 0;
    }
}

fn mixed(word: u32) -> u32 {
    word ^ word >> 30
}

fn low_word(number: u64) -> u32 {
    (number & u64::from(u32::MAX)) as u32
}

fn next_place(state: &mut [u32], index: usize) -> usize {
    if index + 1 < LENGTH {
        return index + 1;
    }
    state[0] = state[LENGTH - 1];
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those of CPython 3.11.
    #[test]
    fn numbers_are_those_of_python() {
        let drawn = |mut random: PythonRandom, limit| {
            (0..4).map(|_| random.below(limit)).collect::<Vec<_>>()
        };
        assert_eq!(
            drawn(PythonRandom::from_number(42), 1000),
            [654, 114, 25, 759]
        );
        assert_eq!(
            drawn(PythonRandom::from_number(-(1 << 40)), 60),
            [6, 22, 42, 4]
        );
        assert_eq!(
            drawn(PythonRandom::from_text("web1.example.org"), 60),
            [18, 55, 54, 39]
        );
        assert_eq!(
            drawn(PythonRandom::from_text(""), 1 << 40),
            [1000556550432, 453528840960, 15561978609, 719968534497]
        );
        let mut items = [1, 2, 3, 4, 5, 6, 7];
        PythonRandom::from_text("web1").shuffle(&mut items);
        assert_eq!(items, [4, 2, 1, 5, 6, 3, 7]);
        assert_eq!(
            PythonRandom::from_text("x").choose(&["a", "b", "c"]),
            Some(&"c")
        );
    }
}
