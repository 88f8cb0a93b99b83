//! Masking: the values of a job's secrets become `***` before a byte of its output goes anywhere.
//!
//! [docs/design/masking.md](../../../docs/design/masking.md) says what is masked and why it is done this way.

mod forms;
mod log;
mod reader;
mod stream;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};
use serde_json::Value;
use serde_json::value::RawValue;

pub(super) use log::MaskedLog;
use reader::MaskedReader;
use stream::Masker;

use crate::error::{Code, Error, Result};
use crate::model::{Diagnostic, SecretValue};

/// What stands in a value's place.
const MASK: &str = "***";
/// Bytes of forms up to which they become a table with an entry for every byte in every state: the fastest, and some MiB.
const TABLE_LIMIT: usize = 8 << 10;

/// The forms of the values of a job's secrets, ready to be looked for. Clones share it.
#[derive(Clone)]
pub(super) struct Masks(Arc<Forms>);

struct Forms {
    machine: Machine,
    start: StateID,
    /// Of each state that is not the start: how many bytes of a form's beginning have been seen.
    depths: HashMap<StateID, usize>,
}

enum Machine {
    Table(DFA),
    Tree(NFA),
}

impl Masks {
    /// What masks these values; none where there are none.
    pub(super) fn of<'a>(values: impl IntoIterator<Item = &'a SecretValue>) -> Result<Option<Self>> {
        let forms: std::collections::BTreeSet<_> =
            values.into_iter().flat_map(|value| forms::of(value.expose())).collect();
        if forms.is_empty() {
            return Ok(None);
        }
        let forms: Vec<_> = forms.into_iter().collect();
        Self::new(&forms).map(Some)
    }

    fn new(forms: &[Vec<u8>]) -> Result<Self> {
        let failed = |_| Error::new(Code::Io, "the secrets are too many or too long to be masked");
        let (kind, total) = (MatchKind::Standard, forms.iter().map(Vec::len).sum::<usize>());
        let built = match total <= TABLE_LIMIT {
            true => {
                let table = DFA::builder().match_kind(kind).prefilter(false).build(forms).map_err(failed)?;
                let (start, depths) = depths(&table, forms);
                Forms { machine: Machine::Table(table), start, depths }
            }
            false => {
                let tree = NFA::builder().match_kind(kind).prefilter(false).build(forms).map_err(failed)?;
                let (start, depths) = depths(&tree, forms);
                Forms { machine: Machine::Tree(tree), start, depths }
            }
        };
        Ok(Self(Arc::new(built)))
    }

    fn depth(&self, state: StateID) -> usize {
        self.0.depths.get(&state).copied().unwrap_or_default()
    }

    /// The same bytes without the values.
    fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masker = Masker::new(self.clone());
        let mut out = Vec::with_capacity(bytes.len());
        masker.push(bytes, &mut out);
        masker.end(&mut out);
        out
    }

    /// The same text without the values.
    pub(super) fn text(&self, text: &str) -> String {
        // Forms are whole characters and so is the mask.
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// Reads what another reader does, without the values.
    pub(super) fn reader<R: std::io::Read>(&self, inner: R) -> MaskedReader<R> {
        MaskedReader::new(inner, Masker::new(self.clone()))
    }

    /// Takes the values out of what a parser found. The bytes that it read were masked already; but it may have undone
    /// an escape that no form has.
    pub(super) fn diagnostic(&self, found: &mut Diagnostic) {
        let texts =
            [Some(&mut found.code), Some(&mut found.message), found.file.as_mut(), found.suggested_fix.as_mut()];
        for text in texts.into_iter().flatten().chain(&mut found.aliases) {
            self.replace(text);
        }
        let record = found.raw.as_ref().and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        if let Some(mut record) = record
            && self.replace_in(&mut record)
        {
            found.raw = RawValue::from_string(record.to_string()).ok();
        }
    }

    fn replace(&self, text: &mut String) -> bool {
        let masked = self.text(text);
        let differs = masked != *text;
        *text = masked;
        differs
    }

    fn replace_in(&self, record: &mut Value) -> bool {
        match record {
            Value::String(text) => self.replace(text),
            Value::Array(items) => items.iter_mut().fold(false, |any, item| self.replace_in(item) | any),
            Value::Object(members) => members.values_mut().fold(false, |any, member| self.replace_in(member) | any),
            _ => false,
        }
    }
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masks(…)")
    }
}

/// The states of an automaton of Aho and Corasick are the beginnings of its patterns: whoever walks along a pattern comes
/// through the states of its beginnings.
fn depths(machine: &impl Automaton, forms: &[Vec<u8>]) -> (StateID, HashMap<StateID, usize>) {
    let start = machine.start_state(Anchored::No).expect("it is built for searches that begin anywhere");
    let mut depths = HashMap::new();
    for form in forms {
        let mut state = start;
        for (index, byte) in form.iter().enumerate() {
            state = machine.next_state(Anchored::No, state, *byte);
            depths.insert(state, index + 1);
        }
    }
    (start, depths)
}
