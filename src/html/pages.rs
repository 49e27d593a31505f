//! What stands on the page of a run, a sweep and a comparison.

use super::arms;
use super::comparison;
use super::page::{Block, Page, Section, Standing};
use super::runs;
use super::services::{services_charts, services_table};
use crate::compare::{ArmSteps, Comparison, Step, Steps, add_conditions, common_rate};
use crate::measure::{Ending, Note};
use crate::resources::{Resources, Stretch};
use crate::spec::Offered;
use crate::text::{certainty, outcome_text, resources_text, saturated, wrk_text};
use crate::units::Rate;
use crate::verdict::{Level, MeasuredRun};

/// The page of one run.
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
    let urls: Vec<&str> = result
        .targets
        .iter()
        .map(|target| target.target.url.as_str())
        .collect();
    let runs = std::slice::from_ref(run);
    let text = Block::Text(wrk_text(result) + &outcome_text(&run.judged));
    Page {
        title: format!("meshload: {}", urls.join(", ")),
        subtitle: run_subtitle(run, &step),
        badge: Some(badge(run.judged.verdict.level)),
        lead: Vec::new(),
        sections: sections([
            Section::of("Verdict", verdict_blocks(run)),
            Section::of(
                "Latency",
                vec![
                    Block::Chart(runs::percentile_chart(runs)),
                    Block::Table(runs::times_table(run)),
                ],
            ),
            Section::of("Over time", vec![Block::Chart(runs::time_chart(run, 1))]),
            Section::of("Routes", vec![Block::Table(runs::routes_table(runs))]),
            Section::of(
                "Resources",
                resources_blocks(arms, result.resources.as_ref(), step.key.rate),
            ),
            Section::of(
                "Plan and circumstances",
                vec![Block::Table(arms::conditions_table(arms))],
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

fn verdict_blocks(run: &MeasuredRun) -> Vec<Block> {
    let reasons = run.judged.verdict.reasons.iter();
    let mut lines: Vec<String> = reasons
        .map(|one| format!("{}: {}", one.code, one.message))
        .collect();
    if lines.is_empty() {
        lines.push("Nothing speaks against the generator.".to_owned());
    }
    if run.judged.result.ending != Ending::Complete {
        lines.insert(
            0,
            "The run was broken off: this is what was measured until then.".to_owned(),
        );
    }
    lines.extend(run.judged.result.notes.iter().map(Note::to_string));
    vec![Block::Notes(lines), Block::Table(runs::endings_table(run))]
}

fn resources_blocks(arms: &[ArmSteps], resources: Option<&Resources>, rate: Rate) -> Vec<Block> {
    let Some(resources) = resources else {
        return Vec::new();
    };
    let mut blocks = vec![Block::Text(resources_text(resources))];
    blocks.extend(services_charts(arms, rate).map(Block::Chart));
    blocks.extend([
        Block::Table(services_table(arms)),
        Block::Table(runs::containers_table(&resources.pods)),
    ]);
    blocks
}

/// The page of a collection without a load.
pub fn collection_page(resources: &Resources, timeline: &[Stretch]) -> Page {
    let blocks = vec![
        Block::Text(resources_text(resources)),
        Block::Chart(runs::collection_chart(timeline)),
        Block::Table(runs::containers_table(&resources.pods)),
    ];
    Page {
        title: "meshload: what was used".to_owned(),
        sections: sections([Section::of("Resources", blocks)]),
        ..Page::default()
    }
}

/// What a folder of steps holds beside them.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// What the folder is called.
    pub name: &'a str,
    /// The plan, or the study's metadata, as text.
    pub plan: Option<&'a str>,
    /// What was left out, and why.
    pub notes: &'a [String],
}

/// The page of a sweep, or of a folder of the study: `shown` are runs that stand for their arms.
pub fn sweep_page(about: About<'_>, arms: &[ArmSteps], shown: &[MeasuredRun]) -> Page {
    let steps: Steps<'_> = arms.iter().flat_map(|arm| &arm.steps).collect();
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    Page {
        title: format!("meshload: {}", about.name),
        subtitle: format!("{} steps of {}", steps.len(), names.join(", ")),
        badge: worst(&steps),
        lead: about.notes.to_vec(),
        sections: sections([
            Section::of("Verdicts", vec![Block::Table(arms::steps_table(arms))]),
            throughput(arms),
            latency(arms, shown),
            over_time(shown),
            resources(arms),
            Section::of("Plan and circumstances", circumstances(about, arms)),
        ]),
    }
}

/// The worst verdict of any step.
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
            Block::Chart(arms::throughput_chart(arms)),
            Block::Table(arms::capacity_table(arms)),
        ],
    )
}

fn latency(arms: &[ArmSteps], shown: &[MeasuredRun]) -> Option<Section> {
    Section::of(
        "Latency",
        vec![
            Block::Chart(arms::latency_chart(arms)),
            Block::Chart(runs::percentile_chart(shown)),
            Block::Table(runs::routes_table(shown)),
        ],
    )
}

fn over_time(shown: &[MeasuredRun]) -> Option<Section> {
    let charts = shown.iter().enumerate();
    let charts = charts.map(|(number, run)| Block::Chart(runs::time_chart(run, number + 1)));
    Section::of("Over time", charts.collect())
}

fn resources(arms: &[ArmSteps]) -> Option<Section> {
    let mut blocks = vec![Block::Chart(arms::resources_chart(arms))];
    if let Some(rate) = common_rate(arms) {
        blocks.extend(services_charts(arms, rate).map(Block::Chart));
    }
    blocks.extend([
        Block::Chart(arms::sidecar_chart(arms)),
        Block::Chart(arms::cpu_per_request_chart(arms)),
        Block::Table(arms::costs_table(arms)),
        Block::Table(services_table(arms)),
    ]);
    Section::of("Resources", blocks)
}

fn circumstances(about: About<'_>, arms: &[ArmSteps]) -> Vec<Block> {
    vec![
        Block::Table(arms::conditions_table(arms)),
        Block::Text(about.plan.unwrap_or_default().to_owned()),
    ]
}

/// A comparison, and the conditions that differ between its arms.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The comparison.
    pub comparison: Comparison,
    /// The conditions that differ, one line each.
    pub differing_conditions: Vec<String>,
}

/// The page of a comparison: the first arm against the others.
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
    let ratios = Block::Chart(comparison::ratio_chart(&comparisons));
    page.sections.extend(Section::of("Overhead", vec![ratios]));
    for one in &comparisons {
        let blocks = vec![
            Block::Table(comparison::metrics_table(one)),
            Block::Table(comparison::cost_table(one)),
            Block::Table(comparison::left_out_table(one)),
        ];
        let title = format!("{} against {}", one.other, one.base);
        page.sections.extend(Section::of(&title, blocks));
    }
    page.sections.extend(sections([
        latency(arms, shown),
        throughput(arms),
        resources(arms),
        Section::of("Steps", vec![Block::Table(arms::steps_table(arms))]),
        Section::of(
            "Circumstances",
            vec![Block::Table(arms::conditions_table(arms))],
        ),
    ]));
    page
}

/// What must be known before any of it is believed.
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
