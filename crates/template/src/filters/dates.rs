//! Points in time and the spans between them.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use chrono::{DateTime, Datelike, Local, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::arguments::{Arguments, add_all, text};
use crate::error::invalid;

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[("to_datetime", to_datetime), ("strftime", strftime)],
    );
}

/// A date and time without a zone, as Python's `datetime`.
#[derive(Debug)]
pub(crate) struct Moment(pub(crate) NaiveDateTime);

/// The time between two moments, as Python's `timedelta`.
#[derive(Debug)]
struct Span(TimeDelta);

impl Moment {
    /// As JSON and `isoformat()` write it.
    pub(crate) fn iso(&self) -> String {
        written(
            &self.0,
            if self.0.nanosecond() == 0 {
                "%Y-%m-%dT%H:%M:%S"
            } else {
                "%Y-%m-%dT%H:%M:%S.%6f"
            },
        )
        .unwrap_or_default()
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "year" => Value::from(self.0.year()),
            "month" => Value::from(self.0.month()),
            "day" => Value::from(self.0.day()),
            "hour" => Value::from(self.0.hour()),
            "minute" => Value::from(self.0.minute()),
            "second" => Value::from(self.0.second()),
            "microsecond" => Value::from(self.0.nanosecond() / 1000),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "strftime" => {
                written(&self.0, &Arguments::new(args)?.text_or(0, "format", "%c")).map(Value::from)
            }
            "isoformat" => Ok(Value::from(self.iso())),
            "timestamp" => Ok(Value::from(seconds(self.0.and_utc().timestamp_micros()))),
            "weekday" => Ok(Value::from(self.0.weekday().num_days_from_monday())),
            "isoweekday" => Ok(Value::from(self.0.weekday().number_from_monday())),
            "date" => Ok(Value::from(self.0.date().to_string())),
            "time" => Ok(Value::from(self.0.time().to_string())),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(
        self: &Arc<Self>,
        other: &minijinja::value::DynObject,
    ) -> Option<std::cmp::Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso().replace('T', " "))
    }
}

impl Object for Span {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let micros = self.0.num_microseconds()?;
        let day = 86_400_000_000;
        Some(match key.as_str()? {
            "days" => Value::from(micros.div_euclid(day)),
            "seconds" => Value::from(micros.rem_euclid(day) / 1_000_000),
            "microseconds" => Value::from(micros.rem_euclid(1_000_000)),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "total_seconds" => Ok(Value::from(seconds(
                self.0.num_microseconds().unwrap_or_default(),
            ))),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.num_microseconds().unwrap_or_default();
        let (days, rest) = (
            micros.div_euclid(86_400_000_000),
            micros.rem_euclid(86_400_000_000),
        );
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        let whole = rest / 1_000_000;
        write!(
            f,
            "{}:{:02}:{:02}",
            whole / 3600,
            whole / 60 % 60,
            whole % 60
        )?;
        if rest % 1_000_000 == 0 {
            Ok(())
        } else {
            write!(f, ".{:06}", rest % 1_000_000)
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Python gives these as floats too"
)]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1_000_000.0
}

/// The span between two moments; `None` where the values are no moments.
pub(crate) fn between(left: &Value, right: &Value) -> Option<Value> {
    let (left, right) = (
        left.downcast_object_ref::<Moment>()?,
        right.downcast_object_ref::<Moment>()?,
    );
    Some(Value::from_object(Span(left.0 - right.0)))
}

fn to_datetime(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let body = text(value);
    let format = args.text_or(0, "format", "%Y-%m-%d %H:%M:%S");
    let read = format.replace("%f", "%6f");
    let parsed = NaiveDateTime::parse_from_str(&body, &read).or_else(|_| {
        NaiveDate::parse_from_str(&body, &read).map(|date| date.and_time(chrono::NaiveTime::MIN))
    });
    let moment = parsed.map_err(|_| {
        invalid(format!(
            "time data '{body}' does not match format '{format}'"
        ))
    })?;
    Ok(Value::from_object(Moment(moment)))
}

fn strftime(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let format = text(value);
    let second = match args.get(0, "second").filter(|second| !second.is_none()) {
        None => None,
        Some(second) => {
            let float = text(&second).trim().parse::<f64>().map_err(|_| {
                invalid(format!("Invalid value for epoch value ({})", text(&second)))
            })?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the cast saturates and the result is checked below"
            )]
            Some((float * 1_000_000.0) as i64)
        }
    };
    let moment = match second {
        None => Utc::now(),
        Some(micros) => DateTime::from_timestamp_micros(micros)
            .ok_or_else(|| invalid("the time is out of range"))?,
    };
    let moment = if args.flag(1, "utc", false) {
        moment.naive_utc()
    } else {
        moment.with_timezone(&Local).naive_local()
    };
    written(&moment, &format).map(Value::from)
}

/// The present moment.
pub(crate) fn now(utc: bool) -> NaiveDateTime {
    if utc {
        Utc::now().naive_utc()
    } else {
        Local::now().naive_local()
    }
}

/// A moment in a `strftime` format.
pub(crate) fn written(moment: &NaiveDateTime, format: &str) -> Result<String, Error> {
    let mut out = String::new();
    write!(
        out,
        "{}",
        moment.and_utc().format(
            &format
                .replace("%f", "%6f")
                .replace("%Z", "")
                .replace("%z", "")
        )
    )
    .map_err(|_| invalid(format!("`{format}` is no valid time format")))?;
    Ok(out)
}
