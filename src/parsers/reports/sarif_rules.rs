//! The tool of a SARIF run: its name as people know it, and its rules.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::exported;
use crate::parsers::security::advisory;
use crate::parsers::text::one_line;

/// How tools name themselves, and how they are called.
const NAMES: [(&str, &str); 11] = [
    ("semgrep oss", "semgrep"),
    ("semgrep pro", "semgrep"),
    ("snyk open source", "snyk"),
    ("snyk container", "snyk"),
    ("snyk iac", "snyk"),
    ("snykcode", "snyk"),
    ("snyk code", "snyk"),
    ("golangci-lint", "golangci-lint"),
    ("microsoft (r) visual c# compiler", "csc"),
    ("visual c# compiler", "csc"),
    ("ossf scorecard", "scorecard"),
];

/// What a result needs to know of its run's tool.
#[derive(Default)]
pub(in crate::parsers) struct Tool {
    name: String,
    components: Vec<Component>,
}

/// The driver, or one of its extensions.
#[derive(Default)]
struct Component {
    name: String,
    rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
}

/// A rule, as far as results refer to it.
#[derive(Clone, Debug, Default)]
pub(in crate::parsers) struct Rule {
    pub id: String,
    /// The level that its results have unless they say otherwise.
    pub level: Option<String>,
    pub title: String,
    pub messages: HashMap<String, String>,
    /// CVSS, as GitHub reads it.
    pub security_severity: Option<f64>,
    pub aliases: Vec<String>,
    /// The versions that an advisory's help names.
    pub fixed: Vec<String>,
}

/// How a result names its rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::parsers) struct Reference {
    pub id: Option<String>,
    pub index: Option<i64>,
    #[serde(rename = "toolComponent")]
    pub component: Option<ComponentReference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::parsers) struct ComponentReference {
    name: Option<String>,
    index: Option<i64>,
}

impl Tool {
    /// The tool that a result is of: an export has the tools as extensions of its own driver.
    pub fn name_for(&self, reference: &Reference) -> &str {
        let component = reference.component.as_ref().and_then(|component| component.index);
        let component = component.and_then(|index| usize::try_from(index).ok()?.checked_add(1));
        let component = component.and_then(|index| self.components.get(index));
        component.filter(|_| self.is_export()).map_or(&self.name, |component| &component.name)
    }

    /// Whether findings were exported so.
    pub fn is_export(&self) -> bool {
        self.name == exported::SELF
    }
}

#[derive(Deserialize)]
struct RawTool<'a> {
    #[serde(borrow)]
    driver: Option<RawComponent<'a>>,
    #[serde(borrow, default)]
    extensions: Option<Vec<RawComponent<'a>>>,
    /// 2.0 had no driver.
    name: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawComponent<'a> {
    #[serde(default)]
    name: String,
    #[serde(borrow, default)]
    rules: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Resources<'a> {
    #[serde(borrow, default)]
    rules: Option<HashMap<String, &'a RawValue>>,
}

#[derive(Deserialize)]
struct RawRule {
    id: Option<String>,
    #[serde(rename = "defaultConfiguration", alias = "configuration")]
    configuration: Option<Configuration>,
    #[serde(rename = "shortDescription")]
    short: Option<Text>,
    #[serde(rename = "messageStrings", default)]
    messages: Option<HashMap<String, Text>>,
    properties: Option<Properties>,
    #[serde(rename = "deprecatedIds", default)]
    deprecated: Option<Vec<String>>,
    help: Option<Text>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(alias = "defaultLevel")]
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Object {
        text: Option<String>,
    },
    /// In 2.0.
    Plain(String),
    Other(serde::de::IgnoredAny),
}

