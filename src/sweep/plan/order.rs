//! Which step comes when.

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

/// After what the arms change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Block {
    /// One rate: the arms' steps are minutes apart
    Rate,
    /// All rates: the arm changes rarely
    Pass,
}

impl SweepPlan {
    /// After what the arms change: as the plan says, or else what fits its arms.
    pub fn block(&self) -> Block {
        let is_costly = |arm: &super::Arm| arm.changes_something(self.switch);
        self.block.unwrap_or_else(|| {
            if self.arms.iter().any(is_costly) {
                Block::Pass
            } else {
                Block::Rate
            }
        })
    }

    /// The seed of a step's arrivals. It is the same for all arms, so that those of a block are given
    /// the very same arrivals, and another for each rate and repetition. 32 bits: JSON readers that
    /// know only floats keep it exact. Repetitions until enough is known have seeds in a row.
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

    /// Every step of the plan, in its order; the same for the same plan.
    pub fn steps(&self) -> Vec<StepKey> {
        self.steps_up_to(self.repetitions)
    }

    /// The steps that the plan would have with so many repetitions. Where the arms take turns, those
    /// of fewer repetitions are the first of them.
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
                Block::Rate => rates.chunks(1).collect(),
                Block::Pass => vec![&rates],
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
