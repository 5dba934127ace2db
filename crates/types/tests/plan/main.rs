//! What plans are read, what is said of those that are not, and what other tools are told of them.

#[cfg(test)]
mod files;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod setup;
