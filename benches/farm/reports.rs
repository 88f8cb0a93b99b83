//! What tools print, repeated with varied places until it is large, and the least that reading it takes.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::sandbox::Step;

const BYTES: u64 = 100_000_000;

/// A large output of a tool.
pub struct Report {
    /// The tool and its format.
    pub name: &'static str,
    /// What is before the parts, between them, and behind them.
    frame: [&'static str; 3],
    /// A part.
    part: fn() -> String,
    /// What is replaced by itself and a number, in each part another one.
    place: &'static str,
    /// Reads the file with serde_json into the types that findings need; only for JSON.
    pub read: fn(&Path) -> Step,
    is_json: bool,
}

pub const ALL: &[Report] = &[
    Report {
        name: "clippy, a record a line",
        frame: ["", "", ""],
        part: || fixture("rustc/clippy_json.txt"),
        place: "\"file_name\":\"src/",
        read: |file| {
            let text = fs::read_to_string(file)?;
            for line in text.lines() {
                black_box(serde_json::from_str::<Clippy<'_>>(line)?);
            }
            Ok(())
        },
        is_json: true,
    },
    Report {
        name: "ruff, one array",
        frame: ["[\n", ",\n", "\n]\n"],
        part: || {
            fixture("ruff/json.txt")
                .trim()
                .trim_matches(['[', ']'])
                .trim_matches('\n')
                .replace("/home/ci/ruffd/", "src/")
        },
        place: "\"filename\": \"src/",
        read: read::<Vec<Ruff>>,
        is_json: true,
    },
    Report {
        name: "eslint, one line",
        frame: ["[", ",", "]\n"],
        part: || ESLINT.replace('\n', ""),
        place: "src/m",
        read: read::<Vec<Eslint>>,
        is_json: true,
    },
    Report {
        name: "SARIF, one object",
        frame: [SARIF, ",\n", "\n      ]\n    }\n  ]\n}\n"],
        part: || RESULT.to_owned(),
        place: "src/m",
        read: read::<Sarif>,
        is_json: true,
    },
    Report {
        name: "pytest, few failures",
        frame: ["", "", include_str!("../../tests/parsers/pytest/v.txt")],
        part: || {
            format!("{:<71} PASSED [ 42%]\n", "tests/test_module.py::TestClass::test_function_number_0").repeat(50)
        },
        place: "tests/test_module",
        read: |_| Ok(()),
        is_json: false,
    },
];

impl Report {
    /// Writes it to a file. How many bytes it has.
    pub fn write(&self, file: &Path) -> Step<u64> {
        let mut out = BufWriter::new(File::create(file)?);
        let [head, between, end] = self.frame;
        let part = (self.part)();
        let mut length = head.len() + end.len();
        out.write_all(head.as_bytes())?;
        for number in 0.. {
            if number > 0 {
                out.write_all(between.as_bytes())?;
                length += between.len();
            }
            let part = part.replace(self.place, &format!("{}{number}/", self.place));
            out.write_all(part.as_bytes())?;
            length += part.len();
            if length as u64 >= BYTES {
                break;
            }
        }
        out.write_all(end.as_bytes())?;
        out.flush()?;
        Ok(length as u64)
    }

    /// Whether it is a machine's format.
    pub fn is_json(&self) -> bool {
        self.is_json
    }
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parsers").join(name);
    fs::read_to_string(path).unwrap_or_default()
}

fn read<T: for<'a> Deserialize<'a>>(file: &Path) -> Step {
    black_box(serde_json::from_str::<T>(&fs::read_to_string(file)?)?);
    Ok(())
}

const ESLINT: &str = r#"{"filePath":"src/m/a.js","messages":[
{"ruleId":"no-unused-vars","severity":2,"message":"'x' is defined but never used.","line":1,"column":7,
"nodeType":"Identifier","messageId":"unusedVar","endLine":1,"endColumn":8},
{"ruleId":"semi","severity":1,"message":"Missing semicolon.","line":3,"column":17,"nodeType":"VariableDeclaration",
"messageId":"missingSemi","endLine":4,"endColumn":1,"fix":{"range":[40,40],"text":";"}},
{"ruleId":null,"fatal":true,"severity":2,"message":"Parsing error: Unexpected token }","line":9,"column":1}],
"suppressedMessages":[],"errorCount":2,"fatalErrorCount":1,"warningCount":1,"fixableErrorCount":0,
"fixableWarningCount":1,"source":"const x = 1\nfunction f() {\n  return 1\n}\n","usedDeprecatedRules":[]}"#;

const SARIF: &str = r#"{
  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "tool": {
        "driver": {
          "name": "ESLint",
          "rules": [
            {
              "id": "no-unused-vars",
              "shortDescription": {
                "text": "Disallow unused variables"
              }
            }
          ]
        }
      },
      "results": [
"#;

const RESULT: &str = r#"        {
          "ruleId": "no-unused-vars",
          "ruleIndex": 0,
          "level": "error",
          "message": {
            "text": "'x' is defined but never used."
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "src/m/a.js"
                },
                "region": {
                  "startLine": 1,
                  "startColumn": 7,
                  "endLine": 1,
                  "endColumn": 8
                }
              }
            }
          ]
        }"#;

#[derive(Deserialize)]
#[allow(dead_code)] // To be read is all that is asked of the fields here and below.
struct Clippy<'a> {
    reason: &'a str,
    message: Option<ClippyMessage>,
    #[serde(borrow)]
    target: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct ClippyMessage {
    message: String,
    level: String,
    code: Option<Code>,
    spans: Vec<Span>,
    children: Vec<Child>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Child {
    message: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Span {
    file_name: String,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    is_primary: bool,
    suggested_replacement: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Ruff {
    filename: String,
    code: Option<String>,
    message: String,
    location: Location,
    end_location: Location,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Location {
    row: u32,
    column: u32,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Fix {
    message: Option<String>,
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Edit {
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Eslint {
    file_path: String,
    messages: Vec<EslintMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct EslintMessage {
    rule_id: Option<String>,
    severity: u32,
    message: String,
    line: u32,
    column: u32,
    end_line: Option<u32>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Sarif {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Run {
    results: Vec<Outcome>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Outcome {
    rule_id: String,
    level: String,
    message: Text,
    locations: Vec<Place>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Place {
    physical_location: Physical,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Artifact {
    uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
}
