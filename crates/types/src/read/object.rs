//! Objects of known fields, each field defined once.

use crate::Object;
use crate::read::Reader;

/// A group of fields: an object of its own, or a part of one.
pub(crate) trait ReadFields: Sized {
    /// Adds the names of the fields.
    fn field_names(names: &mut Vec<&'static str>);

    /// Takes the fields out of `object`; what is left belongs to others.
    fn take_fields(object: &mut Object, at: &mut Reader) -> Self;
}

/// What no other field took: kept, and warned of.
impl ReadFields for Object {
    fn field_names(_names: &mut Vec<&'static str>) {}

    fn take_fields(object: &mut Object, at: &mut Reader) -> Self {
        let mut rest = std::mem::take(object);
        rest.retain(|_, value| !value.is_null());
        at.unknown_fields(rest.keys());
        rest
    }
}

/// Whether a field need not be written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Defines a struct with its reader, the list of its fields, its serde writer and its JSON Schema.
///
/// The fields of `required` must be there and are always written. `field: Type = "key" | "synonym"` reads `key` or `synonym` and writes `key`; without `= …` the key is the field's
/// name. Missing and null give the default, and the default is not written. The parts of `flatten` read from the same
/// object, in their order; an `Object` there takes whatever is left. `prepare` names a function that may rewrite the
/// object first.
macro_rules! plan_object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident ($noun:literal $(, prepare = $prepare:path)?) {
            $( $(#[$field_meta:meta])* $field:ident : $type:ty $(= $key:literal $(| $alias:literal)*)? , )*
        }
        $(required { $( $(#[$required_meta:meta])* $required:ident : $required_type:ty , )* })?
        $(flatten { $( $(#[$flat_meta:meta])* $flat:ident : $flat_type:ty , )* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
        pub struct $name {
            $($(
                $(#[$required_meta])*
                pub $required: $required_type,
            )*)?
            $(
                $(#[$field_meta])*
                $(#[serde(rename = $key)])?
                #[serde(default, skip_serializing_if = "crate::read::is_default")]
                pub $field: $type,
            )*
            $($(
                $(#[$flat_meta])*
                #[serde(flatten)]
                pub $flat: $flat_type,
            )*)?
        }

        impl $crate::read::ReadFields for $name {
            fn field_names(names: &mut Vec<&'static str>) {
                $( names.extend_from_slice(&[$(stringify!($required)),*]); )?
                $( names.extend_from_slice($crate::read::plan_keys!($field $(, $key $(, $alias)*)?)); )*
                $($( <$flat_type as $crate::read::ReadFields>::field_names(names); )*)?
            }

            fn take_fields(object: &mut $crate::Object, at: &mut $crate::read::Reader) -> Self {
                $( $prepare(object, at); )?
                Self {
                    $($( $required: at.required(object, stringify!($required)), )*)?
                    $( $field: at.field(object, $crate::read::plan_keys!($field $(, $key $(, $alias)*)?)), )*
                    $($( $flat: <$flat_type as $crate::read::ReadFields>::take_fields(object, at), )*)?
                }
            }
        }

        impl $crate::read::Read for $name {
            fn read(value: serde_json::Value, at: &mut $crate::read::Reader) -> Option<Self> {
                at.object(value, $noun)
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

/// The keys of a field: its own name, or the ones given.
macro_rules! plan_keys {
    ($field:ident) => {
        &[stringify!($field)]
    };
    ($field:ident $(, $key:literal)+) => {
        &[$($key),+]
    };
}
pub(crate) use {plan_keys, plan_object};
