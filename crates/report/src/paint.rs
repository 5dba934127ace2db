//! Colours, by meaning.

use console::Style;

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tone {
    Heading,
    Good,
    Changed,
    Skipped,
    Bad,
    Lost,
    Warning,
    Quiet,
}

/// Colours text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) is_on: bool,
}

impl Paint {
    /// Colours text that is safe to show.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.is_on || text.is_empty() {
            return text.to_owned();
        }
        let style = Style::new().force_styling(true);
        let style = match tone {
            Tone::Heading => style.bold(),
            Tone::Good => style.green(),
            Tone::Changed => style.yellow(),
            Tone::Skipped => style.cyan(),
            Tone::Bad => style.red().bold(),
            Tone::Lost => style.magenta().bold(),
            Tone::Warning => style.yellow().bold(),
            Tone::Quiet => style.dim(),
        };
        style.apply_to(text).to_string()
    }
}
