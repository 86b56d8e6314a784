//! Durations and percentages as people write them on a command line.

use std::num::NonZero;
use std::time::Duration;

/// Reads `10m`, `90s`, `1h30m`, `500ms`.
///
/// # Errors
/// When it is no duration, with the shape that one has.
pub fn duration(text: &str) -> Result<Duration, String> {
    const SHAPE: &str = "say a time with its unit: 500ms, 90s, 10m, 1h30m";
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(SHAPE)?;
        let number: u64 = rest[..digits].parse().map_err(|_| SHAPE)?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |end| digits + end);
        let unit = match &rest[digits..unit_end] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" | "min" => Duration::from_secs(60),
            "h" => Duration::from_secs(3_600),
            _ => return Err(SHAPE.to_owned()),
        };
        let part = u32::try_from(number)
            .ok()
            .and_then(|number| unit.checked_mul(number))
            .ok_or_else(|| format!("`{text}` is too long"))?;
        total = total
            .checked_add(part)
            .ok_or_else(|| format!("`{text}` is too long"))?;
        rest = &rest[unit_end..];
    }
    match text.trim() {
        "" => Err(SHAPE.to_owned()),
        _ if total.is_zero() => Err("nothing happens in no time: say 1ms or more".to_owned()),
        _ => Ok(total),
    }
}

/// So many workers for each core only wait for each other, and for memory.
const WORKERS_A_CORE: usize = 8;

/// So many workers may be asked for on any machine.
const WORKERS_ANYWHERE: usize = 64;

/// Reads a number of workers.
///
/// # Errors
/// When it is no whole number from 1 on, or far more than there are cores.
pub fn workers(text: &str) -> Result<NonZero<usize>, String> {
    let asked: NonZero<usize> = text.trim().parse().map_err(|_| {
        "say how many workers, 1 or more; without it there is one for each core".to_owned()
    })?;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let most = cores.saturating_mul(WORKERS_A_CORE).max(WORKERS_ANYWHERE);
    if asked.get() > most {
        let s = if cores == 1 { "" } else { "s" };
        return Err(format!(
            "that is more than {cores} core{s} can make use of: say up to {most}; without it there \
             is one for each core"
        ));
    }
    Ok(asked)
}

/// Reads `10%`, `0.5%` or `10` into parts per million.
///
/// # Errors
/// When it is no percentage between 0 and 100.
pub fn percent(text: &str) -> Result<u32, String> {
    const SHAPE: &str = "say a share between 0% and 100%, like 10% or 0.5%";
    let number = text.trim().strip_suffix('%').unwrap_or(text.trim());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| {
        !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole) || !digits(fraction) {
        return Err(SHAPE.to_owned());
    }
    let read = |part: &str| part.parse::<u32>().map_err(|_| SHAPE.to_owned());
    let ppm = read(whole)? * 10_000 + read(&format!("{fraction:0<4}"))?;
    if ppm <= 1_000_000 {
        Ok(ppm)
    } else {
        Err(SHAPE.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in [
            "",
            "10",
            "m",
            "0s",
            "10x",
            "-1s",
            "1.5h",
            "99999999999h",
            "10m5",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_said_to_be_too_little() {
        assert!(duration("0s").is_err_and(|help| help.contains("1ms or more")));
        assert!(duration("0").is_err_and(|help| help.contains("with its unit")));
        assert_eq!(workers("3").map(NonZero::get), Ok(3));
        for wrong in ["0", "-1", "many", ""] {
            assert!(workers(wrong).is_err_and(|help| help.contains("1 or more")));
        }
        assert!(workers("64").is_ok());
        assert!(workers("1000000").is_err_and(|help| help.contains("more than")));
    }

    #[test]
    fn percentages() {
        assert_eq!(
            ["0%", "1%", "0.5%", "100", "10.25%", "0.0001%"].map(percent),
            [
                Ok(0),
                Ok(10_000),
                Ok(5_000),
                Ok(1_000_000),
                Ok(102_500),
                Ok(1)
            ]
        );
        for wrong in ["", "%", "101%", "-1%", "x", "1.", ".5", "1.00001%", "1e1"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }
}
