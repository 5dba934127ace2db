//! What has to be done to a service: one algorithm for all managers of services.

use serde::Deserialize;

/// What shall be of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ServiceState {
    Reloaded,
    Restarted,
    Started,
    Stopped,
}

impl ServiceState {
    /// The word that results have for it: one that was reloaded or restarted is started.
    pub(super) const fn outcome(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            _ => "started",
        }
    }

    /// The word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Reloaded => "reloaded",
            Self::Restarted => "restarted",
            Self::Started => "started",
            Self::Stopped => "stopped",
        }
    }

    /// What has to be done to a service that runs or not.
    pub(super) const fn action(self, is_running: bool, is_stopping: bool) -> Option<&'static str> {
        match (self, is_running) {
            (Self::Started | Self::Reloaded | Self::Restarted, false) => Some("start"),
            (Self::Started, true) => None,
            (Self::Stopped, true) => Some("stop"),
            (Self::Stopped, false) if is_stopping => Some("stop"),
            (Self::Stopped, false) => None,
            (Self::Reloaded, true) => Some("reload"),
            (Self::Restarted, true) => Some("restart"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_does_not_run_is_only_started() {
        for (state, running, stopped) in [
            (ServiceState::Started, None, Some("start")),
            (ServiceState::Stopped, Some("stop"), None),
            (ServiceState::Restarted, Some("restart"), Some("start")),
            (ServiceState::Reloaded, Some("reload"), Some("start")),
        ] {
            assert_eq!(state.action(true, false), running);
            assert_eq!(state.action(false, false), stopped);
        }
        assert_eq!(ServiceState::Stopped.action(false, true), Some("stop"));
    }
}
