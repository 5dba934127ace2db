//! Why facts could not be gathered at all.

/// Says why nothing was gathered. A single fact that cannot be read is left out instead.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// An entry of `gather_subset` names nothing that can be gathered.
    #[error("bad subset `{name}`: gather_subset takes {}, each also with `!` in front", super::subset::names().join(", "))]
    UnknownSubset {
        /// The entry, without its `!`.
        name: String,
    },
}
