//! One setting out of several that have a say, and a list of who won.

use std::fmt;

use super::shown::Shown;

/// Who set a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Option,
    Environment(&'static str),
    File,
    Plan,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("command line"),
            Self::Environment(name) => f.write_str(name),
            Self::File => f.write_str("configuration file"),
            Self::Plan => f.write_str("plan"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting as it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// The option's name, or what it would be called.
    pub(crate) name: &'static str,
    /// Its value, as it is shown.
    pub(crate) value: String,
    /// Who set it.
    pub(crate) origin: Origin,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({})", self.name, self.value, self.origin)
    }
}

/// The choices that were made so far.
#[derive(Default)]
pub(super) struct Choices(Vec<Chosen>);

impl Choices {
    /// Begins a choice with an option that takes a value.
    pub(super) fn option<T>(&mut self, value: Option<T>) -> Choice<'_, T> {
        self.begin(Origin::Option, value)
    }

    /// Begins a choice with an option that is there or not.
    pub(super) fn flag(&mut self, is_given: bool) -> Choice<'_, bool> {
        self.begin(Origin::Option, is_given.then_some(true))
    }

    /// Begins a choice with an environment variable.
    pub(super) fn environment<T>(&mut self, name: &'static str, value: Option<T>) -> Choice<'_, T> {
        self.begin(Origin::Environment(name), value)
    }

    /// Begins a choice with the configuration file.
    pub(super) fn file<T>(&mut self, value: Option<T>) -> Choice<'_, T> {
        self.begin(Origin::File, value)
    }

    /// What was chosen, in order.
    pub(super) fn into_list(self) -> Vec<Chosen> {
        self.0
    }

    fn begin<T>(&mut self, origin: Origin, value: Option<T>) -> Choice<'_, T> {
        Choice {
            made: &mut self.0,
            value: value.map(|value| (value, origin)),
        }
    }
}

/// A choice that is being made: who is asked first wins.
pub(super) struct Choice<'c, T> {
    made: &'c mut Vec<Chosen>,
    value: Option<(T, Origin)>,
}

impl<T> Choice<'_, T> {
    /// Asks an environment variable.
    pub(super) fn environment(self, name: &'static str, value: Option<T>) -> Self {
        self.ask(Origin::Environment(name), value)
    }

    /// Asks the configuration file.
    pub(super) fn file(self, value: Option<T>) -> Self {
        self.ask(Origin::File, value)
    }

    /// Asks the plan.
    pub(super) fn plan(self, value: Option<T>) -> Self {
        self.ask(Origin::Plan, value)
    }

    /// Ends the choice, with a default, and notes it under a name.
    pub(super) fn or(self, name: &'static str, default: T) -> T
    where
        T: Shown,
    {
        let (value, origin) = self.value.unwrap_or((default, Origin::Default));
        self.made.push(Chosen {
            name,
            value: value.shown(),
            origin,
        });
        value
    }

    fn ask(mut self, origin: Origin, value: Option<T>) -> Self {
        if self.value.is_none() {
            self.value = value.map(|value| (value, origin));
        }
        self
    }
}
