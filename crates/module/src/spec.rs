//! Argument specifications: what a module's options are, as data.

/// What a module takes and supports. Built as a `const` with the methods below.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The short name, as in `copy`; collections other than `ansible.builtin` are written out.
    pub name: &'static str,
    /// The module's own options.
    pub options: &'static [Opt],
    /// Whether the options of every module that writes a file (`mode`, `owner`, …) are added to them.
    pub file_common: bool,
    /// Rules over several options.
    pub constraints: &'static [Constraint],
    /// What the module does in check mode.
    pub check_mode: CheckSupport,
    /// Whether free text is accepted in place of options (`_raw_params`).
    pub free_form: bool,
    /// Whether options of any other name are accepted too, as in `set_fact`.
    pub any_option: bool,
}

/// What a module does in check mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckSupport {
    /// It tells what would change.
    Full,
    /// It cannot tell, and is skipped.
    None,
    /// As `None`, with the words that Ansible has for what has a half on the controller.
    NoneOfAction,
}

impl Spec {
    /// A specification with `options`, full check mode support and no constraints.
    #[must_use]
    pub const fn new(name: &'static str, options: &'static [Opt]) -> Self {
        Self {
            name,
            options,
            file_common: false,
            constraints: &[],
            check_mode: CheckSupport::Full,
            free_form: false,
            any_option: false,
        }
    }

    /// Adds the options that every module which writes a file has: `mode`, `owner`, `group`, ….
    #[must_use]
    pub const fn file_common(mut self) -> Self {
        self.file_common = true;
        self
    }

    /// Sets the rules over several options.
    #[must_use]
    pub const fn constraints(mut self, constraints: &'static [Constraint]) -> Self {
        self.constraints = constraints;
        self
    }

    /// Sets what happens in check mode.
    #[must_use]
    pub const fn check_mode(mut self, support: CheckSupport) -> Self {
        self.check_mode = support;
        self
    }

    /// Accepts free text as `_raw_params`.
    #[must_use]
    pub const fn free_form(mut self) -> Self {
        self.free_form = true;
        self
    }

    /// Accepts options of any name.
    #[must_use]
    pub const fn any_option(mut self) -> Self {
        self.any_option = true;
        self
    }

    /// The name with its collection: `ansible.builtin.copy`.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        if self.name.contains('.') {
            self.name.into()
        } else {
            format!("ansible.builtin.{}", self.name)
        }
    }

    /// All options, the common ones included. An option of the module's own hides a common one of its name.
    pub fn all_options(&self) -> impl Iterator<Item = &'static Opt> {
        let own = self.options;
        let common: &'static [Opt] = if self.file_common { FILE_COMMON } else { &[] };
        own.iter().chain(
            common
                .iter()
                .filter(|c| !own.iter().any(|o| o.name == c.name)),
        )
    }

    /// The option called `name`, by its name or an alias.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'static Opt> {
        self.all_options()
            .find(|o| o.name == name || o.aliases.contains(&name))
    }

    /// The valid name or alias nearest to `name`, if one is near enough to be what was meant.
    #[must_use]
    pub fn nearest_option(&self, name: &str) -> Option<&'static str> {
        self.all_options()
            .filter(|o| !o.internal)
            .flat_map(|o| std::iter::once(o.name).chain(o.aliases.iter().copied()))
            .filter(|candidate| !candidate.starts_with('_'))
            .map(|candidate| (strsim::damerau_levenshtein(candidate, name), candidate))
            .filter(|(distance, candidate)| {
                *distance <= (candidate.len().max(name.len()) / 3).max(1)
            })
            .min()
            .map(|(_, candidate)| candidate)
    }
}

/// One option of a module.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// The value it has when it is not given.
    pub default: Default,
    /// The only values accepted, if any are listed.
    pub choices: &'static [&'static str],
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// Whether it has to be given.
    pub required: bool,
    /// Whether its value is a secret.
    pub no_log: bool,
    /// The options of a dict (or of the dicts of a list), where they are fixed.
    pub suboptions: &'static [Self],
    /// Rules over several of those options.
    pub constraints: &'static [Constraint],
    /// Whether only our controller sends it: plans cannot, and messages do not name it.
    pub internal: bool,
}

impl Opt {
    /// An optional option of type `kind`.
    #[must_use]
    pub const fn new(name: &'static str, kind: Type) -> Self {
        Self {
            name,
            kind,
            default: Default::None,
            choices: &[],
            aliases: &[],
            required: false,
            no_log: false,
            suboptions: &[],
            constraints: &[],
            internal: false,
        }
    }

    /// Makes it required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets its default.
    #[must_use]
    pub const fn default(mut self, default: Default) -> Self {
        self.default = default;
        self
    }

    /// Sets the accepted values.
    #[must_use]
    pub const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    /// Sets its other names.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Marks its value as a secret: it is masked in whatever the module returns.
    #[must_use]
    pub const fn no_log(mut self) -> Self {
        self.no_log = true;
        self
    }

    /// Marks it as one that only our controller sends, which Ansible's module does not have.
    #[must_use]
    pub const fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    /// Sets the options of the dict (or of the dicts of the list).
    #[must_use]
    pub const fn suboptions(mut self, suboptions: &'static [Self]) -> Self {
        self.suboptions = suboptions;
        self
    }

    /// Sets the rules over several options of the dict (or of the dicts of the list).
    #[must_use]
    pub const fn constraints(mut self, constraints: &'static [Constraint]) -> Self {
        self.constraints = constraints;
        self
    }
}

/// The type of an option, in Ansible's terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// Text; anything else becomes its Python text.
    Str,
    /// A truth value, or one of its many words.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Text that names a file: `~` and `$VAR` are expanded.
    Path,
    /// Whatever was given.
    Raw,
    /// A mapping; JSON text and `k=v, k2=v2` are read as one.
    Dict,
    /// A list of elements of a type; a string is split at commas, a scalar is a list of one.
    List(&'static Self),
}

/// The value an option has when it is not given.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// No value.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text.
    Str(&'static str),
    /// A list of texts.
    List(&'static [&'static str]),
    /// A list of whole numbers.
    Ints(&'static [i64]),
    /// An empty mapping.
    Dict,
}

/// A rule over several options.
#[derive(Clone, Copy, Debug)]
pub enum Constraint {
    /// At most one of them may be given.
    MutuallyExclusive(&'static [&'static str]),
    /// If one is given, all have to be.
    RequiredTogether(&'static [&'static str]),
    /// At least one has to be given.
    RequiredOneOf(&'static [&'static str]),
    /// Where `option` is `value`, all of (or, with `any`, one of) `required` have to be given.
    RequiredIf {
        /// The option that decides.
        option: &'static str,
        /// Its value, as text (`True` for a true bool).
        value: &'static str,
        /// What is required then.
        required: &'static [&'static str],
        /// Whether one of them is enough.
        any: bool,
    },
    /// Where `option` is given, all of `required` have to be.
    RequiredBy {
        /// The option that decides.
        option: &'static str,
        /// What is required then.
        required: &'static [&'static str],
    },
}

/// The options that every module which writes a file has.
pub(crate) const FILE_COMMON: &[Opt] = &[
    Opt::new("mode", Type::Raw),
    Opt::new("owner", Type::Str),
    Opt::new("group", Type::Str),
    Opt::new("seuser", Type::Str),
    Opt::new("serole", Type::Str),
    Opt::new("selevel", Type::Str),
    Opt::new("setype", Type::Str),
    Opt::new("attributes", Type::Str).aliases(&["attr"]),
    Opt::new("unsafe_writes", Type::Bool).default(Default::Bool(false)),
];
