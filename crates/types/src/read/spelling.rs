//! Words that are written in several ways, and words that are nearly right.

/// Whether two names are the same but for case, dashes, underscores and spaces.
pub(crate) fn same_spelling(one: &str, other: &str) -> bool {
    let bare = |text: &str| -> Vec<char> {
        text.chars()
            .filter(|c| !matches!(c, '-' | '_' | ' '))
            .flat_map(char::to_lowercase)
            .collect()
    };
    bare(one) == bare(other)
}

/// The one of `known` that `word` was probably meant to be.
#[must_use]
pub fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    known
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= limit && *name != word)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Defines an enum of plain words that is read in any spelling and written in one.
macro_rules! plan_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident ($noun:literal) {
            $( $(#[$variant_meta:meta])* $variant:ident = $written:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
        pub enum $name {
            $( $(#[$variant_meta])* #[serde(rename = $written)] $variant, )*
        }

        impl $crate::read::Read for $name {
            fn read(value: serde_json::Value, at: &mut $crate::read::Reader) -> Option<Self> {
                const NAMES: &[(&str, $name)] = &[$( ($written, $name::$variant), )*];
                let found = value.as_str().and_then(|text| {
                    NAMES.iter().find(|(name, _)| $crate::read::same_spelling(name, text))
                });
                if found.is_none() {
                    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                    at.expected(&format!("{} ({})", $noun, names.join(", ")), &value);
                }
                found.map(|(_, read)| *read)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let value = <serde_json::Value as serde::Deserialize>::deserialize(from)?;
                $crate::read::read_value(value).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use plan_enum;
