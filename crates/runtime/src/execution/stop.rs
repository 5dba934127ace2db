//! When a slice of hosts, a play or the run stops because of failures.
//!
//! | situation | the slice | later slices | later plays |
//! |---|---|---|---|
//! | some hosts of a slice failed | the others go on | run | run, without the failed |
//! | all hosts of a slice failed | has ended | do not run | do not run |
//! | more than `max_fail_percentage` failed | ends after the task | do not run | do not run |
//! | `any_errors_fatal`, or a `run_once` task failed | ends after the task | do not run | do not run |
//! | `Rolling`, and a host of the slice failed | the others go on | do not run | run, without the failed |
//!
//! With `--continue-on-error` later slices and plays run in every case.

/// What is known when a slice has ended, or a task of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Losses {
    /// Hosts of the slice.
    pub(crate) hosts: usize,
    /// Those that failed or were unreachable.
    pub(crate) lost: usize,
    /// Whether a failure was fatal for all.
    pub(crate) is_fatal: bool,
    /// `max_fail_percentage`.
    pub(crate) max_fail_percentage: Option<f64>,
    /// Whether the strategy is rolling.
    pub(crate) is_rolling: bool,
    /// `--continue-on-error`.
    pub(crate) continues: bool,
}

/// What does not run because of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Everything runs.
    Nothing,
    /// Later slices of the play.
    LaterSlices(&'static str),
    /// Later slices and plays.
    Everything(&'static str),
}

impl Losses {
    /// Why the slice ends before its last task, if it does.
    pub(crate) fn ends_slice(&self) -> Option<&'static str> {
        if self.is_fatal && self.lost > 0 {
            return Some("a failure was fatal for all hosts");
        }
        self.exceeds_percentage()
            .then_some("more hosts failed than max_fail_percentage allows")
    }

    /// What does not run after the slice.
    pub(crate) fn after_slice(&self) -> Stop {
        if self.continues {
            return Stop::Nothing;
        }
        match self.ends_slice() {
            Some(reason) => Stop::Everything(reason),
            None if self.lost > 0 && self.lost == self.hosts => {
                Stop::Everything("no hosts are left")
            }
            None if self.lost > 0 && self.is_rolling => {
                Stop::LaterSlices("a host of this rolling batch failed")
            }
            None => Stop::Nothing,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "shares of a number of hosts")]
    fn exceeds_percentage(&self) -> bool {
        self.lost > 0
            && self
                .max_fail_percentage
                .is_some_and(|allowed| self.lost as f64 * 100.0 > allowed * self.hosts as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds() {
        let some = Losses {
            hosts: 4,
            lost: 1,
            ..Losses::default()
        };
        assert_eq!(
            (some.ends_slice(), some.after_slice()),
            (None, Stop::Nothing)
        );
        let all = Losses { lost: 4, ..some };
        assert_eq!(
            (all.ends_slice(), all.after_slice()),
            (None, Stop::Everything("no hosts are left"))
        );
        let percentage = Losses {
            max_fail_percentage: Some(24.0),
            ..some
        };
        assert!(
            percentage.ends_slice().is_some()
                && matches!(percentage.after_slice(), Stop::Everything(_))
        );
        let exactly = Losses {
            max_fail_percentage: Some(25.0),
            ..some
        };
        assert_eq!(
            (exactly.ends_slice(), exactly.after_slice()),
            (None, Stop::Nothing)
        );
        let fatal = Losses {
            is_fatal: true,
            ..some
        };
        assert!(fatal.ends_slice().is_some() && matches!(fatal.after_slice(), Stop::Everything(_)));
        let rolling = Losses {
            is_rolling: true,
            ..some
        };
        assert!(matches!(rolling.after_slice(), Stop::LaterSlices(_)));
        for continued in [all, percentage, fatal, rolling] {
            assert_eq!(
                Losses {
                    continues: true,
                    ..continued
                }
                .after_slice(),
                Stop::Nothing
            );
        }
    }

    fn losses() -> impl proptest::strategy::Strategy<Value = Losses> {
        use proptest::prelude::*;
        (
            1usize..20,
            0usize..20,
            any::<bool>(),
            0.0f64..120.0,
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(
                |(hosts, lost, is_fatal, percentage, is_rolling, continues)| Losses {
                    hosts,
                    lost: lost.min(hosts),
                    is_fatal,
                    max_fail_percentage: (percentage <= 100.0).then_some(percentage),
                    is_rolling,
                    continues,
                },
            )
    }

    fn severity(stop: Stop) -> u8 {
        match stop {
            Stop::Nothing => 0,
            Stop::LaterSlices(_) => 1,
            Stop::Everything(_) => 2,
        }
    }

    proptest::proptest! {
        #[test]
        fn who_loses_no_host_runs_on(losses in losses()) {
            let none = Losses { lost: 0, ..losses };
            assert_eq!((none.ends_slice(), none.after_slice()), (None, Stop::Nothing));
        }

        #[test]
        fn who_continues_runs_on(losses in losses()) {
            let continued = Losses { continues: true, ..losses };
            assert_eq!(continued.after_slice(), Stop::Nothing);
        }

        #[test]
        fn more_losses_never_let_more_run(losses in losses()) {
            let more = Losses { lost: (losses.lost + 1).min(losses.hosts), ..losses };
            assert!(severity(more.after_slice()) >= severity(losses.after_slice()));
        }

        #[test]
        fn without_hosts_nothing_runs(losses in losses()) {
            let all = Losses { lost: losses.hosts, continues: false, ..losses };
            assert_eq!(severity(all.after_slice()), 2);
        }

        #[test]
        fn what_ends_a_slice_early_ends_everything(losses in losses()) {
            if losses.ends_slice().is_some() && !losses.continues {
                assert_eq!(severity(losses.after_slice()), 2);
            }
        }
    }
}
