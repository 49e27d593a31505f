//! The layout of pages: which charts and tables stand on the page of a run, a collection, a sweep and a
//! comparison.

use super::document::{Element, Page, Section, Standing};
use super::services::{services_charts, services_table};
use super::{arm_charts, arm_tables, comparison, run_charts, run_tables};
use crate::compare::{ArmSteps, Comparison, Step, Steps, add_conditions, common_rate};
use crate::measure::{Ending, Note};
use crate::resources::{Bucket, Resources};
use crate::spec::Offered;
use crate::text::{certainty, outcome_text, resources_text, saturated, wrk_text};
use crate::units::Rate;
use crate::verdict::{Level, MeasuredRun};

/// The page of a run.
pub fn run_page(run: &MeasuredRun) -> Page {
    let result = &run.judged.result;
    let step = Step::of(&run.judged);
    let name = match step.key.arm.as_str() {
        "" => "this run",
        name => name,
    };
    let mut arm = ArmSteps::named(name);
    add_conditions(&mut arm.conditions, result);
    arm.steps.push(step.clone());
    let arms = std::slice::from_ref(&arm);
    let runs = std::slice::from_ref(run);
    let text = Element::Text(wrk_text(result) + &outcome_text(&run.judged));
    Page {
        title: format!("meshload: {}", result.urls().join(", ")),
        subtitle: run_subtitle(run, &step),
        badge: Some(badge(run.judged.verdict.level)),
        lead: Vec::new(),
        sections: sections([
            Section::of("Verdict", verdict_elements(run)),
            Section::of(
                "Latency",
                vec![
                    Element::Chart(run_charts::percentile_chart(runs)),
                    Element::Table(run_tables::times_table(run)),
                ],
            ),
            Section::of(
                "Over time",
                vec![Element::Chart(run_charts::time_chart(run, 1))],
            ),
            Section::of(
                "Routes",
                vec![Element::Table(run_tables::routes_table(runs))],
            ),
            Section::of(
                "Resources",
                resources_elements(arms, result.resources.as_ref(), step.key.rate),
            ),
            Section::of(
                "Plan and circumstances",
                vec![Element::Table(arm_tables::conditions_table(arms))],
            ),
            Section::of("As text", vec![text]),
        ]),
    }
}

fn sections<const N: usize>(found: [Option<Section>; N]) -> Vec<Section> {
    found.into_iter().flatten().collect()
}

fn badge(level: Level) -> (String, Standing) {
    let standing = match level {
        Level::Valid => Standing::Good,
        Level::Suspect => Standing::Doubtful,
        Level::Invalid => Standing::Bad,
    };
    (level.name().to_owned(), standing)
}

fn run_subtitle(run: &MeasuredRun, step: &Step) -> String {
    let window = run.judged.result.window.length().as_secs_f64();
    let asked = match run.judged.result.spec.load.offered {
        Offered::Rate(_) => format!("{} requests per second offered", step.key.rate),
        Offered::Ramp { from, to } => {
            format!("a ramp from {} to {}/s offered", from.as_f64(), to.as_f64())
        }
        Offered::Max => "closed loop".to_owned(),
    };
    format!(
        "{asked}, {:.1}/s finished, over {window:.1} s",
        step.achieved
    )
}

fn verdict_elements(run: &MeasuredRun) -> Vec<Element> {
    let reasons = run.judged.verdict.reasons.iter();
    let mut lines: Vec<String> = reasons
        .map(|one| format!("{}: {}", one.code, one.message))
        .collect();
    if lines.is_empty() {
        lines.push("No check of the generator failed.".to_owned());
    }
    if run.judged.result.ending != Ending::Complete {
        lines.insert(
            0,
            "The run ended early: the figures cover the time until then.".to_owned(),
        );
    }
    lines.extend(run.judged.result.notes.iter().map(Note::to_string));
    vec![
        Element::Notes(lines),
        Element::Table(run_tables::endings_table(run)),
    ]
}

fn resources_elements(
    arms: &[ArmSteps],
    resources: Option<&Resources>,
    rate: Rate,
) -> Vec<Element> {
    let Some(resources) = resources else {
        return Vec::new();
    };
    let mut elements = vec![Element::Text(resources_text(resources))];
    elements.extend(services_charts(arms, rate).map(Element::Chart));
    elements.extend([
        Element::Table(services_table(arms)),
        Element::Table(run_tables::containers_table(&resources.pods)),
    ]);
    elements
}

/// The page of a collection without a load.
pub fn collection_page(resources: &Resources, timeline: &[Bucket]) -> Page {
    let elements = vec![
        Element::Text(resources_text(resources)),
        Element::Chart(run_charts::collection_chart(timeline)),
        Element::Table(run_tables::containers_table(&resources.pods)),
    ];
    Page {
        title: "meshload: resource use".to_owned(),
        sections: sections([Section::of("Resources", elements)]),
        ..Page::default()
    }
}

/// What a page of steps shows besides the steps.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    pub name: &'a str,
    /// The plan, or the study's metadata, as text.
    pub plan: Option<&'a str>,
    /// Sentences at the top of the page, such as why a step was left out.
    pub notes: &'a [String],
}

