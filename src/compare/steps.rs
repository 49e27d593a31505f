//! Sets of steps, and the operations on them that runners, tables, comparisons, reports and thresholds
//! share.

use super::figures::StepFigures;
use crate::spec::StepKey;
use crate::units::Rate;
use crate::verdict::{JudgedRun, Level, Stability};
use std::collections::BTreeSet;
use std::ops::Deref;

/// A measured step. It dereferences to its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub key: StepKey,
    pub figures: StepFigures,
}

impl Deref for Step {
    type Target = StepFigures;

    fn deref(&self) -> &StepFigures {
        &self.figures
    }
}

impl Step {
    /// Makes a step of a run, with the rate of all its targets together, which is what its figures are of. A
    /// run outside of a sweep becomes the first repetition of an arm without a name.
    pub fn of(run: &JudgedRun) -> Step {
        let result = &run.result;
        let label = result.spec.step.as_ref();
        let key = StepKey {
            number: label.map_or(1, |label| label.number),
            arm: label.map_or(String::new(), |label| label.arm.clone()),
            rate: result
                .spec
                .rate_of_all_targets()
                .unwrap_or_else(|| Rate::nearest(result.rate_achieved())),
            repetition: label.map_or(1, |label| label.repetition),
        };
        Step {
            key,
            figures: StepFigures::of(run),
        }
    }

    /// Whether the measurement can be used, that is, was not judged INVALID.
    pub fn is_valid(&self) -> bool {
        self.level != Some(Level::Invalid)
    }

    /// Whether the rate is known to have been held.
    pub fn is_held(&self) -> bool {
        self.stability.is_held() == Some(true)
    }
}

/// A set of steps, as a view of steps that are stored elsewhere. Each operation keeps their order.
#[derive(Debug, Clone, Default)]
pub struct Steps<'a>(Vec<&'a Step>);

impl<'a> Deref for Steps<'a> {
    type Target = [&'a Step];

    fn deref(&self) -> &[&'a Step] {
        &self.0
    }
}

impl<'a, S: AsRef<[Step]> + ?Sized> From<&'a S> for Steps<'a> {
    fn from(steps: &'a S) -> Steps<'a> {
        Steps(steps.as_ref().iter().collect())
    }
}

impl<'a> FromIterator<&'a Step> for Steps<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Step>>(steps: I) -> Steps<'a> {
        Steps(steps.into_iter().collect())
    }
}

