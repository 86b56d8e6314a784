//! Days and moments in UTC, and the names of sweeps' folders, which begin with one.

/// A name for a sweep's folder: the moment in UTC, and the process, so that two at once do not
/// meet.
#[must_use]
pub fn run_id() -> String {
    let seconds = since_epoch();
    let second = seconds % 86_400;
    format!(
        "{}-{:02}{:02}{:02}-{}",
        day_of(seconds).replace('-', ""),
        second / 3_600,
        second / 60 % 60,
        second % 60,
        std::process::id()
    )
}

/// Whether [`run_id`] may have made this name.
#[must_use]
pub fn is_run_id(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let [day, moment, process] = &parts[..] else {
        return false;
    };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    day.len() == 8
        && moment.len() == 6
        && (1..=10).contains(&process.len())
        && parts.iter().all(|part| is_number(part))
}

/// Today in UTC, as YYYY-MM-DD.
#[must_use]
pub fn date() -> String {
    day_of(since_epoch())
}

/// Days since 1970-01-01 in UTC.
#[must_use]
pub fn days() -> u64 {
    since_epoch() / 86_400
}

fn since_epoch() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn day_of(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of so many days after 1970-01-01 (Howard Hinnant's algorithm).
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_000), (2024, 10, 4));
    }

    #[test]
    fn a_name_of_ones_own_is_none_of_ours() {
        assert!(is_run_id(&run_id()) && is_run_id("20260102-030405-7"));
        for other in [
            "latest",
            "shrunk",
            "2026-1-1",
            "20260102-030405",
            "20260102-030405-",
            "20260102-030405-7-kept",
            "before-030405-7",
        ] {
            assert!(!is_run_id(other), "{other}");
        }
    }
}