impl Text {
    fn into_string(self) -> Option<String> {
        match self {
            Self::Object { text } => text,
            Self::Plain(text) => Some(text),
            Self::Other(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "security-severity")]
    security_severity: Option<serde_json::Value>,
    tags: Option<serde_json::Value>,
}

impl Tool {
    /// Reads `run.tool`, and the rules of 2.0.
    pub fn read(tool: &RawValue, resources: Option<&RawValue>) -> Option<Self> {
        let raw: RawTool<'_> = serde_json::from_str(tool.get()).ok()?;
        let driver = raw.driver.unwrap_or_else(|| RawComponent { name: raw.name.unwrap_or_default(), rules: None });
        let name = known_name(&driver.name);
        let mut components = vec![Component::read(driver)];
        components.extend(raw.extensions.unwrap_or_default().into_iter().map(Component::read));
        if let Some(old) = resources.and_then(|text| serde_json::from_str::<Resources<'_>>(text.get()).ok()) {
            for (id, rule) in old.rules.unwrap_or_default() {
                components[0].add(Rule::read(rule, Some(id)));
            }
        }
        Some(Self { name, components })
    }

    /// As on the command line.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { "sarif" } else { &self.name }
    }

    /// The rule of a result: by its place, else by its id, of which the last parts may be the result's own.
    pub fn rule(&self, reference: &Reference) -> Option<&Rule> {
        let named = reference.component.as_ref().and_then(|component| {
            let by_index = component.index.and_then(|index| usize::try_from(index).ok());
            // Extensions are counted from 0; the driver has no number.
            by_index.and_then(|index| self.components.get(index + 1)).or_else(|| {
                let name = component.name.as_deref()?;
                self.components.iter().find(|known| known.name == name)
            })
        });
        let index = reference.index.and_then(|index| usize::try_from(index).ok());
        let fits = |rule: &&Rule| reference.id.as_ref().is_none_or(|id| id == &rule.id || id.starts_with(&rule.id));
        if let Some(component) = named.or(self.components.first())
            && let Some(rule) = index.and_then(|index| component.rules.get(index)).filter(fits)
        {
            return Some(rule);
        }
        let mut id = reference.id.as_deref()?;
        loop {
            let mut all = named.into_iter().chain(&self.components);
            if let Some(rule) = all.find_map(|component| component.by_id.get(id).map(|index| &component.rules[*index]))
            {
                return Some(rule);
            }
            id = id.rsplit_once('/')?.0;
        }
    }
}

impl Component {
    fn read(raw: RawComponent<'_>) -> Self {
        let mut component = Self { name: raw.name, ..Self::default() };
        for rule in raw.rules.unwrap_or_default() {
            component.add(Rule::read(rule, None));
        }
        component
    }

    /// One that cannot be read keeps its place: others are counted.
    fn add(&mut self, rule: Rule) {
        self.by_id.entry(rule.id.clone()).or_insert(self.rules.len());
        self.rules.push(rule);
    }
}

impl Rule {
    fn read(raw: &RawValue, id: Option<String>) -> Self {
        let Ok(raw) = serde_json::from_str::<RawRule>(raw.get()) else { return Self::default() };
        let number = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text.trim().parse().ok(),
            value => value.as_f64(),
        };
        let id = raw.id.or(id).unwrap_or_default();
        let (mut aliases, mut fixed) = (Vec::new(), Vec::new());
        let (security_severity, tags) = raw.properties.map_or((None, None), |all| (all.security_severity, all.tags));
        if advisory::leading_id(&id).is_some() {
            let tags = tags.and_then(|tags| serde_json::from_value::<Vec<String>>(tags).ok()).unwrap_or_default();
            aliases = raw.deprecated.unwrap_or_default();
            aliases.extend(tags);
            fixed = advisory::fixed_versions(&raw.help.and_then(Text::into_string).unwrap_or_default());
        }
        let messages = raw.messages.unwrap_or_default().into_iter();
        Self {
            id,
            level: raw.configuration.and_then(|configuration| configuration.level),
            title: one_line(&raw.short.and_then(Text::into_string).unwrap_or_default()),
            messages: messages.filter_map(|(id, text)| Some((id, text.into_string()?))).collect(),
            security_severity: security_severity.and_then(number),
            aliases,
            fixed,
        }
    }
}

fn known_name(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    match NAMES.iter().find(|(known, _)| *known == lower) {
        Some((_, name)) => (*name).to_owned(),
        None => lower,
    }
}