impl<'a> Steps<'a> {
    /// The steps for which `is_wanted` is true.
    pub fn only(&self, is_wanted: impl Fn(&Step) -> bool) -> Steps<'a> {
        let wanted = self.iter().filter(|step| is_wanted(step));
        wanted.copied().collect()
    }

    /// The steps at a rate.
    pub fn at(&self, rate: Rate) -> Steps<'a> {
        self.only(|step| step.key.rate == rate)
    }

    /// The steps of the arm with this name.
    pub fn arm(&self, name: &str) -> Steps<'a> {
        self.only(|step| step.key.arm == name)
    }

    /// The steps of a repetition.
    pub fn repetition(&self, number: u32) -> Steps<'a> {
        self.only(|step| step.key.repetition == number)
    }

    /// The steps that were not judged INVALID.
    pub fn valid(&self) -> Steps<'a> {
        self.only(Step::is_valid)
    }

    /// The steps whose rate was held.
    pub fn held(&self) -> Steps<'a> {
        self.only(Step::is_held)
    }

    /// Every rate once, the lowest first.
    pub fn rates(&self) -> Vec<Rate> {
        let rates: BTreeSet<Rate> = self.iter().map(|step| step.key.rate).collect();
        rates.into_iter().collect()
    }

    /// Every rate that all sets have, the lowest first; empty without a set.
    pub fn common_rates(sets: &[Steps<'_>]) -> Vec<Rate> {
        let Some((first, others)) = sets.split_first() else {
            return Vec::new();
        };
        let mut rates = first.rates();
        rates.retain(|rate| others.iter().all(|set| !set.at(*rate).is_empty()));
        rates
    }

    /// The number of every repetition.
    pub fn repetitions(&self) -> BTreeSet<u32> {
        self.iter().map(|step| step.key.repetition).collect()
    }

    /// The steps of both sets that share a block, in the order of this set.
    pub fn pairs(&self, other: &Steps<'a>) -> Vec<(&'a Step, &'a Step)> {
        let paired = self
            .iter()
            .filter_map(|one| Some((*one, other.in_block_of(one)?)));
        paired.collect()
    }

    /// The step of the same rate and repetition as a step of another arm.
    pub fn in_block_of(&self, step: &Step) -> Option<&'a Step> {
        let mut steps = self.iter();
        steps.find(|one| one.key.is_in_block_of(&step.key)).copied()
    }

    /// Whether there are steps, and all of them held their rate.
    pub fn are_held(&self) -> bool {
        !self.is_empty() && self.iter().all(|step| step.is_held())
    }

    /// Whether more than half of the steps held their rate.
    pub fn are_mostly_held(&self) -> bool {
        self.held().len() * 2 > self.len()
    }

    /// The reasons, for people, why a step was not held, or why that is not known: those of the first step
    /// that has any. `None` when all steps were held, or no reason was recorded.
    pub fn why_not_held(&self) -> Option<String> {
        let mut reasons = self.iter().map(|step| match &step.stability {
            Stability::Held => String::new(),
            Stability::NotHeld { reasons } => {
                let reasons: Vec<&str> = reasons.iter().map(|one| one.message.as_str()).collect();
                reasons.join("; ")
            }
            Stability::Unknown { reason } => reason.clone(),
        });
        reasons.find(|why| !why.is_empty())
    }

    /// The values of a figure, of those steps that have it.
    pub fn values(&self, of: impl Fn(&Step) -> Option<f64>) -> Vec<f64> {
        self.iter().filter_map(|step| of(step)).collect()
    }

    /// The steps of those repetitions in which no step of the set is INVALID.
    pub fn in_valid_repetitions(&self) -> Steps<'a> {
        let invalid = self.only(|step| !step.is_valid()).repetitions();
        self.only(|step| !invalid.contains(&step.key.repetition))
    }

    /// The step that represents the set at a rate: the first that was held, else the first.
    pub fn shown_at(&self, rate: Rate) -> Option<&'a Step> {
        let steps = self.at(rate);
        let held = steps.held().first().copied();
        held.or_else(|| steps.first().copied())
    }

    /// Splits an arm into two: the odd repetitions and the even ones, numbered anew so that neighbours in time
    /// make a block.
    pub fn halves(&self) -> [Vec<Step>; 2] {
        [("odd", 1), ("even", 0)].map(|(name, remainder)| {
            let half = self.only(|step| step.key.repetition % 2 == remainder);
            let renamed = half.iter().map(|step| Step {
                key: StepKey {
                    arm: format!("{} ({name})", step.key.arm),
                    repetition: step.key.repetition.div_ceil(2),
                    ..step.key.clone()
                },
                figures: step.figures.clone(),
            });
            renamed.collect()
        })
    }
}

