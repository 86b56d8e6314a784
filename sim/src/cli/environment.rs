//! Options that come from the environment: what is wrong with a value is told with the variable that
//! holds it, and of all variables at once. The parser names the option alone, and ends at the first.

use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::cli::terminal::say;

/// Says which variables hold values that are refused, when the command line was because of a value.
pub fn explain(error: &Error, command: Command, arguments: &[OsString]) {
    if !matches!(
        error.kind(),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue
    ) {
        return;
    }
    let command = chosen(command, arguments);
    let said: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    for line in wrong(&command, &said, |name| std::env::var_os(name)) {
        say(&line);
    }
}

/// The subcommand that these arguments begin.
fn chosen(mut command: Command, arguments: &[OsString]) -> Command {
    command.build();
    for word in arguments.iter().skip(1) {
        let Some(inner) = word.to_str().and_then(|word| command.find_subcommand(word)) else {
            continue;
        };
        command = inner.clone();
    }
    command
}

/// A line for each variable that holds what its option does not take, unless the option is given.
fn wrong(
    command: &Command,
    said: &[&OsStr],
    variable: impl Fn(&OsStr) -> Option<OsString>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for option in command.get_arguments() {
        let (Some(name), Some(long)) = (option.get_env(), option.get_long()) else {
            continue;
        };
        let Some(value) = variable(name) else {
            continue;
        };
        if is_given(option, said) || !option.get_action().takes_values() {
            continue;
        }
        let alone = Command::new("synod").no_binary_name(true);
        let bare = Arg::new("value")
            .long("value")
            .value_parser(option.get_value_parser().clone());
        let mut word = OsString::from("--value=");
        word.push(&value);
        if alone.arg(bare).try_get_matches_from([word]).is_ok() {
            continue;
        }
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        lines.push(if value.is_empty() {
            format!("{name} is set in the environment, and empty: unset it, or give it a value for --{long}")
        } else {
            format!("{name}={value} in the environment is where --{long} has this from: change or unset it")
        });
    }
    lines
}

/// Whether the option stands among the arguments, so that the environment does not count.
fn is_given(option: &Arg, said: &[&OsStr]) -> bool {
    let (long, short) = (option.get_long(), option.get_short());
    said.iter().any(|word| {
        let word = word.to_string_lossy();
        let is_long = long.is_some_and(|long| {
            word.strip_prefix("--")
                .and_then(|rest| rest.strip_prefix(long))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        });
        let is_short = short.is_some_and(|short| word.starts_with(&format!("-{short}")));
        is_long || is_short
    })
}

#[cfg(test)]
mod tests {
    use clap::value_parser;

    use super::*;

    #[test]
    fn every_variable_with_a_wrong_value_is_named() {
        let option = |long: &'static str, name: &'static str| {
            Arg::new(long)
                .long(long)
                .short(long.chars().next())
                .env(name)
                .value_parser(value_parser!(u8))
        };
        let command = Command::new("x")
            .arg(option("jobs", "X_JOBS"))
            .arg(option("seeds", "X_SEEDS"))
            .arg(option("time", "X_TIME"))
            .arg(option("max", "X_MAX"));
        let variable = |name: &OsStr| match name.to_str() {
            Some("X_JOBS") => Some("x".into()),
            Some("X_SEEDS") => Some("".into()),
            Some("X_TIME") => Some("9".into()),
            Some("X_MAX") => Some("999".into()),
            _ => None,
        };
        let of = |words: &[&str]| {
            let said: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
            wrong(&command, &said, variable)
        };
        let all = of(&["x"]);
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(all[0].starts_with("X_JOBS=x in the environment"), "{all:?}");
        assert!(all[1].contains("X_SEEDS is set in the environment, and empty"));
        assert_eq!(of(&["x", "--seeds=1", "-m3", "--jobs", "1"]), [""; 0]);
    }
}
