//! Whether text is coloured.

use std::fmt;
use std::str::FromStr;

use crate::UnknownChoice;

/// When text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal that can, unless `NO_COLOR` asks otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What decides about colour besides the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalTraits {
    /// Whether it is a terminal at all.
    pub is_terminal: bool,
    /// Whether it can do no more than write lines (`TERM=dumb`).
    pub is_dumb: bool,
    /// Whether the user wants no colours (`NO_COLOR` is set and not empty).
    pub no_color: bool,
}

impl TerminalTraits {
    /// Reads `TERM` and `NO_COLOR`.
    #[must_use]
    pub fn read(is_terminal: bool) -> Self {
        Self {
            is_terminal,
            is_dumb: std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }
}

impl ColorChoice {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// Whether text for such a terminal is coloured.
    #[must_use]
    pub fn is_colored(self, terminal: TerminalTraits) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal.is_terminal && !terminal.is_dumb && !terminal.no_color,
        }
    }

    /// The choice as the command line writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl fmt::Display for ColorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ColorChoice {
    type Err = UnknownChoice;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let choice = Self::ALL.into_iter().find(|choice| choice.name() == given);
        choice.ok_or_else(|| UnknownChoice {
            what: "color choice",
            given: given.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABLE: TerminalTraits = TerminalTraits {
        is_terminal: true,
        is_dumb: false,
        no_color: false,
    };

    #[test]
    fn auto_colors_a_terminal_that_can_and_whose_user_likes_it() {
        assert!(ColorChoice::Auto.is_colored(ABLE));
        for unable in [
            TerminalTraits {
                is_terminal: false,
                ..ABLE
            },
            TerminalTraits {
                is_dumb: true,
                ..ABLE
            },
            TerminalTraits {
                no_color: true,
                ..ABLE
            },
        ] {
            assert!(!ColorChoice::Auto.is_colored(unable), "{unable:?}");
            assert!(ColorChoice::Always.is_colored(unable), "{unable:?}");
        }
        assert!(!ColorChoice::Never.is_colored(ABLE));
    }

    #[test]
    fn names_parse_back() {
        for choice in ColorChoice::ALL {
            assert_eq!(choice.name().parse(), Ok(choice));
        }
        let unknown = "purple".parse::<ColorChoice>().unwrap_err();
        assert_eq!(unknown.to_string(), "unknown color choice `purple`");
    }
}
