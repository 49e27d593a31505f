//! The scripts in `lua/`.

use super::*;

#[test]
fn the_mix_makes_its_four_kinds_of_requests_in_their_proportions() {
    let mut spec = spec(include_str!("../../../lua/mixed-workload_type_1.lua"));
    spec.seed_pinned = true;
    let mut worker = ready(&spec);
    let mut kinds = [0u32; 4];
    for _ in 0..20_000 {
        let text = next(&mut worker);
        assert!(
            text.ends_with(" HTTP/1.1\r\nHost: localhost:5000\r\n\r\n"),
            "{text}"
        );
        let kind = [
            "GET http://localhost:5000/hotels?",
            "GET http://localhost:5000/recommendations?require=",
            "POST http://localhost:5000/user?username=Cornell_",
            "POST http://localhost:5000/reservation?inDate=",
        ];
        let kind = kind.iter().position(|start| text.starts_with(start));
        kinds[kind.unwrap_or_else(|| panic!("{text}"))] += 1;
    }
    for (count, share) in kinds.into_iter().zip([0.6, 0.39, 0.005, 0.005]) {
        let expected = 20_000.0 * share;
        assert!(
            (f64::from(count) - expected).abs() < 5.0 * f64::sqrt(expected),
            "{kinds:?}"
        );
    }
}
