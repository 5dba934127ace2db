//! Access and modification times: as tasks write them, and setting them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::format::{Parsed, StrftimeItems, parse};
use chrono::{Local, NaiveDateTime, TimeZone};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use rustle_module::Failure;

use super::FileState;
use crate::attributes::Pass;
use crate::diff::BeforeAfter;
use crate::os_error::describe;

/// A moment, in seconds and nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Moment {
    seconds: i64,
    nanos: i64,
}

impl Moment {
    #[expect(
        clippy::cast_precision_loss,
        reason = "results carry times as Python floats"
    )]
    fn as_float(self) -> f64 {
        self.seconds as f64 + self.nanos as f64 / 1e9
    }

    fn now() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            seconds: i64::try_from(now.as_secs()).unwrap_or_default(),
            nanos: now.subsec_nanos().into(),
        }
    }

    const fn as_timespec(self) -> Timespec {
        Timespec {
            tv_sec: self.seconds,
            tv_nsec: self.nanos,
        }
    }
}

/// What one of the two times shall be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Time {
    Preserve,
    Now,
    At(Moment),
}

/// What the times of a file shall be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Times {
    modification: Time,
    access: Time,
}

impl Times {
    /// Times that stay as they are.
    pub(crate) const PRESERVE: Self = Self {
        modification: Time::Preserve,
        access: Time::Preserve,
    };

    /// Reads a modification and an access time, each with its format: `preserve`, `now`, or text of that format.
    ///
    /// Without one, `touch` means now and any other state means to keep it.
    ///
    /// # Errors
    /// When a text does not match its format.
    pub(super) fn read(
        modification: (Option<&str>, &str),
        access: (Option<&str>, &str),
        state: FileState,
    ) -> Result<Self, Failure> {
        Ok(Self {
            modification: read_time(modification, state)?,
            access: read_time(access, state)?,
        })
    }

    /// Compares the times of what `path` leads to with these and, in [`Pass::Set`], sets them.
    ///
    /// # Errors
    /// When there is nothing at the path or the kernel refuses.
    pub(crate) fn settle(
        &self,
        path: &str,
        pass: Pass,
        diff: &mut BeforeAfter,
    ) -> Result<bool, Failure> {
        if *self == Self::PRESERVE {
            return Ok(false);
        }
        let failed = |error: std::io::Error| {
            let text = describe(&error, path);
            let msg = format!("Error while updating modification or access time: {text}");
            Failure::new(msg).with("path", path)
        };
        let metadata = fs::metadata(path).map_err(failed)?;
        let before = [
            Moment {
                seconds: metadata.mtime(),
                nanos: metadata.mtime_nsec(),
            },
            Moment {
                seconds: metadata.atime(),
                nanos: metadata.atime_nsec(),
            },
        ];
        let after = [
            self.modification.from(before[0]),
            self.access.from(before[1]),
        ];
        if before == after {
            return Ok(false);
        }
        for (key, (before, after)) in ["mtime", "atime"]
            .into_iter()
            .zip(before.into_iter().zip(after))
        {
            if before != after {
                diff.set(key, before.as_float(), after.as_float());
            }
        }
        if pass == Pass::Set {
            self.set(path, after).map_err(failed)?;
        }
        Ok(true)
    }

    fn set(&self, path: &str, [modification, access]: [Moment; 2]) -> std::io::Result<()> {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        };
        let both_now = self.modification == Time::Now && self.access == Time::Now;
        let times = if both_now {
            // Allowed to all who may write, not only to the owner.
            Timestamps {
                last_access: now,
                last_modification: now,
            }
        } else {
            Timestamps {
                last_access: access.as_timespec(),
                last_modification: modification.as_timespec(),
            }
        };
        Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())?)
    }
}

impl Time {
    fn from(self, present: Moment) -> Moment {
        match self {
            Self::Preserve => present,
            Self::Now => Moment::now(),
            Self::At(moment) => moment,
        }
    }
}

fn read_time((text, format): (Option<&str>, &str), state: FileState) -> Result<Time, Failure> {
    match text {
        None if state == FileState::Touch => Ok(Time::Now),
        None | Some("preserve") => Ok(Time::Preserve),
        Some("now") => Ok(Time::Now),
        Some(text) => {
            let moment = read_moment(text, format).ok_or_else(|| {
                Failure::new(format!(
                    "Error while obtaining timestamp for time {text} using format {format}: time data '{text}' does not match format '{format}'"
                ))
            })?;
            Ok(Time::At(moment))
        }
    }
}

/// Reads a time of the host's zone. What the format has no field for is as in Python: 1900, January, the first, midnight.
fn read_moment(text: &str, format: &str) -> Option<Moment> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    if let Some(seconds) = parsed.timestamp() {
        return Some(Moment { seconds, nanos: 0 });
    }
    fill_date(&mut parsed)?;
    fill_time(&mut parsed)?;
    let time = NaiveDateTime::new(parsed.to_naive_date().ok()?, parsed.to_naive_time().ok()?);
    let seconds = match parsed.to_fixed_offset() {
        Ok(offset) => offset.from_local_datetime(&time).earliest()?.timestamp(),
        Err(_) => Local.from_local_datetime(&time).earliest()?.timestamp(),
    };
    Some(Moment { seconds, nanos: 0 })
}

fn fill_date(parsed: &mut Parsed) -> Option<()> {
    if parsed.to_naive_date().is_ok() {
        return Some(());
    }
    if parsed.year().is_none() && parsed.year_mod_100().is_none() {
        parsed.set_year(1900).ok()?;
    }
    if parsed.ordinal().is_none() {
        if parsed.month().is_none() {
            parsed.set_month(1).ok()?;
        }
        if parsed.day().is_none() {
            parsed.set_day(1).ok()?;
        }
    }
    Some(())
}

fn fill_time(parsed: &mut Parsed) -> Option<()> {
    if parsed.hour_mod_12().is_none() {
        parsed.set_hour(0).ok()?;
    } else if parsed.hour_div_12().is_none() {
        parsed.set_ampm(false).ok()?;
    }
    if parsed.minute().is_none() {
        parsed.set_minute(0).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_their_format() {
        let utc = |text: &str, format: &str| {
            read_moment(&format!("{text} +0000"), &format!("{format} %z"))
        };
        for (text, format, seconds) in [
            ("202001020304.05", "%Y%m%d%H%M.%S", 1_577_934_245),
            ("2020-01-02", "%Y-%m-%d", 1_577_923_200),
            (
                "02 Jan 2020 03:04:05 PM",
                "%d %b %Y %I:%M:%S %p",
                1_577_977_445,
            ),
        ] {
            assert_eq!(
                utc(text, format),
                Some(Moment { seconds, nanos: 0 }),
                "{text}"
            );
        }
        assert_eq!(read_moment("yesterday", "%Y"), None);
        assert_eq!(
            read_moment("1577934245", "%s").map(|m| m.seconds),
            Some(1_577_934_245)
        );
    }
}
