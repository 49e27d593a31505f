//! A result that was stored gives the same texts as on the day it was measured.

use super::{outcome_text, wrk_text};
use crate::files::{run_from_json, run_to_json};
use crate::measure::sample;
use crate::verdict::{JudgedRun, verdict};

#[test]
fn a_stored_result_prints_the_same_text_byte_for_byte() {
    for mut sample in sample::every() {
        let recording = &mut sample.result.spec.recording;
        (recording.spectrum, recording.uncorrected, recording.sent) = (true, true, true);
        recording.separate = sample.result.targets.len() > 1;
        let (name, result) = (sample.name, sample.result);
        let run = JudgedRun::judge(result);
        let json = run_to_json(&run);
        let again = run_from_json(&json).expect(name);
        assert_eq!(again.verdict, run.verdict, "{name}");
        assert_eq!(wrk_text(&again.result), wrk_text(&run.result), "{name}");
        assert_eq!(outcome_text(&again), outcome_text(&run), "{name}");
        assert_eq!(
            verdict(&again.result),
            run.verdict,
            "judged again from its file: {name}"
        );
        let json_again = run_to_json(&again);
        let (json, json_again) = (lossy(&json), lossy(&json_again));
        for (again, before) in json_again.lines().zip(json.lines()) {
            assert_eq!(again, before, "{name}");
        }
        assert_eq!(json_again.len(), json.len(), "{name}");
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
