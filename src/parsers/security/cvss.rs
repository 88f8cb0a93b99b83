//! The severity that a CVSS vector of version 3 stands for (<https://www.first.org/cvss/v3.1/specification-document>,
//! sections 5 and 7).

use crate::model::Severity;

/// The base score's rating: from 7.0 on it is high or critical, from 4.0 on medium. None for other versions, and for a
/// vector that is not complete.
pub(in crate::parsers) fn severity(vector: &str) -> Option<Severity> {
    score(vector).map(rating)
}

/// The rating of a base score.
pub(in crate::parsers) fn rating(score: f64) -> Severity {
    match score {
        score if score >= 7.0 => Severity::Error,
        score if score >= 4.0 => Severity::Warn,
        _ => Severity::Info,
    }
}

fn score(vector: &str) -> Option<f64> {
    let metrics = vector.strip_prefix("CVSS:3.0/").or(vector.strip_prefix("CVSS:3.1/"))?;
    let weight = |metric: &str, weights: &[(&str, f64)]| {
        let value = metrics.split('/').find_map(|part| part.strip_prefix(metric)?.strip_prefix(':'))?;
        weights.iter().find(|(name, _)| *name == value).map(|(_, weight)| *weight)
    };
    let changed = weight("S", &[("U", 0.0), ("C", 1.0)])? > 0.0;
    let impact = |metric| weight(metric, &[("N", 0.0), ("L", 0.22), ("H", 0.56)]);
    let privileges =
        if changed { [("N", 0.85), ("L", 0.68), ("H", 0.5)] } else { [("N", 0.85), ("L", 0.62), ("H", 0.27)] };
    let exploitability = 8.22
        * weight("AV", &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?
        * weight("AC", &[("L", 0.77), ("H", 0.44)])?
        * weight("PR", &privileges)?
        * weight("UI", &[("N", 0.85), ("R", 0.62)])?;
    let base = 1.0 - (1.0 - impact("C")?) * (1.0 - impact("I")?) * (1.0 - impact("A")?);
    let impact = if changed { 7.52 * (base - 0.029) - 3.25 * (base - 0.02).powi(15) } else { 6.42 * base };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let total = (impact + exploitability) * if changed { 1.08 } else { 1.0 };
    // Rounded up to one decimal, over the noise of floating point.
    Some(((total.min(10.0) * 100_000.0).round() / 10_000.0).ceil() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_calculator() {
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 6.2),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N", 4.8),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", 8.1),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
            ("CVSS:3.0/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0.0),
        ] {
            assert_eq!(score(vector), Some(expected), "{vector}");
        }
        for none in ["", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "CVSS:3.1/AV:N", "7.5"] {
            assert_eq!(score(none), None, "{none}");
        }
    }
}
