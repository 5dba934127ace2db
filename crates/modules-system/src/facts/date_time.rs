//! The host's clock, in its own time zone.

use std::time::{SystemTime, UNIX_EPOCH};

use tz::{DateTime, LocalTimeType, TimeZone, UtcDateTime};

use super::{Facts, Root, insert};

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Half of a year of 365.25 days, in seconds: the step at which zones are looked at for their two names.
const HALF_YEAR: i64 = (365 * 24 + 6) * 3600 / 2;

/// Gathers `date_time`. A zone that cannot be read counts as UTC.
pub(super) fn collect(root: &Root) -> Facts {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    let mut facts = Facts::new();
    if let Some(date_time) = date_time(&zone(root), seconds, now.subsec_micros()) {
        insert(&mut facts, "date_time", date_time);
    }
    facts
}

/// The zone that the `TZ` variable names, else the one of `/etc/localtime`.
fn zone(root: &Root) -> TimeZone {
    let named = std::env::var("TZ")
        .ok()
        .filter(|name| root.is_host() && !name.is_empty());
    named
        .and_then(|name| TimeZone::from_posix_tz(&name).ok())
        .or_else(|| TimeZone::from_tz_data(&root.bytes("/etc/localtime")?).ok())
        .unwrap_or_else(TimeZone::utc)
}

fn date_time(zone: &TimeZone, seconds: i64, micros: u32) -> Option<Facts> {
    let local = DateTime::from_timespec(seconds, micros * 1000, zone.as_ref()).ok()?;
    let utc = UtcDateTime::from_timespec(seconds, micros * 1000).ok()?;
    let kind = local.local_time_type();
    let (month, day) = (local.month(), local.month_day());
    let date = format!("{:04}-{month:02}-{day:02}", local.year());
    let time = format!(
        "{:02}:{:02}:{:02}",
        local.hour(),
        local.minute(),
        local.second()
    );
    let basic = format!("{date}T{time}").replace(['-', ':'], "");
    let iso = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        utc.year(),
        utc.month(),
        utc.month_day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    );
    // Weeks start on Monday; the days before the first Monday are week 0.
    let week = (local.year_day() + 7 - u16::from((local.week_day() + 6) % 7)) / 7;

    let mut facts = Facts::new();
    insert(&mut facts, "year", format!("{:04}", local.year()));
    insert(&mut facts, "month", format!("{month:02}"));
    insert(
        &mut facts,
        "weekday",
        *WEEKDAYS.get(usize::from(local.week_day()))?,
    );
    insert(&mut facts, "weekday_number", local.week_day().to_string());
    insert(&mut facts, "weeknumber", format!("{week:02}"));
    insert(&mut facts, "day", format!("{day:02}"));
    insert(&mut facts, "hour", format!("{:02}", local.hour()));
    insert(&mut facts, "minute", format!("{:02}", local.minute()));
    insert(&mut facts, "second", format!("{:02}", local.second()));
    insert(&mut facts, "epoch", seconds.to_string());
    insert(&mut facts, "epoch_int", seconds.to_string());
    insert(&mut facts, "date", date);
    insert(&mut facts, "time", time);
    insert(&mut facts, "iso8601_micro", format!("{iso}.{micros:06}Z"));
    insert(&mut facts, "iso8601", format!("{iso}Z"));
    insert(&mut facts, "iso8601_basic", format!("{basic}{micros:06}"));
    insert(&mut facts, "iso8601_basic_short", basic);
    insert(&mut facts, "tz", kind.time_zone_designation());
    insert(
        &mut facts,
        "tz_dst",
        summer_name(zone, seconds).unwrap_or(kind.time_zone_designation()),
    );
    insert(&mut facts, "tz_offset", offset(kind));
    Some(facts)
}

/// The zone's name in summer time: of its names at both ends of a half year, the one further east.
///
/// A zone without summer time has one name for both.
fn summer_name(zone: &TimeZone, seconds: i64) -> Option<&str> {
    let new_year = seconds.div_euclid(2 * HALF_YEAR) * 2 * HALF_YEAR;
    let january = zone.find_local_time_type(new_year).ok()?;
    let july = zone.find_local_time_type(new_year + HALF_YEAR).ok()?;
    let summer = if january.ut_offset() > july.ut_offset() {
        january
    } else {
        july
    };
    Some(summer.time_zone_designation())
}

fn offset(kind: &LocalTimeType) -> String {
    let sign = if kind.ut_offset() < 0 { '-' } else { '+' };
    let minutes = kind.ut_offset().unsigned_abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_in_berlin_is_written_in_all_forms() {
        let zone = TimeZone::from_posix_tz("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let facts = date_time(&zone, 1_795_265_546, 632_308).unwrap();
        let expected = [
            ("date", "2026-11-21"),
            ("time", "13:52:26"),
            ("iso8601", "2026-11-21T12:52:26Z"),
            ("iso8601_micro", "2026-11-21T12:52:26.632308Z"),
            ("iso8601_basic", "20261121T135226632308"),
            ("iso8601_basic_short", "20261121T135226"),
            ("tz", "CET"),
            ("tz_dst", "CEST"),
            ("tz_offset", "+0100"),
            ("weekday", "Saturday"),
            ("weekday_number", "6"),
            ("weeknumber", "46"),
            ("epoch", "1795265546"),
        ];
        for (key, value) in expected {
            assert_eq!(facts[key], value, "{key}");
        }
    }

    #[test]
    fn the_south_has_its_summer_in_january() {
        let zone = TimeZone::from_posix_tz("NZST-12NZDT,M9.5.0,M4.1.0/3").unwrap();
        assert_eq!(summer_name(&zone, 1_795_265_546), Some("NZDT"));
        let zone = TimeZone::from_posix_tz("<-0330>3:30").unwrap();
        let facts = date_time(&zone, 0, 0).unwrap();
        assert_eq!(
            (&facts["tz_offset"], &facts["tz_dst"]),
            (&"-0330".into(), &"-0330".into())
        );
    }

    proptest! {
        #[test]
        fn any_moment_is_survived(seconds in any::<i64>(), micros in 0..1_000_000_u32) {
            date_time(&TimeZone::utc(), seconds, micros);
        }
    }
}
