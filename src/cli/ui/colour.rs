//! Colours: whether to use them, and which.
//!
//! `--color`, then <https://no-color.org>, then <https://bixense.com/clicolors/>, then whether it is a terminal.

use std::ffi::OsString;

use clap::builder::styling::{AnsiColor, Style};

use super::super::args::ColorWhen;

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// It went badly.
    Bad,
    /// It should be looked at.
    Warn,
    /// It is under way.
    Busy,
    /// It matters less.
    Dim,
    /// It matters more.
    Strong,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Busy => AnsiColor::Cyan.on_default(),
            Self::Dim => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
        }
    }
}

/// Whether a stream gets colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    /// For a stream, from the flag and the environment.
    pub fn choose(when: ColorWhen, terminal: bool) -> Self {
        Self::layered(when, terminal, |name| std::env::var_os(name))
    }

    fn layered(when: ColorWhen, terminal: bool, env: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| env(name).filter(|value| !value.is_empty());
        Self(match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto if set("NO_COLOR").is_some() => false,
            ColorWhen::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorWhen::Auto => terminal && set("CLICOLOR").is_none_or(|value| value != "0"),
        })
    }

    /// The text in its tone, or as it is.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if self.0 {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_over_the_environment_over_the_terminal() {
        let choose = |when, terminal, pairs: &[(&str, &str)]| {
            Paint::layered(when, terminal, |name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            })
            .0
        };
        assert!(choose(ColorWhen::Auto, true, &[]));
        assert!(!choose(ColorWhen::Auto, false, &[]));
        assert!(!choose(ColorWhen::Auto, true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
        assert!(choose(ColorWhen::Auto, true, &[("NO_COLOR", "")]));
        assert!(choose(ColorWhen::Auto, false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!choose(ColorWhen::Auto, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(choose(ColorWhen::Always, false, &[("NO_COLOR", "1")]));
        assert!(!choose(ColorWhen::Never, true, &[("CLICOLOR_FORCE", "1")]));
    }
}
