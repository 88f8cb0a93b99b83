//! The forms of an answer.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::findings::export::ExportFormat;

/// Form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A table: drawn with lines on a terminal, bare elsewhere.
    #[default]
    Auto,
    /// A table drawn with lines.
    Table,
    /// One JSON document.
    Json,
    /// One JSON document a line; of findings only.
    Jsonl,
    /// What another program takes; of findings only.
    Export(ExportFormat),
}

impl Format {
    /// Whether every command has answers in this form.
    pub fn is_general(self) -> bool {
        matches!(self, Self::Auto | Self::Table | Self::Json)
    }

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Export(format) => format.as_str(),
        }
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        const GENERAL: [Format; 4] = [Format::Auto, Format::Table, Format::Json, Format::Jsonl];
        const ALL: [Format; GENERAL.len() + ExportFormat::ALL.len()] = {
            let mut all = [Format::Auto; GENERAL.len() + ExportFormat::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = match at.checked_sub(GENERAL.len()) {
                    None => GENERAL[at],
                    Some(index) => Format::Export(ExportFormat::ALL[index]),
                };
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}
