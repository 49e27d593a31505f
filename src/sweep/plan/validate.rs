//! The checks of a plan before it is carried out: errors that forbid it, and warnings.

use super::{BadPlan, Order, SweepPlan};
use crate::spec::{CollectFrom, Endpoint, RunSpec, StepKey, Target};
use crate::units::Rate;
use std::collections::BTreeSet;

impl SweepPlan {
    /// Checks that the settings can be carried out together.
    ///
    /// # Errors
    /// [`BadPlan`] for the first setting that cannot be carried out.
    pub fn validate(&self) -> Result<(), BadPlan> {
        let bad = |place: &str, message: &str, cure: &str| BadPlan::new(place, message, cure);
        if self.rates.is_empty() {
            return Err(bad("rates", "there are none", "give some, such as 200,400"));
        }
        if self.rates.iter().collect::<BTreeSet<_>>().len() < self.rates.len() {
            return Err(bad("rates", "one is there twice", "use repetitions"));
        }
        if self.repetitions == 0 {
            return Err(bad("repetitions", "there are none", "use at least 1"));
        }
        if self.arms.is_empty() {
            return Err(bad(
                "arm",
                "there are none",
                "add [[arm]] with name and url",
            ));
        }
        let letters = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_name = |name: &str| {
            !name.is_empty()
                && name.len() <= 60
                && name.chars().all(letters)
                && !name.starts_with('.')
        };
        let cure = "use letters, digits, dots, dashes and underscores";
        if !is_name(&self.name) {
            return Err(bad(
                "name",
                &format!("`{}` names no folder", self.name),
                cure,
            ));
        }
        let mut names = BTreeSet::new();
        for arm in &self.arms {
            if !is_name(&arm.name) {
                return Err(bad("arm", &format!("`{}` names no folder", arm.name), cure));
            }
            if !names.insert(&arm.name) {
                let message = format!("two are called {}", arm.name);
                return Err(bad("arm", &message, "give each a name of its own"));
            }
        }
        if self.switch && self.arms.iter().all(|arm| arm.meshed.is_none()) {
            return Err(bad(
                "switch",
                "no arm says whether it is meshed, so there is nothing to switch",
                "add meshed = true or false to the arms, or use --arm baseline --arm istio",
            ));
        }
        if let Some(capacity) = &self.find_capacity
            && !(0.001..=1.0).contains(&capacity.precision)
        {
            let message = format!("a precision of {}", capacity.precision);
            return Err(bad(
                "find_capacity",
                &message,
                "use 0.001 to 1, such as 0.05",
            ));
        }
        if self.find_capacity.is_some() && (self.rates.len() < 2 || self.repetitions > 1) {
            return Err(bad(
                "find_capacity",
                "looks between the lowest and the highest of the rates",
                "give two rates and one repetition",
            ));
        }
        self.thresholds_are_about_something()?;
        self.each_step_can_run()
    }

    fn thresholds_are_about_something(&self) -> Result<(), BadPlan> {
        for one in &self.thresholds {
            let unknown = one.arm.as_ref().filter(|name| self.arm(name).is_none());
            if let Some(name) = unknown {
                let message = format!(
                    "`{}` is about the arm {name}, and there is none",
                    one.fail_if
                );
                return Err(BadPlan::new(
                    "threshold",
                    &message,
                    "name an arm of the plan",
                ));
            }
            let is_known =
                |rate: &&Rate| self.rates.contains(*rate) || self.find_capacity.is_some();
            if let Some(rate) = one.rate.as_ref().filter(|rate| !is_known(rate)) {
                let message = format!("`{}` is about {rate}/s, which is not measured", one.fail_if);
                return Err(BadPlan::new("threshold", &message, "name one of the rates"));
            }
        }
        Ok(())
    }

    /// Checks that every threshold on a collector's figure is about arms that have a collector.
    fn thresholds_can_be_told(&self, spec: &RunSpec, arm: &str) -> Result<(), BadPlan> {
        let mut about = self.thresholds.iter();
        let blind = about.find(|one| one.is_about_arm(arm) && one.fail_if.needs_collector());
        match (blind, &spec.collect.from) {
            (Some(blind), CollectFrom::None) => Err(BadPlan::new(
                "threshold",
                format!(
                    "`{}` looks at what a collector finds, and the arm {arm} has none",
                    blind.fail_if
                ),
                "set collect, or give the threshold another arm",
            )),
            _ => Ok(()),
        }
    }

    fn each_step_can_run(&self) -> Result<(), BadPlan> {
        let mut specs = Vec::new();
        for arm in &self.arms {
            let step = StepKey {
                number: 1,
                arm: arm.name.clone(),
                rate: self.rates[0],
                repetition: 1,
            };
            let named = |bad: BadPlan| bad.in_place(format_args!("arm {}", arm.name));
            let spec = self.run_spec(&step).map_err(named)?;
            spec.validate()?;
            if self.until.is_none() {
                sockets_are_whole(&spec).map_err(named)?;
            }
            self.thresholds_can_be_told(&spec, &arm.name)?;
            specs.push(spec);
        }
        let targets: Vec<&Target> = specs.iter().flat_map(|spec| &spec.targets).collect();
        specs[0].suits(&targets)?;
        Ok(())
    }

    /// Warnings for the user of a plan that can be carried out and whose result may mislead.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.order == Order::Sequential && self.arms.len() > 1 {
            warnings.push(
                "the arms are measured one after the other, so whatever drifts (neighbours, heat, caches) counts as their difference: order = \"interleaved\" lets them take turns".to_owned(),
            );
        }
        if self.arms.len() > 1 && self.repetitions == 1 {
            warnings.push(
                "one repetition says nothing about the noise: a difference between arms needs at least six".to_owned(),
            );
        }
        warnings
    }
}

/// Checks that sockets are named from the root, because a sweep may be resumed from any folder.
fn sockets_are_whole(spec: &RunSpec) -> Result<(), BadPlan> {
    let targets = spec
        .targets
        .iter()
        .filter_map(|target| target.socket.as_ref());
    let given = match &spec.reach.connect_to {
        Some(Endpoint::Unix(path)) => Some(path),
        _ => None,
    };
    match targets.chain(given).find(|path| path.is_relative()) {
        Some(path) => Err(BadPlan::new(
            "unix:",
            format!("{} is relative", path.display()),
            "write its whole path, from /",
        )),
        None => Ok(()),
    }
}