/// Steps for tests.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::resources::{NotKnown, Part};
    use std::collections::BTreeMap;

    /// The CPU by part of a service that consists of an app and sidecars, in thousandths of a core.
    pub fn cpu_of(app_m: f64, sidecar_m: f64) -> BTreeMap<Part, Result<f64, NotKnown>> {
        BTreeMap::from([
            (Part::App, Ok(app_m)),
            (Part::Sidecar, Ok(sidecar_m)),
            (Part::Total, Ok(app_m + sidecar_m)),
        ])
    }

    pub fn key(arm: &str, rate: f64, repetition: u32) -> StepKey {
        StepKey {
            number: repetition,
            arm: arm.to_owned(),
            rate: Rate::nearest(rate),
            repetition,
        }
    }

    /// A step that finished everything that was offered.
    pub fn step(arm: &str, rate: f64, repetition: u32) -> Step {
        Step {
            key: key(arm, rate, repetition),
            figures: StepFigures {
                achieved: rate,
                level: None,
                stability: Stability::Held,
                latency: BTreeMap::new(),
                error_rate: None,
                services: Vec::new(),
                nodes_cpu_m: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sample::step;
    use super::*;
    use crate::verdict::Reason;

    fn places(steps: &Steps<'_>) -> Vec<(String, f64, u32)> {
        let place = |step: &&Step| {
            let key = &step.key;
            (key.arm.clone(), key.rate.as_f64(), key.repetition)
        };
        steps.iter().map(place).collect()
    }

    fn not_held(mut step: Step) -> Step {
        step.figures.stability = Stability::NotHeld {
            reasons: Vec::new(),
        };
        step
    }

    fn invalid(mut step: Step) -> Step {
        step.figures.level = Some(Level::Invalid);
        step.figures.stability = Stability::Unknown {
            reason: String::new(),
        };
        step
    }

    #[test]
    fn a_set_is_narrowed_step_by_step_and_keeps_its_order() {
        let steps = [
            step("b", 200.0, 2),
            invalid(step("a", 100.0, 1)),
            not_held(step("a", 200.0, 1)),
            step("a", 200.0, 2),
        ];
        let all = Steps::from(&steps);
        let rate = Rate::nearest(200.0);
        assert_eq!(all.rates(), [Rate::nearest(100.0), rate]);
        assert_eq!(all.arm("a").valid().len(), 2);
        assert_eq!(
            places(&all.at(rate).held()),
            [("b".to_owned(), 200.0, 2), ("a".to_owned(), 200.0, 2)]
        );
        assert_eq!(Steps::common_rates(&[all.arm("b"), all.arm("a")]), [rate]);
        assert!(all.arm("c").is_empty() && all.arm("c").rates().is_empty());
        assert_eq!(all.repetitions(), BTreeSet::from([1, 2]));
        let achieved = all.repetition(2).values(|step| Some(step.achieved));
        assert_eq!(achieved, [200.0, 200.0]);
    }

    #[test]
    fn held_means_all_or_most_of_some() {
        let [held, lost] = [step("a", 1.0, 1), not_held(step("a", 1.0, 2))];
        let of = |steps: &[Step]| {
            let steps = Steps::from(steps);
            (steps.are_held(), steps.are_mostly_held())
        };
        assert_eq!(of(&[]), (false, false));
        assert_eq!(of(std::slice::from_ref(&held)), (true, true));
        assert_eq!(of(&[held.clone(), lost.clone()]), (false, false));
        assert_eq!(of(&[held.clone(), held, lost]), (false, true));
    }

    #[test]
    fn every_reason_of_the_first_step_that_was_not_held_is_given() {
        let reason = |message: &str| Reason {
            code: "shortfall".to_owned(),
            message: message.to_owned(),
        };
        let mut short = step("a", 1.0, 2);
        short.figures.stability = Stability::NotHeld {
            reasons: vec![reason("too few"), reason("too late")],
        };
        let mut unknown = step("a", 1.0, 3);
        unknown.figures.stability = Stability::Unknown {
            reason: "too short a window".to_owned(),
        };
        let why = |steps: &[Step]| Steps::from(steps).why_not_held();
        let [held, silent] = [step("a", 1.0, 1), not_held(step("a", 1.0, 4))];
        assert_eq!(why(&[]), None);
        assert_eq!(why(std::slice::from_ref(&held)), None);
        assert_eq!(why(std::slice::from_ref(&silent)), None);
        let steps = [held, silent, short, unknown];
        assert_eq!(why(&steps), Some("too few; too late".to_owned()));
        assert_eq!(why(&steps[3..]), Some("too short a window".to_owned()));
    }

    #[test]
    fn steps_of_one_rate_and_repetition_are_pairs_whatever_their_numbers() {
        let base = [step("a", 1.0, 1), step("a", 2.0, 1), step("a", 1.0, 3)];
        let mut new = [step("b", 1.0, 3), step("b", 1.0, 2), step("b", 1.0, 1)];
        new[0].key.number = 77;
        let pairs = Steps::from(&base).pairs(&Steps::from(&new));
        let repetitions = pairs
            .iter()
            .map(|(one, other)| (one.key.repetition, other.key.repetition));
        assert_eq!(repetitions.collect::<Vec<_>>(), [(1, 1), (3, 3)]);
    }

    #[test]
    fn a_repetition_with_an_invalid_step_is_left_out_on_both_sides() {
        let steps = [
            step("a", 1.0, 1),
            invalid(step("b", 1.0, 1)),
            step("a", 1.0, 2),
            step("b", 1.0, 2),
        ];
        let believed = Steps::from(&steps).in_valid_repetitions();
        assert_eq!(believed.repetitions(), BTreeSet::from([2]));
        assert_eq!(believed.len(), 2);
    }

    #[test]
    fn one_step_stands_for_a_rate_and_halves_are_arms() {
        let steps = [
            not_held(step("a", 1.0, 1)),
            step("a", 1.0, 2),
            step("a", 1.0, 3),
        ];
        let all = Steps::from(&steps);
        let rate = Rate::nearest(1.0);
        assert_eq!(all.shown_at(rate).map(|one| one.key.repetition), Some(2));
        let first = all.repetition(1);
        assert_eq!(first.shown_at(rate).map(|one| one.key.repetition), Some(1));
        assert_eq!(all.shown_at(Rate::nearest(2.0)), None);
        let [odd, even] = all.halves();
        let places = [&odd, &even].map(|half| places(&Steps::from(half)));
        assert_eq!(
            places[0],
            [
                ("a (odd)".to_owned(), 1.0, 1),
                ("a (odd)".to_owned(), 1.0, 2)
            ]
        );
        assert_eq!(places[1], [("a (even)".to_owned(), 1.0, 1)]);
    }
}
