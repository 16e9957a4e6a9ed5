//! The object that `--json` prints.
//!
//! Its keys are those of the language's page on runs. Values of arrays are nested lists, and so are their standard
//! errors. NaN and infinities are `null` (also the standard error of a single path).

use super::result::Results;

/// The object as one line of text.
pub fn to_json(results: &Results) -> String {
    serde_json::to_string(results).expect("plain data have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::super::result::{Check, Report, RunResult, Values, When};
    use super::*;

    fn results() -> Results {
        let array = Values {
            shape: vec![2, 2],
            values: vec![1.0, f64::NAN, f64::INFINITY, 4.5],
            se: vec![0.5; 4],
            ..Values::default()
        };
        let report =
            |expr: &str, when: When, value: Values| Report { expr: expr.to_string(), when, value, notes: vec![] };
        Results {
            fokker: "0.1.0".to_string(),
            file: "gbm.sde".to_string(),
            report: None,
            runs: vec![RunResult {
                name: "terminal".to_string(),
                model: "gbm".to_string(),
                solver: Some("milstein".to_string()),
                paths: 100_000,
                steps: 1000,
                seed: 1,
                seconds: 0.41,
                compile_seconds: 0.004,
                path_steps_per_second: 2.4e8,
                sweep: vec![("sigma".to_string(), 0.1), ("a".to_string(), 2.0)],
                reports: vec![
                    report("mean(x)", When::At(1.0), Values::scalar(1.0513, 0.0003)),
                    report("mean(y)", When::Over("t in [0, 1]".to_string()), array),
                ],
                checks: vec![Check {
                    at: None,
                    note: None,
                    code: None,
                    expr: "a < b".to_string(),
                    passed: true,
                    left: Some(0.0002),
                    right: Some(0.0012),
                }],
                ..RunResult::default()
            }],
        }
    }

    #[test]
    fn the_object_is_as_documented() {
        let want = concat!(
            r#"{"fokker":"0.1.0","file":"gbm.sde","runs":[{"name":"terminal","model":"gbm","solver":"milstein","#,
            r#""paths":100000,"steps":1000,"seed":1,"seconds":0.41,"compile_seconds":0.004,"#,
            r#""path_steps_per_second":240000000.0,"diverged":0,"sweep":{"sigma":0.1,"a":2.0},"#,
            r#""reports":[{"expr":"mean(x)","at":1.0,"value":1.0513,"se":0.0003},"#,
            r#"{"expr":"mean(y)","over":"t in [0, 1]","value":[[1.0,null],[null,4.5]],"se":[[0.5,0.5],[0.5,0.5]]}],"#,
            r#""checks":[{"expr":"a < b","passed":true,"left":0.0002,"right":0.0012}]}]}"#,
        );
        assert_eq!(to_json(&results()), want);
    }

    #[test]
    fn it_is_json() {
        let value: serde_json::Value = serde_json::from_str(&to_json(&results())).expect("JSON");
        assert_eq!(value["runs"][0]["reports"][0]["value"], 1.0513);
        let mut interrupted = results();
        interrupted.runs[0].interrupted = true;
        interrupted.runs[0].seconds = f64::NAN;
        let value: serde_json::Value = serde_json::from_str(&to_json(&interrupted)).expect("JSON");
        assert_eq!(value["runs"][0]["interrupted"], true);
        assert!(value["runs"][0]["seconds"].is_null());
    }
}
