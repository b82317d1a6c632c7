//! The number of distinct values: exact up to 64, estimated above.

/// An estimate of a number of distinct values: HyperLogLog (Flajolet et al., 2007) with 1024 registers, an error of about 3 %.
#[derive(Debug)]
pub(crate) enum Distinct {
    /// The hashes of few values.
    Few(Vec<u64>),
    /// The registers.
    Many(Box<[u8; REGISTERS]>),
}

const REGISTERS: usize = 1024;
const FEW: usize = 64;

impl Default for Distinct {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Distinct {
    pub(crate) fn add(&mut self, hash: u64) {
        match self {
            Self::Few(hashes) => {
                if hashes.contains(&hash) {
                    return;
                }
                hashes.push(hash);
                if hashes.len() > FEW {
                    let mut registers = Box::new([0; REGISTERS]);
                    hashes.iter().for_each(|hash| register(&mut registers, *hash));
                    *self = Self::Many(registers);
                }
            }
            Self::Many(registers) => register(registers, hash),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Few(hashes) => hashes.len() as u64,
            Self::Many(registers) => {
                let all = REGISTERS as f64;
                let sum: f64 = registers.iter().map(|register| 0.5_f64.powi(i32::from(*register))).sum();
                let raw = 0.7213 / (1.0 + 1.079 / all) * all * all / sum;
                let empty = registers.iter().filter(|register| **register == 0).count();
                let few = all * (all / empty.max(1) as f64).ln();
                (if raw <= 2.5 * all && empty > 0 { few } else { raw }).round() as u64
            }
        }
    }
}

fn register(registers: &mut [u8; REGISTERS], hash: u64) {
    let register = &mut registers[hash as usize % REGISTERS];
    let rank = (hash >> 10 | 1 << 54).trailing_zeros() as u8 + 1;
    *register = rank.max(*register);
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn estimates_are_near() {
        let hasher = foldhash::quality::FixedState::default();
        for number in [0_u64, 1, 64, 65, 1000, 20_000, 500_000] {
            let mut distinct = Distinct::default();
            for value in 0..number {
                distinct.add(hasher.hash_one(value));
                distinct.add(hasher.hash_one(value));
            }
            let error = (distinct.count() as f64 - number as f64).abs() / (number as f64).max(1.0);
            assert!(error < 0.08, "{number}: {}", distinct.count());
        }
    }
}
