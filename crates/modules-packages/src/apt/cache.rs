//! The lists of what the archives have: how old they are, and fetching them anew.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustle_module::{Failure, Object, Target, pause};

use super::args::Args;
use super::command::fetch_lists;

/// What is touched where lists were fetched, the better sign first.
const SIGNS: [&str; 2] = [
    "/var/lib/apt/periodic/update-success-stamp",
    "/var/lib/apt/lists",
];

/// When what tells of fetched lists was last touched.
pub(super) fn sign() -> Option<SystemTime> {
    let mut times = SIGNS
        .iter()
        .filter_map(|path| fs::metadata(path).ok()?.modified().ok());
    times.next()
}

/// When the lists were last fetched, in seconds since 1970; 0 where they never were.
pub(super) fn fetched_at() -> u64 {
    let since = sign().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |time| time.as_secs())
}

/// Whether the lists are to be fetched: where that was asked for, and they are too old.
pub(super) fn is_due(args: &Args) -> bool {
    let is_wanted = args.update_cache.unwrap_or(false) || args.cache_valid_time > 0;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let valid = u64::try_from(args.cache_valid_time).unwrap_or(0);
    is_wanted && (valid == 0 || fetched_at().saturating_add(valid) < now)
}

/// Fetches the lists, and tries again with growing waits where that fails.
///
/// # Errors
/// When it never works, or the task is cancelled.
pub(crate) async fn update(
    target: &dyn Target,
    retries: u32,
    max_delay: u64,
    lock_timeout: Duration,
) -> Result<(), Failure> {
    let mut said = String::new();
    for attempt in 0..retries.max(1) {
        if attempt > 0 {
            let delay = 2_u64.saturating_pow(attempt - 1).min(max_delay);
            pause(target, Duration::from_secs(delay)).await?;
        }
        let ran = fetch_lists(target, lock_timeout).await?;
        if ran.is_success() {
            return Ok(());
        }
        said = ran.stderr;
    }
    let reasons = said.lines().filter_map(|line| line.strip_prefix("E: "));
    let reasons: Vec<String> = reasons.map(|reason| format!("E:{reason}")).collect();
    let reason = if reasons.is_empty() {
        said.trim().to_owned()
    } else {
        reasons.join(", ")
    };
    Err(Failure::new(format!(
        "Failed to update apt cache after {retries} retries: {reason}"
    )))
}

/// Adds what results tell of the lists.
pub(super) fn add_to(result: &mut Object, is_updated: bool) {
    result.insert("cache_updated".into(), is_updated.into());
    result.insert("cache_update_time".into(), fetched_at().into());
}
