//! The order of a plan's steps, and the seed of each.

use super::SweepPlan;
use crate::spec::StepKey;
use crate::units::Rate;
use clap::ValueEnum;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// The order of the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// One arm after the other, as the study did
    #[default]
    Sequential,
    /// The arms take turns, forwards and backwards (A B, B A, A B, ...), so that what drifts evenly
    /// meets both alike
    Interleaved,
    /// Rates and arms in a random order within each repetition
    Random,
}

impl Order {
    /// The name in plans and in metadata.json.
    pub fn name(self) -> &'static str {
        match self {
            Order::Sequential => "sequential",
            Order::Interleaved => "interleaved",
            Order::Random => "random",
        }
    }
}

/// The unit after which the arm changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockUnit {
    /// One rate: the arms' steps are minutes apart
    Rate,
    /// All rates: the arm changes rarely
    Pass,
}

impl SweepPlan {
    /// The unit after which the arm changes: that of the plan, or else a pass where changing an arm
    /// changes the system, because that takes minutes, and otherwise a rate.
    pub fn block(&self) -> BlockUnit {
        let is_costly = |arm: &super::Arm| arm.changes_something(self.switch);
        self.block.unwrap_or_else(|| {
            if self.arms.iter().any(is_costly) {
                BlockUnit::Pass
            } else {
                BlockUnit::Rate
            }
        })
    }

    /// The seed of a step's arrivals. It differs between rates and repetitions and not between arms, so that
    /// all arms of a block get the same arrivals. It has 32 bits, because JSON readers that know only
    /// floating-point numbers keep those exact. The repetitions of a trial have consecutive seeds, as
    /// `meshload run --seed` can repeat them one by one.
    pub fn seed_of(&self, step: &StepKey) -> u64 {
        if self.until.is_some() {
            return self.seed.wrapping_add(u64::from(step.repetition) - 1);
        }
        let mixed = self.seed
            ^ step.rate.micro().wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ u64::from(step.repetition).wrapping_mul(0xD1B5_4A32_D192_ED03);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(mixed);
        u64::from(rng.random::<u32>())
    }

    /// All steps of the plan in its order. The same plan always has the same order.
    pub fn steps(&self) -> Vec<StepKey> {
        self.steps_up_to(self.repetitions)
    }

    /// The steps of the plan with this number of repetitions. Unless the order is sequential, the steps of
    /// fewer repetitions are the first ones of those of more.
    pub fn steps_up_to(&self, repetitions: u32) -> Vec<StepKey> {
        let mut steps: Vec<StepKey> = Vec::new();
        let mut add = |arm: usize, rate: Rate, repetition: u32| {
            steps.push(StepKey {
                number: steps.len() as u32 + 1,
                arm: self.arms[arm].name.clone(),
                rate,
                repetition,
            });
        };
        let arms: Vec<usize> = (0..self.arms.len()).collect();
        if self.order == Order::Sequential {
            for &arm in &arms {
                for repetition in 1..=repetitions {
                    for &rate in &self.rates {
                        add(arm, rate, repetition);
                    }
                }
            }
            return steps;
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut turn = arms;
        for repetition in 1..=repetitions {
            let mut rates = self.rates.clone();
            if self.order == Order::Random {
                rates.shuffle(&mut rng);
            }
            let blocks: Vec<&[Rate]> = match self.block() {
                BlockUnit::Rate => rates.chunks(1).collect(),
                BlockUnit::Pass => vec![&rates],
            };
            for block in blocks {
                if self.order == Order::Random {
                    turn.shuffle(&mut rng);
                }
                for &arm in &turn {
                    for &rate in block {
                        add(arm, rate, repetition);
                    }
                }
                // A random order stays random when it is reversed.
                turn.reverse();
            }
        }
        steps
    }
}