/// The page of a sweep or of a folder of the study. `shown` has a run per arm, whose curves are drawn.
pub fn sweep_page(about: About<'_>, arms: &[ArmSteps], shown: &[MeasuredRun]) -> Page {
    let steps: Steps<'_> = arms.iter().flat_map(|arm| &arm.steps).collect();
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    Page {
        title: format!("meshload: {}", about.name),
        subtitle: format!("{} steps of {}", steps.len(), names.join(", ")),
        badge: worst(&steps),
        lead: about.notes.to_vec(),
        sections: sections([
            Section::of(
                "Verdicts",
                vec![Element::Table(arm_tables::steps_table(arms))],
            ),
            throughput(arms),
            latency(arms, shown),
            over_time(shown),
            resources(arms),
            Section::of("Plan and circumstances", circumstances(about, arms)),
        ]),
    }
}

/// A badge with the worst verdict of any step; `None` when no step has a verdict.
fn worst(steps: &Steps<'_>) -> Option<(String, Standing)> {
    let levels: Vec<Level> = steps.iter().filter_map(|step| step.level).collect();
    let worst = *levels.iter().max()?;
    let count = levels.iter().filter(|level| **level == worst).count();
    let (word, standing) = badge(worst);
    Some((format!("{count} of {} {word}", levels.len()), standing))
}

fn throughput(arms: &[ArmSteps]) -> Option<Section> {
    Section::of(
        "Offered and achieved",
        vec![
            Element::Chart(arm_charts::throughput_chart(arms)),
            Element::Table(arm_tables::capacity_table(arms)),
        ],
    )
}

fn latency(arms: &[ArmSteps], shown: &[MeasuredRun]) -> Option<Section> {
    Section::of(
        "Latency",
        vec![
            Element::Chart(arm_charts::latency_chart(arms)),
            Element::Chart(run_charts::percentile_chart(shown)),
            Element::Table(run_tables::routes_table(shown)),
        ],
    )
}

fn over_time(shown: &[MeasuredRun]) -> Option<Section> {
    let charts = shown.iter().enumerate();
    let charts =
        charts.map(|(number, run)| Element::Chart(run_charts::time_chart(run, number + 1)));
    Section::of("Over time", charts.collect())
}

fn resources(arms: &[ArmSteps]) -> Option<Section> {
    let mut elements = vec![Element::Chart(arm_charts::resources_chart(arms))];
    if let Some(rate) = common_rate(arms) {
        elements.extend(services_charts(arms, rate).map(Element::Chart));
    }
    elements.extend([
        Element::Chart(arm_charts::sidecar_chart(arms)),
        Element::Chart(arm_charts::cpu_per_request_chart(arms)),
        Element::Table(arm_tables::costs_table(arms)),
        Element::Table(services_table(arms)),
    ]);
    Section::of("Resources", elements)
}

fn circumstances(about: About<'_>, arms: &[ArmSteps]) -> Vec<Element> {
    vec![
        Element::Table(arm_tables::conditions_table(arms)),
        Element::Text(about.plan.unwrap_or_default().to_owned()),
    ]
}

/// A comparison with the conditions that differ between its arms.
#[derive(Debug, Clone)]
pub struct Compared {
    pub comparison: Comparison,
    /// Sentences on conditions that should be the same in both arms and are not.
    pub differing_conditions: Vec<String>,
}

/// The page of a comparison of the first arm with the others. `shown` has a run per arm, whose curves
/// are drawn.
pub fn comparison_page(arms: &[ArmSteps], compared: &[Compared], shown: &[MeasuredRun]) -> Page {
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    let title = match names.split_first() {
        Some((base, others)) => format!("meshload: {} against {base}", others.join(", ")),
        None => "meshload".to_owned(),
    };
    let comparisons: Vec<Comparison> = compared.iter().map(|one| one.comparison.clone()).collect();
    let mut page = Page {
        title,
        subtitle: "What one arm costs over another, over rates that both held.".to_owned(),
        badge: None,
        lead: compared.iter().flat_map(lead).collect(),
        sections: Vec::new(),
    };
    let ratios = Element::Chart(comparison::ratio_chart(&comparisons));
    page.sections.extend(Section::of("Overhead", vec![ratios]));
    for one in &comparisons {
        let elements = vec![
            Element::Table(comparison::metrics_table(one)),
            Element::Table(comparison::cost_table(one)),
            Element::Table(comparison::left_out_table(one)),
        ];
        let title = format!("{} against {}", one.other, one.base);
        page.sections.extend(Section::of(&title, elements));
    }
    page.sections.extend(sections([
        latency(arms, shown),
        throughput(arms),
        resources(arms),
        Section::of("Steps", vec![Element::Table(arm_tables::steps_table(arms))]),
        Section::of(
            "Circumstances",
            vec![Element::Table(arm_tables::conditions_table(arms))],
        ),
    ]));
    page
}

/// Sentences that a reader needs before the figures: certainty, differing conditions, saturated rates.
fn lead(one: &Compared) -> Vec<String> {
    let Comparison { base, other, .. } = &one.comparison;
    let mut lead = vec![format!(
        "{other} against {base}: {}",
        certainty(&one.comparison)
    )];
    lead.extend(
        one.differing_conditions
            .iter()
            .map(|one| format!("Not the same in both: {one}")),
    );
    lead.extend(saturated(&one.comparison));
    lead
}
